#[test_only]
module usufruct::data_dao_tests;

use sui::test_scenario as ts;
use usufruct::{data_dao::PauseCap, fixtures, policy::Policy, world};

fun policy_of(price_units: u64): Policy {
    world::policy_with(
        price_units,
        world::text(b"tdx"),
        world::measurement(),
        fixtures::holder_set_id(),
        3,
    )
}

#[test]
fun the_founder_has_every_role() {
    let world = world::founded();
    let dao = world.take_dao(0);
    assert!(dao.dao_id() == fixtures::dao_id());
    assert!(dao.founder() == world::founder());
    assert!(dao.roles_of(world::founder()) == 7);
    assert!(dao.roles_of(world::stranger()) == 0 && !dao.is_member(world::stranger()));
    assert!(dao.policy_version() == 1 && dao.policy_digest() == fixtures::policy_digest());
    assert!(dao.treasury_units() == 0 && !dao.is_paused());
    assert!(dao.metadata_hash() == @0x3e7a);
    ts::return_shared(dao);
    world.end();
}

#[test]
fun a_policy_has_versions() {
    let mut world = world::founded();
    world.set_policy(world::founder(), 1, policy_of(5));
    world.set_policy(world::founder(), 2, policy_of(6));
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.policy_version() == 3);
    assert!(dao.policy().price_per_question_units() == 6);
    assert!(dao.policy_digest() == policy_of(6).digest());
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPolicyOutdated)]
fun a_policy_is_set_on_the_version_that_was_seen() {
    let mut world = world::founded();
    world.set_policy(world::founder(), 1, policy_of(5));
    world.set_policy(world::founder(), 1, policy_of(6));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ERoleRequired)]
fun a_stranger_sets_no_policy() {
    let mut world = world::founded();
    world.set_policy(world::stranger(), 1, policy_of(5));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EWrongHolderSet)]
fun a_policy_names_a_set_that_there_is() {
    let mut world = world::founded();
    let policy = world::policy_with(1, world::text(b"tdx"), world::measurement(), @0x1, 1);
    world.set_policy(world::founder(), 1, policy);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EVerifierThreshold)]
fun a_policy_demands_no_more_verifiers_than_there_are() {
    let mut world = world::founded();
    let set_id = fixtures::holder_set_id();
    let policy = world::policy_with(1, world::text(b"tdx"), world::measurement(), set_id, 4);
    world.create_dao(@0x2, policy);
    world.end();
}

#[test]
fun members_come_by_application() {
    let mut world = world::founded();
    world.apply(world::stranger());
    world.decide_application(world::founder(), world::stranger(), false);
    world.apply(world::stranger());
    world.decide_application(world::founder(), world::stranger(), true);
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.is_member(world::stranger()) && dao.roles_of(world::stranger()) == 0);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EAlreadyApplied)]
fun an_application_waits() {
    let mut world = world::founded();
    world.apply(world::stranger());
    world.apply(world::stranger());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EAlreadyMember)]
fun a_member_does_not_apply() {
    let mut world = world::founded();
    world.apply(world::founder());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ENoApplication)]
fun an_application_is_decided_once() {
    let mut world = world::founded();
    world.apply(world::stranger());
    world.decide_application(world::founder(), world::stranger(), true);
    world.decide_application(world::founder(), world::stranger(), true);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ERoleRequired)]
fun nobody_accepts_himself() {
    let mut world = world::founded();
    world.apply(world::stranger());
    world.decide_application(world::stranger(), world::stranger(), true);
    world.end();
}

#[test]
/// A steward (4) decides; an administrator (1) gives roles; either without the other's.
fun roles_are_separate() {
    let mut world = world::filled();
    world.set_roles(world::founder(), world::owner(0), 4);
    world.apply(world::stranger());
    world.decide_application(world::owner(0), world::stranger(), true);
    world.set_roles(world::founder(), world::owner(1), 1);
    world.set_roles(world::owner(1), world::founder(), 2);
    world.set_policy(world::founder(), 1, policy_of(5));
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.roles_of(world::founder()) == 2);
    assert!(dao.roles_of(world::owner(0)) == 4);
    assert!(dao.roles_of(world::owner(1)) == 1);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ERoleRequired)]
fun a_steward_gives_no_roles() {
    let mut world = world::filled();
    world.set_roles(world::founder(), world::owner(0), 6);
    world.set_roles(world::owner(0), world::owner(0), 7);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ERoleRequired)]
fun an_administrator_sets_no_policy() {
    let mut world = world::filled();
    world.set_roles(world::founder(), world::owner(0), 5);
    world.set_policy(world::owner(0), 1, policy_of(5));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ERoleRequired)]
fun a_policy_maker_decides_no_application() {
    let mut world = world::filled();
    world.set_roles(world::founder(), world::owner(0), 3);
    world.apply(world::stranger());
    world.decide_application(world::owner(0), world::stranger(), true);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ERoleRequired)]
fun a_role_that_was_taken_is_gone() {
    let mut world = world::filled();
    world.set_roles(world::founder(), world::owner(0), 7);
    world.set_roles(world::founder(), world::owner(0), 0);
    world.set_policy(world::owner(0), 1, policy_of(5));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::membership::ELastAdministrator)]
fun one_administrator_stays() {
    let mut world = world::founded();
    world.set_roles(world::founder(), world::founder(), 6);
    world.end();
}

#[test]
fun an_administrator_may_keep_the_role() {
    let mut world = world::founded();
    world.set_roles(world::founder(), world::founder(), 1);
    world.set_roles(world::founder(), world::founder(), 7);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::membership::EUnknownRole)]
fun there_are_three_roles() {
    let mut world = world::founded();
    world.set_roles(world::founder(), world::founder(), 8);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::membership::ENoMember)]
fun a_stranger_gets_no_role() {
    let mut world = world::founded();
    world.set_roles(world::founder(), world::stranger(), 1);
    world.end();
}

#[test]
fun a_pause_lets_everybody_leave() {
    let mut world = world::ready();
    world.pause(0);
    world.revoke(world::owner(0), fixtures::grant_ids()[0]);
    world.set_policy(world::founder(), 1, policy_of(5));
    world.close(world::requester());
    assert!(world.collect(world::requester()) == 3 * world::price());
    let dao = world.take_dao(0);
    assert!(dao.is_paused());
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_pause_stops_settlements() {
    let mut world = world::ready();
    world.advance(world::minute_ms());
    world.pause(0);
    world.settle(fixtures::receipt_first());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_pause_stops_key_releases() {
    let mut world = world::ready();
    world.pause(0);
    let contribution = fixtures::contribution_ids()[0];
    let grant = fixtures::grant_ids()[0];
    world.seal_approve(fixtures::attested_address(), contribution.to_bytes(), contribution, grant);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_pause_stops_jobs() {
    let mut world = world::filled();
    world.pause(0);
    world.fund();
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_pause_stops_contributions() {
    let mut world = world::founded();
    world.pause(0);
    world.contribute(world::owner(0), world::salt());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_pause_stops_decisions() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.pause(0);
    world.decide(world::founder(), 0, true);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_pause_stops_runners() {
    let mut world = world::founded();
    world.pause(0);
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_pause_stops_applications() {
    let mut world = world::founded();
    world.pause(0);
    world.apply(world::stranger());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_pause_stops_acceptance() {
    let mut world = world::founded();
    world.apply(world::stranger());
    world.pause(0);
    world.decide_application(world::founder(), world::stranger(), true);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_pause_stops_datasets() {
    let mut world = world::founded();
    world.pause(0);
    world.create_dataset(world::founder(), @0x2);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_dao_is_paused_once() {
    let mut world = world::founded();
    world.pause(0);
    world.pause(0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EWrongCap)]
/// The founder's last capability is the second DAO's.
fun a_cap_pauses_its_own_dao() {
    let mut world = world::founded();
    world.create_dao(@0x2, world::policy());
    world.next(world::founder());
    let mut dao = world.take_dao(0);
    let cap: PauseCap = world.take_from_sender();
    dao.pause(&cap);
    world.return_to_sender(cap);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_dao_of_another_version_is_refused() {
    let mut world = world::founded();
    let mut dao = world.take_dao(0);
    dao.set_version_for_testing(2);
    ts::return_shared(dao);
    world.apply(world::stranger());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_policy_of_another_version_is_refused() {
    let mut world = world::founded();
    let mut dao = world.take_dao(0);
    dao.set_version_for_testing(2);
    ts::return_shared(dao);
    world.set_policy(world::founder(), 1, policy_of(5));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun roles_of_another_version_are_refused() {
    let mut world = world::founded();
    let mut dao = world.take_dao(0);
    dao.set_version_for_testing(2);
    ts::return_shared(dao);
    world.set_roles(world::founder(), world::founder(), 7);
    world.end();
}
