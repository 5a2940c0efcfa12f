#[test_only]
/// What `usage_receipt` does in epoch mode; what both modes verify is in its own tests.
module usufruct::private_settlement_tests;

use sui::test_scenario as ts;
use usufruct::{epoch_fixtures, fixtures, private_world, world::{Self, World}};

use fun private_world::set_rules as World.set_rules;
use fun private_world::settle_privately as World.settle_privately;
use fun private_world::settle_bytes as World.settle_bytes;
use fun private_world::pooled as World.pooled;
use fun private_world::treasury as World.treasury;

#[test]
/// Of 1,000,001: 20 % and 8 % rounded down, 2 % as well, and the rest of one to the contributors, whose remainder of 0.7
/// is the largest.
fun three_parts_are_paid_and_one_is_set_aside() {
    let mut world = private_world::asked();
    world.settle_privately(fixtures::receipt_first());
    assert!(world.pooled() == 700_001 && epoch_fixtures::part_units() == 700_001);
    assert!(world.treasury() == 200_000);
    assert!(world.collect(world::payee()) == 80_000);
    assert!(world.collect(world::protocol()) == 20_000);
    let mut i = 0;
    while (i < 3) {
        assert!(world.count_coins(world::owner(i)) == 0);
        i = i + 1;
    };
    world.next(world::stranger());
    let job = world.take_job(0);
    assert!(job.escrow_units() == 2 * world::price() && job.questions_settled() == 1);
    assert!(job.payout_mode() == 1);
    ts::return_shared(job);
    world.end();
}

#[test]
fun the_last_question_closes_the_job() {
    let mut world = private_world::settled();
    world.settle_privately(fixtures::receipt_third());
    world.next(world::stranger());
    let job = world.take_job(0);
    assert!(job.state() == 1 && job.escrow_units() == 0);
    ts::return_shared(job);
    // The third was free.
    assert!(world.collect(world::requester()) == world::price());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::EReceiptConsumed)]
fun a_question_is_paid_once() {
    let mut world = private_world::asked();
    world.settle_privately(fixtures::receipt_first());
    world.settle_privately(fixtures::receipt_first());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EPrice)]
fun the_price_is_the_jobs_or_none() {
    let mut world = private_world::asked();
    world.settle_privately(fixtures::receipt_cheap());
    world.end();
}

#[test]
/// The uses are nobody's business here: that something is charged for none of them is for the holders to see.
fun uses_are_not_looked_at() {
    let mut world = private_world::asked();
    world.settle_privately(fixtures::receipt_charged_for_nothing());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EPayoutMode)]
fun a_direct_job_is_not_settled_privately() {
    let mut world = world::ready();
    world.advance(world::minute_ms());
    world.settle_privately(fixtures::receipt_first());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EPayoutMode)]
fun a_private_job_is_not_settled_directly() {
    let mut world = private_world::asked();
    world.settle(fixtures::receipt_first());
    world.end();
}

#[test]
/// The DAO pays directly from now on: jobs funded before still pay in epochs.
fun the_mode_is_that_of_the_funding() {
    let mut world = private_world::asked();
    world.set_rules(0, 0, 0);
    world.settle_privately(fixtures::receipt_first());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptSignature)]
fun a_receipt_is_signed() {
    let mut world = private_world::asked();
    let (bytes, _, _, _, _) = fixtures::receipt_first().unpack();
    let (_, signature, _, _, _) = fixtures::receipt_second().unpack();
    world.settle_bytes(bytes, signature);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptSignature)]
fun one_runner_signs_once() {
    let mut world = private_world::asked();
    let (bytes, mut signature, _, _, _) = fixtures::receipt_first().unpack();
    let again = signature;
    signature.append(again);
    world.settle_bytes(bytes, signature);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_paused_dao_sets_nothing_aside() {
    let mut world = private_world::asked();
    world.pause(0);
    world.settle_privately(fixtures::receipt_first());
    world.end();
}
