#[test_only]
module usufruct::dataset_tests;

use sui::{event, test_scenario as ts};
use usufruct::{answer_rules, contribution, fixtures, lifecycle_events::AnswerRulesSet, world};

#[test]
fun a_member_makes_a_dataset() {
    let mut world = world::filled();
    world.create_dataset(world::owner(0), world::salt());
    let dataset = world.take_dataset(1);
    assert!(dataset.dao_id() == fixtures::dao_id());
    assert!(dataset.dataset_id() != fixtures::dataset_id());
    assert!(dataset.metadata_hash() == @0xda7a);
    assert!(dataset.contribution_count() == 0);
    assert!(dataset.answer_rules() == world::answer_rules());
    ts::return_shared(dataset);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ERoleRequired)]
fun a_stranger_makes_none() {
    let mut world = world::founded();
    world.create_dataset(world::stranger(), world::salt());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EIdTaken)]
fun a_dataset_id_is_taken_once() {
    let mut world = world::founded();
    world.create_dataset(world::founder(), world::salt());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::EWrongDao)]
fun another_dao_decides_nothing() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.create_dao(@0x2, world::policy());
    world.next(world::founder());
    let mut dao = world.take_dao(1);
    let mut dataset = world.take_dataset(0);
    let id = fixtures::contribution_ids()[0];
    contribution::decide(&mut dataset, &mut dao, id, true, world.ctx());
    ts::return_shared(dataset);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::EDatasetFull)]
fun a_dataset_has_a_limit() {
    let mut world = world::founded();
    let mut dataset = world.take_dataset(0);
    dataset.fill_for_testing();
    ts::return_shared(dataset);
    world.contribute(world::owner(0), world::salt());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_dataset_of_another_version_is_refused() {
    let mut world = world::filled();
    let mut dataset = world.take_dataset(0);
    dataset.set_version_for_testing(2);
    ts::return_shared(dataset);
    world.revoke(world::owner(0), fixtures::grant_ids()[0]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun no_grant_in_a_dataset_of_another_version() {
    let mut world = world::filled();
    let mut dataset = world.take_dataset(0);
    dataset.set_version_for_testing(2);
    ts::return_shared(dataset);
    world.grant(0, @0x2);
    world.end();
}

// === What answers may show ===

#[test]
fun a_steward_sets_what_answers_may_show() {
    let mut world = world::filled();
    let rules = answer_rules::new(300, 5, 10_000);
    world.set_answer_rules(world::founder(), 0, rules);
    assert!(event::events_by_type<AnswerRulesSet>().length() == 1);
    world.next(world::stranger());
    let dataset = world.take_dataset(0);
    assert!(dataset.answer_rules() == rules);
    let rules = dataset.answer_rules();
    assert!(rules.max_quote_chars() == 300 && rules.min_contributors() == 5);
    assert!(rules.max_reach_bps() == 10_000);
    ts::return_shared(dataset);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ERoleRequired)]
fun an_owner_of_data_does_not() {
    let mut world = world::filled();
    world.set_answer_rules(world::owner(0), 0, world::answer_rules());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun nobody_does_in_a_pause() {
    let mut world = world::filled();
    world.pause(0);
    world.set_answer_rules(world::founder(), 0, world::answer_rules());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun nobody_does_for_a_dataset_that_is_retired() {
    let mut world = world::filled();
    world.tombstone_dataset();
    world.set_answer_rules(world::founder(), 0, world::answer_rules());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::EWrongDao)]
fun a_steward_of_another_dao_does_not() {
    let mut world = world::filled();
    world.create_dao(@0x2, world::policy());
    world.set_answer_rules(world::founder(), 1, world::answer_rules());
    world.end();
}

#[test]
fun a_reach_is_up_to_the_whole() {
    answer_rules::new(0, 0, 0);
    answer_rules::new(4_294_967_295, 65_535, 10_000);
}

#[test, expected_failure(abort_code = usufruct::answer_rules::EReach)]
fun no_reach_is_above_the_whole() {
    answer_rules::new(0, 0, 10_001);
}
