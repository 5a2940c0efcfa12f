#[test_only]
/// A vote that gives up the contributors' part of private receipts which nobody can divide. What the pool allows is in
/// `receipt_pool_tests`.
module usufruct::write_off_tests;

use sui::test_scenario as ts;
use usufruct::{
    effect,
    epoch_fixtures::{Self, part_units, total_units},
    fixtures,
    private_world,
    world::{Self, World}
};

use fun private_world::settle_privately as World.settle_privately;
use fun private_world::propose_epoch as World.propose_epoch;
use fun private_world::take_epoch as World.take_epoch;
use fun private_world::pooled as World.pooled;
use fun private_world::treasury as World.treasury;
use fun assert_covered as World.assert_covered;

/// From the settlement of a receipt until it can be written off.
const THIRTY_DAYS_MS: u64 = 2_592_000_000;
/// Of two receipts of 1,000,001: 20 %, rounded down.
const TREASURY_UNITS: u64 = 400_000;

/// Three receipts, the third free, all of a month ago. Proposals of these tests take some milliseconds at most.
fun a_month_later(): World {
    let mut world = private_world::settled();
    world.settle_privately(fixtures::receipt_third());
    world.advance(THIRTY_DAYS_MS);
    world
}

fun assert_covered(world: &mut World, receipts: u64, epochs: u64) {
    world.next(world::stranger());
    let dao = world.take_dao(0);
    let pool = dao.receipt_pool();
    assert!(pool.covered_receipts() == receipts && pool.epoch_count() == epochs);
    assert!(
        pool.receipt_count() == 3 && pool.receipt_chain_at(3) == epoch_fixtures::receipt_chains()[2],
    );
    ts::return_shared(dao);
}

#[test]
fun all_that_nobody_divides_is_the_treasurys() {
    let mut world = a_month_later();
    world.decide_by_vote(effect::write_off_receipts(1, 3));
    assert!(world.pooled() == 0 && world.treasury() == TREASURY_UNITS + total_units());
    world.assert_covered(3, 0);
    world.end();
}

#[test]
/// What is left is divided as ever: the first epoch begins after what was written off.
fun the_later_ones_wait_no_longer() {
    let mut world = a_month_later();
    world.decide_by_vote(effect::write_off_receipts(1, 1));
    assert!(world.pooled() == part_units() && world.treasury() == TREASURY_UNITS + part_units());
    world.register_runner(
        fixtures::statement_month_later(),
        fixtures::statement_month_later_signatures(),
    );
    world.propose_epoch(epoch_fixtures::statement_after_write_off());
    world.assert_covered(3, 1);
    assert!(world.pooled() == 0);
    let epoch = world.take_epoch();
    assert!(epoch.held_units() == part_units() && epoch.number() == 1);
    ts::return_shared(epoch);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::receipt_pool::EWriteOffEarly)]
/// Whatever the majority: what can still be divided is the contributors'.
fun no_vote_takes_what_is_young() {
    let mut world = private_world::settled();
    world.decide_by_vote(effect::write_off_receipts(1, 1));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::receipt_pool::EWriteOffReceipts)]
/// Made before the epoch, executed after it.
fun what_was_divided_meanwhile_stays_divided() {
    let mut world = private_world::claimable(epoch_fixtures::statement_good());
    world.advance(THIRTY_DAYS_MS);
    world.decide_by_vote(effect::write_off_receipts(1, 1));
    world.end();
}
