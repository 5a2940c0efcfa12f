#[test_only]
/// The pool on its own; `epoch_tests` play it with its epochs.
module usufruct::receipt_pool_tests;

use sui::{balance, test_scenario as ts};
use usufruct::{
    epoch_fixtures as fixtures,
    fixtures::{first_receipt_digest, receipt_first, receipt_second, receipt_third},
    private_world,
    receipt_pool::{Self, ReceiptPool},
    world::{Self, World, USDX}
};

use fun private_world::settle_privately as World.settle_privately;
use fun private_world::pooled as World.pooled;

#[test]
/// The chain of three receipts is the one that the libraries compute; the third was free.
fun receipts_are_numbered_and_chained() {
    let mut world = private_world::asked();
    world.settle_privately(receipt_first());
    world.settle_privately(receipt_second());
    world.settle_privately(receipt_third());
    world.next(world::stranger());
    let dao = world.take_dao(0);
    let pool = dao.receipt_pool();
    assert!(pool.receipt_count() == 3);
    assert!(pool.receipt_chain_at(0) == @0x0);
    let chains = fixtures::receipt_chains();
    assert!(pool.receipt_chain_at(1) == chains[0]);
    assert!(pool.receipt_chain_at(2) == chains[1]);
    assert!(pool.receipt_chain_at(3) == chains[2]);
    assert!(pool.units_between(0, 1) == fixtures::part_units());
    assert!(pool.units_between(1, 2) == fixtures::part_units());
    assert!(pool.units_between(0, 3) == fixtures::total_units());
    assert!(pool.units_between(2, 3) == 0);
    assert!(pool.covered_receipts() == 0 && pool.epoch_count() == 0 && pool.next_number() == 1);
    ts::return_shared(dao);
    assert!(world.pooled() == fixtures::total_units());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::receipt_pool::ENoReceipt)]
fun there_is_no_chain_at_a_receipt_to_come() {
    let mut world = private_world::asked();
    world.settle_privately(receipt_first());
    world.next(world::stranger());
    let dao = world.take_dao(0);
    dao.receipt_pool().receipt_chain_at(2);
    abort
}

#[test]
/// More is set aside over the years than a u64 holds: each epoch's total still is exact.
fun what_was_ever_set_aside_may_exceed_a_u64() {
    let mut scenario = ts::begin(@0x1);
    let mut pool = receipt_pool::empty<USDX>(scenario.ctx());
    let most = 18_446_744_073_709_551_615;
    assert!(pool.add(first_receipt_digest(), balance::create_for_testing(most), 0) == 1);
    let money = pool.open_epoch(1, 1, 0);
    assert!(money.value() == most);
    assert!(pool.add(first_receipt_digest(), balance::create_for_testing(7), 0) == 2);
    assert!(pool.units_between(1, 2) == 7);
    // Back again, as if it had never been proposed.
    pool.open_epoch(1, 2, 5).destroy_for_testing();
    assert!(pool.epoch_count() == 2 && pool.covered_receipts() == 2 && pool.held_units() == 0);
    pool.reject_epoch(2, balance::create_for_testing(7));
    assert!(pool.epoch_count() == 1 && pool.covered_receipts() == 1 && pool.held_units() == 7);
    assert!(pool.last_attempt(2) == 1 && pool.last_attempt(3) == 0 && !pool.is_challenged(0));
    money.destroy_for_testing();
    std::unit_test::destroy(pool);
    scenario.end();
}

#[test]
/// An attempt that leaves too many out would leave none for the next, so that nothing could be paid out ever again.
fun attempts_do_not_run_out() {
    let mut scenario = ts::begin(@0x1);
    let mut pool = receipt_pool::empty<USDX>(scenario.ctx());
    assert!(!pool.is_next_attempt(1, 0) && pool.is_next_attempt(1, 1));
    assert!(pool.is_next_attempt(1, 1_000) && !pool.is_next_attempt(1, 1_001));
    assert!(!pool.is_next_attempt(1, 4_294_967_295));
    pool.add(first_receipt_digest(), balance::create_for_testing(7), 0);
    let money = pool.open_epoch(1_000, 1, 0);
    pool.reject_epoch(1, money);
    assert!(!pool.is_next_attempt(1, 1_000) && pool.is_next_attempt(1, 1_001));
    assert!(pool.is_next_attempt(1, 2_000) && !pool.is_next_attempt(1, 2_001));
    std::unit_test::destroy(pool);
    scenario.end();
}

// === Writing off ===

/// From the settlement of a receipt until it can be written off.
const THIRTY_DAYS_MS: u64 = 2_592_000_000;

/// Three receipts of 7, 11 and 13 units, settled at 1, 2 and 5 ms.
fun pool_of_three(scenario: &mut ts::Scenario): ReceiptPool<USDX> {
    let mut pool = receipt_pool::empty<USDX>(scenario.ctx());
    pool.add(first_receipt_digest(), balance::create_for_testing(7), 1);
    pool.add(first_receipt_digest(), balance::create_for_testing(11), 2);
    pool.add(first_receipt_digest(), balance::create_for_testing(13), 5);
    pool
}

/// What writing off takes out.
fun written_off(from: u64, to: u64, at_ms: u64): u64 {
    let mut scenario = ts::begin(@0x1);
    let mut pool = pool_of_three(&mut scenario);
    let units = pool.write_off(from, to, at_ms).destroy_for_testing();
    assert!(pool.covered_receipts() == to && pool.held_units() == 31 - units);
    assert!(pool.epoch_count() == 0 && pool.next_number() == 1 && pool.receipt_count() == 3);
    std::unit_test::destroy(pool);
    scenario.end();
    units
}

#[test]
fun the_next_receipt_is_written_off() {
    assert!(written_off(1, 1, THIRTY_DAYS_MS + 1) == 7);
}

#[test]
fun or_several() {
    assert!(written_off(1, 2, THIRTY_DAYS_MS + 2) == 18);
}

#[test]
fun or_all() {
    assert!(written_off(1, 3, THIRTY_DAYS_MS + 5) == 31);
}

#[test, expected_failure(abort_code = usufruct::receipt_pool::EWriteOffEarly)]
/// The last of them counts: the others are older.
fun nothing_young_is_written_off() {
    written_off(1, 3, THIRTY_DAYS_MS + 4);
}

#[test, expected_failure(abort_code = usufruct::receipt_pool::EWriteOffReceipts)]
fun no_receipt_is_left_out() {
    written_off(2, 2, 2 * THIRTY_DAYS_MS);
}

#[test, expected_failure(abort_code = usufruct::receipt_pool::EWriteOffReceipts)]
fun receipts_to_come_are_not_written_off() {
    written_off(1, 4, 2 * THIRTY_DAYS_MS);
}

#[test, expected_failure(abort_code = usufruct::receipt_pool::EWriteOffReceipts)]
fun a_run_has_one_receipt() {
    written_off(1, 0, 2 * THIRTY_DAYS_MS);
}

#[test, expected_failure(abort_code = usufruct::receipt_pool::EWriteOffReceipts)]
fun what_is_divided_is_not_written_off() {
    let mut scenario = ts::begin(@0x1);
    let mut pool = pool_of_three(&mut scenario);
    pool.open_epoch(1, 1, 0).destroy_for_testing();
    pool.write_off(1, 2, 2 * THIRTY_DAYS_MS).destroy_for_testing();
    abort
}

#[test]
fun what_follows_an_epoch_is_written_off_and_what_follows_that_divided() {
    let mut scenario = ts::begin(@0x1);
    let mut pool = pool_of_three(&mut scenario);
    let ends_at_ms = 2 * THIRTY_DAYS_MS;
    assert!(pool.open_epoch(1, 1, ends_at_ms).destroy_for_testing() == 7);
    assert!(pool.write_off(2, 2, ends_at_ms).destroy_for_testing() == 11);
    assert!(pool.next_number() == 2 && pool.units_between(pool.covered_receipts(), 3) == 13);
    let money = pool.open_epoch(1, 3, ends_at_ms + 1);
    assert!(money.value() == 13 && pool.held_units() == 0);
    // Back to after what was written off.
    pool.reject_epoch(3, money);
    assert!(pool.covered_receipts() == 2 && pool.held_units() == 13 && pool.epoch_count() == 1);
    std::unit_test::destroy(pool);
    scenario.end();
}

#[test, expected_failure(abort_code = usufruct::receipt_pool::EWriteOffChallenged)]
/// Once it is rejected its receipts are the next ones again.
fun an_epoch_in_its_window_comes_first() {
    let mut scenario = ts::begin(@0x1);
    let mut pool = pool_of_three(&mut scenario);
    let ends_at_ms = 2 * THIRTY_DAYS_MS;
    pool.open_epoch(1, 1, ends_at_ms).destroy_for_testing();
    pool.write_off(2, 2, ends_at_ms - 1).destroy_for_testing();
    abort
}

#[random_test]
/// Whatever is settled, divided, rejected and written off: all that came in is in the pool or went out once.
fun nothing_is_lost_or_paid_twice(parts: vector<u8>, choices: vector<u8>) {
    let mut scenario = ts::begin(@0x1);
    let mut pool = receipt_pool::empty<USDX>(scenario.ctx());
    let (mut total, mut i) = (0, 0);
    while (i < parts.length()) {
        let units = parts[i] as u64;
        total = total + units;
        pool.add(first_receipt_digest(), balance::create_for_testing(units), i);
        i = i + 1;
    };
    let (mut gone, mut attempt, mut j) = (0, 0, 0);
    while (j < choices.length()) {
        let (covered, choice) = (pool.covered_receipts(), choices[j] as u64);
        j = j + 1;
        if (covered == parts.length()) break;
        let to = covered + 1 + (choice / 3) % (parts.length() - covered);
        attempt = attempt + 1;
        if (choice % 3 == 0) {
            gone =
                gone + pool.write_off(covered + 1, to, THIRTY_DAYS_MS + to - 1).destroy_for_testing();
            continue
        };
        let money = pool.open_epoch(attempt, to, 0);
        if (choice % 3 == 1) {
            gone = gone + money.destroy_for_testing();
        } else {
            pool.reject_epoch(covered + 1, money);
            assert!(pool.covered_receipts() == covered);
        };
    };
    assert!(pool.held_units() + gone == total);
    assert!(pool.units_between(0, pool.covered_receipts()) == gone);
    std::unit_test::destroy(pool);
    scenario.end();
}
