#[test_only]
/// What is retired for good: a contribution by its owner, a dataset by vote.
module usufruct::tombstone_tests;

use sui::{event, test_scenario as ts};
use usufruct::{
    effect,
    fixtures,
    lifecycle_events::{ContributionTombstoned, DatasetTombstoned},
    votes,
    world::{Self, World}
};

const OTHER_SALT: address = @0x5b;

fun contribution_id(): address {
    fixtures::contribution_ids()[0]
}

// === A contribution ===

#[test]
fun an_owner_retires_a_contribution() {
    let mut world = world::filled();
    world.advance(world::minute_ms());
    world.tombstone(world::owner(0), 0);
    assert!(event::events_by_type<ContributionTombstoned>().length() == 1);
    world.next(world::owner(0));
    let dataset = world.take_dataset(0);
    let contribution = usufruct::contribution::borrow(&dataset, contribution_id());
    let since = contribution.tombstoned_at_ms().destroy_some();
    assert!(since == world::now_ms() + world::minute_ms());
    assert!(contribution.is_accepted());
    ts::return_shared(dataset);
    world.end();
}

#[test]
fun in_any_state_and_while_paused() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.contribute(world::owner(1), world::salt());
    world.decide(world::founder(), 1, false);
    world.pause(0);
    world.tombstone(world::owner(0), 0);
    world.tombstone(world::owner(1), 1);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::EWrongOwner)]
fun nobody_else_retires_it() {
    let mut world = world::filled();
    world.tombstone(world::founder(), 0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::ETombstoned)]
fun it_is_retired_once() {
    let mut world = world::filled();
    world.tombstone(world::owner(0), 0);
    world.tombstone(world::owner(0), 0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::ENoContribution)]
fun what_is_not_there_is_not_retired() {
    let mut world = world::founded();
    world.tombstone(world::owner(0), 0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_contribution_of_another_version_is_not_retired() {
    let mut world = world::filled();
    let mut dataset = world.take_dataset(0);
    dataset.set_version_for_testing(2);
    ts::return_shared(dataset);
    world.tombstone(world::owner(0), 0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::ETombstoned)]
fun a_retired_contribution_is_not_decided_on() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.tombstone(world::owner(0), 0);
    world.decide(world::founder(), 0, true);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::ETombstoned)]
fun a_retired_contribution_is_not_granted() {
    let mut world = world::filled();
    world.tombstone(world::owner(0), 0);
    world.grant(0, OTHER_SALT);
    world.end();
}

#[test]
fun its_grants_can_be_revoked() {
    let mut world = world::filled();
    world.tombstone(world::owner(0), 0);
    world.revoke(world::owner(0), fixtures::grant_ids()[0]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::ETombstoned)]
fun its_key_is_not_given() {
    let mut world = world::ready();
    world.tombstone(world::owner(0), 0);
    let (contribution, grant) = (contribution_id(), fixtures::grant_ids()[0]);
    world.seal_approve(fixtures::attested_address(), contribution.to_bytes(), contribution, grant);
    world.end();
}

/// Settle a receipt of minute 1 when the contribution was retired so much later than the job was funded.
fun settle_after_retirement_at(after_ms: u64) {
    let mut world = world::ready();
    world.advance(after_ms);
    world.tombstone(world::owner(0), 0);
    world.advance(world::minute_ms());
    world.settle(fixtures::receipt_first());
    assert!(world.collect(world::owner(0)) == 233_334);
    world.end();
}

#[test]
fun an_answer_of_before_is_paid() {
    settle_after_retirement_at(world::minute_ms() + 1);
}

#[test, expected_failure(abort_code = usufruct::contribution::ETombstoned)]
fun an_answer_of_the_same_moment_is_not() {
    settle_after_retirement_at(world::minute_ms());
}

// === A dataset ===

#[test]
fun the_members_retire_a_dataset() {
    let mut world = world::filled();
    let effect = effect::tombstone_dataset(fixtures::dataset_id());
    votes::carry_on_dataset(&mut world, OTHER_SALT, effect);
    assert!(event::events_by_type<DatasetTombstoned>().length() == 1);
    world.next(world::stranger());
    let dataset = world.take_dataset(0);
    let since = dataset.tombstoned_at_ms().destroy_some();
    assert!(since == world::now_ms() + 3 * world::minute_ms());
    ts::return_shared(dataset);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::effect::EWrongDataset)]
fun no_other_dataset_than_the_one_they_voted_on() {
    let mut world = world::filled();
    world.create_dataset(world::founder(), OTHER_SALT);
    let effect = effect::tombstone_dataset(fixtures::dataset_id());
    let proposal = votes::carried(&mut world, OTHER_SALT, effect);
    votes::execute_on_dataset(&mut world, proposal, 1);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun a_dataset_is_retired_once() {
    let mut world = world::filled();
    world.tombstone_dataset();
    world.tombstone_dataset();
    world.end();
}

#[test, expected_failure(abort_code = usufruct::effect::EOtherObjects)]
fun a_vote_on_something_else_is_not_executed_on_a_dataset() {
    let mut world = world::filled();
    let effect = effect::set_price(1);
    votes::carry_on_dataset(&mut world, OTHER_SALT, effect);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::EWrongDao)]
fun a_dataset_of_another_dao_is_not_retired() {
    let mut world = world::filled();
    world.create_dao(OTHER_SALT, world::policy());
    world.next(world::founder());
    let dao = world.take_dao(1);
    let mut dataset = world.take_dataset(0);
    let (clock, _) = world.clock_and_ctx();
    let effect = effect::tombstone_dataset(fixtures::dataset_id());
    effect.apply_to_dataset(@0x1, &dao, &mut dataset, clock);
    ts::return_shared(dataset);
    ts::return_shared(dao);
    world.end();
}

fun retired(): World {
    let mut world = world::ready();
    world.tombstone_dataset();
    world
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun a_retired_dataset_takes_no_contribution() {
    let mut world = retired();
    world.contribute(world::stranger(), world::salt());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun nothing_in_it_is_decided_on() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.tombstone_dataset();
    world.decide(world::founder(), 0, true);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun nothing_in_it_is_granted() {
    let mut world = retired();
    world.grant(0, OTHER_SALT);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun no_job_is_funded_on_it() {
    let mut world = retired();
    world.fund();
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun no_key_of_it_is_given() {
    let mut world = retired();
    let (contribution, grant) = (contribution_id(), fixtures::grant_ids()[0]);
    world.seal_approve(fixtures::attested_address(), contribution.to_bytes(), contribution, grant);
    world.end();
}

#[test]
fun revoking_retiring_and_closing_go_on() {
    let mut world = retired();
    world.revoke(world::owner(0), fixtures::grant_ids()[0]);
    world.tombstone(world::owner(0), 0);
    world.close(world::requester());
    assert!(world.collect(world::requester()) == 3 * world::price());
    world.end();
}

#[test]
fun expiring_goes_on() {
    let mut world = retired();
    world.advance(10 * world::minute_ms());
    world.expire();
    assert!(world.collect(world::requester()) == 3 * world::price());
    world.end();
}

fun settle_after_the_datasets_retirement_at(after_ms: u64) {
    let mut world = world::ready();
    world.advance(after_ms);
    world.tombstone_dataset();
    world.advance(world::minute_ms());
    world.settle(fixtures::receipt_first());
    assert!(world.collect(world::owner(0)) == 233_334);
    world.end();
}

#[test]
fun an_answer_of_before_its_retirement_is_paid() {
    settle_after_the_datasets_retirement_at(world::minute_ms() + 1);
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun an_answer_of_its_last_moment_is_not() {
    settle_after_the_datasets_retirement_at(world::minute_ms());
}
