#[test_only]
module usufruct::membership_tests;

use std::unit_test::destroy;
use usufruct::membership::{Self, Membership};

const ADA: address = @0xa1;
const BEN: address = @0xa2;
const STRANGER: address = @0xee;
const U64_MAX: u64 = 18_446_744_073_709_551_615;

fun two(): Membership {
    let mut membership = membership::empty(&mut tx_context::dummy());
    assert!(membership.add(ADA, 7) == 0 && membership.add(BEN, 2) == 1);
    membership
}

#[test]
fun members_are_counted_in_order_of_joining() {
    let membership = two();
    assert!(membership.count() == 2 && membership.contains(ADA) && !membership.contains(STRANGER));
    assert!(membership.ordinal_of(ADA) == 0 && membership.ordinal_of(BEN) == 1);
    assert!(membership.roles_of(BEN) == 2 && membership.roles_of(STRANGER) == 0);
    assert!(membership.has_role(membership::policy_maker(), BEN));
    assert!(!membership.has_role(membership::steward(), BEN));
    destroy(membership);
}

#[test, expected_failure(abort_code = usufruct::membership::ENoMember)]
fun a_stranger_has_no_ordinal() {
    let membership = two();
    membership.ordinal_of(STRANGER);
    destroy(membership);
}

#[test]
/// Before proposal 1: 5 + 2. Before 2: 10 more. While there were 2 or 3 proposals nothing was earned but the last 100,
/// which count from proposal 4 on.
fun a_proposal_counts_what_was_earned_before_it() {
    let mut membership = two();
    membership.count_earned(ADA, 5, 0);
    membership.count_earned(ADA, 2, 0);
    membership.count_earned(ADA, 10, 1);
    membership.count_earned(ADA, 100, 3);
    assert!(membership.earned_before(ADA, 1) == 7);
    assert!(membership.earned_before(ADA, 2) == 17);
    assert!(membership.earned_before(ADA, 3) == 17);
    assert!(membership.earned_before(ADA, 4) == 117);
    assert!(membership.earned_before(ADA, 1_000) == 117);
    assert!(membership.earned_of(ADA) == 117 && membership.earned_units() == 117);
    assert!(membership.earned_before(BEN, 1) == 0 && membership.earned_of(BEN) == 0);
    assert!(membership.earned_of(STRANGER) == 0);
    destroy(membership);
}

#[test]
/// One unit at every third proposal, from the second on: at 2, 5, 8 … 62. Before proposal n there were those at
/// 2, 5 … of less than n: none up to proposal 2, then one more after every third.
fun every_checkpoint_is_found() {
    let mut membership = two();
    let mut proposals = 2;
    while (proposals < 63) {
        membership.count_earned(BEN, 1, proposals);
        proposals = proposals + 3;
    };
    let mut number = 1;
    while (number < 70) {
        let earned = if (number > 62) 21 else (number) / 3;
        assert!(membership.earned_before(BEN, number) == earned);
        number = number + 1;
    };
    destroy(membership);
}

#[test]
fun a_stranger_earns_no_votes() {
    let mut membership = two();
    membership.count_earned(STRANGER, 9, 0);
    assert!(membership.earned_units() == 0);
    destroy(membership);
}

#[test]
/// 2⁶⁴−1 − 3, then the 3 that are left of 5, then none of 5: no payment fails because the sum has become too large.
fun all_together_never_count_more_than_a_u64() {
    let mut membership = two();
    membership.count_earned(ADA, U64_MAX - 3, 0);
    membership.count_earned(BEN, 5, 0);
    membership.count_earned(ADA, 5, 0);
    assert!(membership.earned_of(ADA) == U64_MAX - 3 && membership.earned_of(BEN) == 3);
    assert!(membership.earned_units() == U64_MAX);
    destroy(membership);
}

#[test]
fun administrators_may_change() {
    let mut membership = two();
    membership.set_roles(BEN, 1);
    membership.set_roles(ADA, 0);
    membership.set_roles(BEN, 7);
    assert!(membership.roles_of(ADA) == 0 && membership.roles_of(BEN) == 7);
    destroy(membership);
}

#[test, expected_failure(abort_code = usufruct::membership::ELastAdministrator)]
fun the_last_administrator_stays() {
    let mut membership = two();
    membership.set_roles(BEN, 1);
    membership.set_roles(BEN, 2);
    membership.set_roles(ADA, 6);
    destroy(membership);
}
