#[test_only]
/// The pool on its own; `epoch_tests` play it with its epochs.
module usufruct::receipt_pool_tests;

use sui::{balance, test_scenario as ts};
use usufruct::{
    epoch_fixtures as fixtures,
    fixtures::{first_receipt_digest, receipt_first, receipt_second, receipt_third},
    private_world,
    receipt_pool,
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
    assert!(pool.add(first_receipt_digest(), balance::create_for_testing(most)) == 1);
    let money = pool.open_epoch(1, 1, 0);
    assert!(money.value() == most);
    assert!(pool.add(first_receipt_digest(), balance::create_for_testing(7)) == 2);
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
    pool.add(first_receipt_digest(), balance::create_for_testing(7));
    let money = pool.open_epoch(1_000, 1, 0);
    pool.reject_epoch(1, money);
    assert!(!pool.is_next_attempt(1, 1_000) && pool.is_next_attempt(1, 1_001));
    assert!(pool.is_next_attempt(1, 2_000) && !pool.is_next_attempt(1, 2_001));
    std::unit_test::destroy(pool);
    scenario.end();
}
