#[test_only]
module usufruct::payout_tests;

use usufruct::payout;

#[test]
/// 10 by 1 : 1 : 1 is 3⅓ each: floors 3, 3, 3, and the unit that is left goes to the smallest key.
fun equal_remainders_are_decided_by_key() {
    assert!(payout::allocate(10, &vector[1, 1, 1], &vector[b"c", b"a", b"b"]) == vector[3, 4, 3]);
}

#[test]
/// 11 by 1 : 1 : 1 is 3⅔ each: two units are left, for the two smallest keys.
fun two_units_are_left() {
    assert!(payout::allocate(11, &vector[1, 1, 1], &vector[b"c", b"a", b"b"]) == vector[3, 4, 4]);
}

#[test]
/// 10 by 5 : 3 : 1 is 5 5/9, 3 3/9 and 1 1/9: the unit that is left goes to the largest remainder, whatever the keys.
fun the_largest_remainder_comes_first() {
    assert!(payout::allocate(10, &vector[5, 3, 1], &vector[b"z", b"a", b"b"]) == vector[6, 3, 1]);
}

#[test]
/// 1 by 1 : 0 : 2 is ⅓, 0 and ⅔.
fun a_zero_weight_gets_nothing() {
    assert!(payout::allocate(1, &vector[1, 0, 2], &vector[b"a", b"b", b"c"]) == vector[0, 0, 1]);
}

#[test]
fun nothing_is_divided_into_nothing() {
    assert!(payout::allocate(0, &vector[0, 0], &vector[b"a", b"b"]) == vector[0, 0]);
    assert!(payout::allocate(0, &vector[], &vector[]) == vector[]);
    assert!(payout::allocate(0, &vector[5], &vector[b"a"]) == vector[0]);
}

#[test]
/// Total and weights at the top of u64: the product needs u128. (2⁶⁴-1) / 2 is 2⁶³-1 and a half each.
fun the_largest_numbers_do_not_overflow() {
    let most = 18_446_744_073_709_551_615;
    let half = 9_223_372_036_854_775_807;
    let amounts = payout::allocate(most, &vector[most, most], &vector[b"b", b"a"]);
    assert!(amounts == vector[half, half + 1]);
}

#[test]
/// 10,001 by 7,000 : 2,000 : 800 : 200 is 7,000.7, 2,000.2, 800.08 and 200.02.
fun a_price_is_split_by_basis_points() {
    let parts = payout::split_by_bps(10_001, &vector[7_000, 2_000, 800, 200]);
    assert!(parts == vector[7_001, 2_000, 800, 200]);
}

#[test]
/// 3 by halves is 1½ each: the earlier part gets the unit.
fun equal_parts_are_decided_by_their_order() {
    assert!(payout::split_by_bps(3, &vector[5_000, 5_000, 0, 0]) == vector[2, 1, 0, 0]);
}

#[random_test]
/// Whatever is divided, the parts add up, and each is the floor of its quota or one more.
fun nothing_is_lost_or_made(total: u64, a: u64, b: u64, c: u32, d: u8) {
    let weights = vector[a, b, c as u64, (d as u64) + 1];
    let amounts = payout::allocate(total, &weights, &vector[b"a", b"b", b"c", b"d"]);
    let mut weight_sum: u128 = 0;
    let mut i = 0;
    while (i < 4) {
        weight_sum = weight_sum + (weights[i] as u128);
        i = i + 1;
    };
    let mut sum: u128 = 0;
    let mut j = 0;
    while (j < 4) {
        let floor = (((total as u128) * (weights[j] as u128)) / weight_sum) as u64;
        assert!(amounts[j] == floor || amounts[j] == floor + 1);
        sum = sum + (amounts[j] as u128);
        j = j + 1;
    };
    assert!(sum == (total as u128));
}

#[random_test]
fun a_split_is_exact(total: u64, first: u16, second: u16, third: u16) {
    let a = (first as u64) % 10_001;
    let b = (second as u64) % (10_001 - a);
    let c = (third as u64) % (10_001 - a - b);
    let parts = payout::split_by_bps(total, &vector[a, b, c, 10_000 - a - b - c]);
    let sum = (parts[0] as u128) + (parts[1] as u128) + (parts[2] as u128) + (parts[3] as u128);
    assert!(sum == (total as u128));
}

#[test, expected_failure(abort_code = usufruct::payout::ENoWeight)]
fun something_needs_a_weight() {
    payout::allocate(1, &vector[0, 0], &vector[b"a", b"b"]);
}

#[test, expected_failure(abort_code = usufruct::payout::EShareLists)]
fun every_weight_has_a_key() {
    payout::allocate(1, &vector[1, 1], &vector[b"a"]);
}

#[test, expected_failure(abort_code = usufruct::payout::ENotExact)]
fun parts_that_do_not_add_up_are_noticed() {
    payout::assert_exact(&vector[1, 2], 4);
}
