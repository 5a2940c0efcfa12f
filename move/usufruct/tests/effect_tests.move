#[test_only]
/// Each effect has the bytes of the protocol library's, is refused at once when it could never be executed, and does
/// one thing when it is.
module usufruct::effect_tests;

use std::{bcs, string::String};
use sui::test_scenario as ts;
use usufruct::{
    effect,
    fixtures,
    governance,
    governance_fixtures,
    payout_rules,
    policy::{Self, Policy},
    world::{Self, World}
};

fun other_measurement(): String {
    world::other_measurement()
}

fun terms(): vector<String> {
    vector[world::text(b"snp"), world::text(b"tdx")]
}

/// What the policy is after an effect: the bytes of one made in the ordinary way are the same.
fun assert_policy(world: &mut World, version: u32, expected: Policy) {
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.policy_version() == version && dao.policy() == &expected);
    assert!(dao.policy_digest() == expected.digest());
    ts::return_shared(dao);
}

#[test]
fun effects_serialise_as_the_protocol_library_does() {
    assert!(bcs::to_bytes(&effect::set_price(7)) == governance_fixtures::set_price());
    let purposes = vector[world::text(b"DUO:0000042"), world::text(b"dpv:Marketing")];
    assert!(bcs::to_bytes(&effect::set_purposes(purposes)) == governance_fixtures::set_purposes());
    let split = policy::revenue_split(5_000, 3_000, 1_500, 500);
    assert!(bcs::to_bytes(&effect::set_split(split)) == governance_fixtures::set_split());
    let approve = effect::approve_measurement(other_measurement());
    assert!(bcs::to_bytes(&approve) == governance_fixtures::approve_measurement());
    let withdraw = effect::withdraw_measurement(world::measurement());
    assert!(bcs::to_bytes(&withdraw) == governance_fixtures::withdraw_measurement());
    let verifiers = effect::set_verifiers(governance_fixtures::other_holder_set_id(), 3);
    assert!(bcs::to_bytes(&verifiers) == governance_fixtures::set_verifiers());
    let terms = effect::set_terms(vector[0, 1], vector[1, 2], terms(), 1_008, 1_009);
    assert!(bcs::to_bytes(&terms) == governance_fixtures::set_terms());
    let governance = governance::new(1, 2_001, 5_002, 1_003, 1_004, 1_005, true);
    assert!(
        bcs::to_bytes(&effect::set_governance(governance)) == governance_fixtures::set_governance(),
    );
    let rules = payout_rules::new(1, 1_006, 1_007, 1);
    assert!(
        bcs::to_bytes(&effect::set_payout_rules(rules)) == governance_fixtures::set_payout_rules(),
    );
    let spend = effect::spend_treasury(world::stranger(), 1_010);
    assert!(bcs::to_bytes(&spend) == governance_fixtures::spend_treasury());
    let roles = effect::set_roles(world::stranger(), 5);
    assert!(bcs::to_bytes(&roles) == governance_fixtures::set_roles());
    assert!(bcs::to_bytes(&effect::unpause()) == governance_fixtures::unpause());
    let write_off = effect::write_off_receipts(1_011, 1_012);
    assert!(bcs::to_bytes(&write_off) == governance_fixtures::write_off_receipts());
    let data_rules = effect::set_data_rules(false, true, false);
    assert!(bcs::to_bytes(&data_rules) == governance_fixtures::set_data_rules());
}

// === Refused when made ===

#[test, expected_failure(abort_code = usufruct::checks::EPurposeCode)]
fun a_purpose_in_words_is_none() {
    effect::set_purposes(vector[world::text(b"research")]);
}

#[test, expected_failure(abort_code = usufruct::policy::EMeasurement)]
fun a_short_measurement_is_not_approved() {
    effect::approve_measurement(world::text(b"abcd"));
}

#[test, expected_failure(abort_code = usufruct::policy::EMeasurement)]
fun a_short_measurement_is_not_withdrawn() {
    effect::withdraw_measurement(world::text(b"abcd"));
}

#[test, expected_failure(abort_code = usufruct::policy::EVerifierThreshold)]
fun somebody_must_verify() {
    effect::set_verifiers(@0x1, 0);
}

#[test, expected_failure(abort_code = usufruct::checks::EKindCode)]
fun a_fourth_kind_is_none() {
    effect::set_terms(vector[3], vector[0], terms(), 1, 1);
}

#[test, expected_failure(abort_code = usufruct::checks::EKindCode)]
fun a_fourth_protection_is_none() {
    effect::set_terms(vector[0], vector[3], terms(), 1, 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EProfile)]
fun the_software_profile_is_none() {
    effect::set_terms(vector[0], vector[0], vector[world::text(b"software-dev")], 1, 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EResultTerm)]
fun results_expire() {
    effect::set_terms(vector[0], vector[0], terms(), 0, 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EJobTerm)]
fun jobs_have_a_term() {
    effect::set_terms(vector[0], vector[0], terms(), 1, 0);
}

#[test, expected_failure(abort_code = usufruct::effect::ENothingSpent)]
fun nothing_is_not_spent() {
    effect::spend_treasury(@0x1, 0);
}

#[test, expected_failure(abort_code = usufruct::membership::EUnknownRole)]
fun there_is_no_fourth_role() {
    effect::set_roles(@0x1, 8);
}

#[test, expected_failure(abort_code = usufruct::effect::EReceiptRun)]
fun receipts_are_numbered_from_one() {
    effect::write_off_receipts(0, 1);
}

#[test, expected_failure(abort_code = usufruct::effect::EReceiptRun)]
fun a_run_of_none_is_not_written_off() {
    effect::write_off_receipts(2, 1);
}

#[test]
fun a_run_may_be_of_one() {
    effect::write_off_receipts(1, 1);
}

// === Executed ===

#[test]
fun each_changes_one_thing_of_the_policy() {
    let mut world = world::filled();
    let set_id = fixtures::holder_set_id();
    let (tdx, price) = (world::text(b"tdx"), world::price());
    world.decide_by_vote(effect::set_price(9));
    let priced = world::policy_with(9, tdx, world::measurement(), set_id, 2);
    assert_policy(&mut world, 2, priced);
    world.decide_by_vote(effect::set_price(price));
    world.decide_by_vote(effect::set_verifiers(set_id, 3));
    let verified = world::policy_with(price, tdx, world::measurement(), set_id, 3);
    assert_policy(&mut world, 4, verified);
    world.end();
}

#[test]
/// Every change of the appraisal policy has a version of its own.
fun measurements_come_and_go() {
    let mut world = world::filled();
    world.decide_by_vote(effect::approve_measurement(other_measurement()));
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.policy().approves_measurement(&world::measurement()));
    assert!(dao.policy().approves_measurement(&other_measurement()));
    let both = dao.policy().appraisal_digest();
    ts::return_shared(dao);
    world.decide_by_vote(effect::withdraw_measurement(world::measurement()));
    let only = policy::appraisal(
        3,
        vector[world::text(b"tdx")],
        vector[other_measurement()],
        700 * 60_000,
    );
    let policy = policy::new(
        world::price(),
        vector[world::text(b"DUO:0000042"), world::text(b"dpv:ResearchAndDevelopment")],
        vector[0, 2],
        vector[0, 1],
        policy::revenue_split(7_000, 2_000, 800, 200),
        fixtures::holder_set_id(),
        only,
        2,
        30 * world::minute_ms(),
        true,
        false,
        false,
    );
    assert_policy(&mut world, 3, policy);
    world.decide_by_vote(effect::approve_measurement(world::measurement()));
    let dao = world.take_dao(0);
    assert!(dao.policy().appraisal_digest() != both);
    ts::return_shared(dao);
    world.end();
}

#[test]
fun purposes_split_and_terms_change() {
    let mut world = world::filled();
    let purposes = vector[world::text(b"dpv:Marketing")];
    let split = policy::revenue_split(5_000, 3_000, 1_500, 500);
    world.decide_by_vote(effect::set_purposes(purposes));
    world.decide_by_vote(effect::set_split(split));
    world.decide_by_vote(effect::set_terms(vector[1], vector[2], terms(), 1_008, 1_009));
    let appraisal = policy::appraisal(2, terms(), vector[world::measurement()], 1_008);
    let (price, set_id) = (world::price(), fixtures::holder_set_id());
    let policy = policy::new(
        price,
        purposes,
        vector[1],
        vector[2],
        split,
        set_id,
        appraisal,
        2,
        1_009,
        true,
        false,
        false,
    );
    assert_policy(&mut world, 4, policy);
    world.end();
}

fun assert_data_rules(world: &mut World, cancels: bool, permanent: bool, pays: bool) {
    world.next(world::stranger());
    let dao = world.take_dao(0);
    let policy = dao.policy();
    assert!(policy.cancels_on_revocation() == cancels);
    assert!(policy.has_permanent_blobs() == permanent);
    assert!(policy.pays_self_queries() == pays);
    ts::return_shared(dao);
}

#[test]
fun data_rules_change_and_nothing_else_does() {
    let mut world = world::filled();
    assert_data_rules(&mut world, true, false, false);
    world.decide_by_vote(effect::set_data_rules(false, true, false));
    assert_data_rules(&mut world, false, true, false);
    world.decide_by_vote(effect::set_data_rules(false, false, true));
    assert_data_rules(&mut world, false, false, true);
    world.decide_by_vote(effect::set_data_rules(true, false, false));
    assert_policy(&mut world, 4, world::policy());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::policy::EMeasurementApproved)]
fun a_measurement_is_approved_once() {
    let mut world = world::filled();
    world.decide_by_vote(effect::approve_measurement(world::measurement()));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::policy::EMeasurementNotApproved)]
fun only_what_is_approved_is_withdrawn() {
    let mut world = world::filled();
    world.decide_by_vote(effect::withdraw_measurement(other_measurement()));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::ENotASet)]
fun the_last_measurement_stays() {
    let mut world = world::filled();
    world.decide_by_vote(effect::withdraw_measurement(world::measurement()));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::policy::EAppraisalVersion)]
fun versions_of_the_appraisal_policy_end() {
    let mut world = world::filled();
    let measurements = vector[world::measurement()];
    let appraisal = policy::appraisal(4_294_967_295, vector[world::text(b"tdx")], measurements, 1);
    let policy = policy::new(
        1,
        vector[world::text(b"DUO:0000042")],
        vector[0],
        vector[0],
        policy::revenue_split(10_000, 0, 0, 0),
        fixtures::holder_set_id(),
        appraisal,
        1,
        1,
        true,
        false,
        false,
    );
    world.set_policy(world::founder(), 1, policy);
    world.decide_by_vote(effect::approve_measurement(other_measurement()));
    world.end();
}

#[test]
/// To a second set, which the caller of `execute` has to bring.
fun a_dao_moves_to_another_holder_set() {
    let mut world = world::filled();
    world.create_holder_set(@0x2);
    let set = world.take_holder_set(1);
    let id = set.holder_set_id();
    ts::return_shared(set);
    let index = world.carry(effect::set_verifiers(id, 3));
    world.execute_with(0, 1, index);
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.policy().holder_set_id() == id && dao.policy().verifier_threshold() == 3);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EWrongHolderSet)]
fun the_set_is_the_one_that_the_policy_names_then() {
    let mut world = world::filled();
    world.decide_by_vote(effect::set_verifiers(@0x1, 1));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EVerifierThreshold)]
fun the_set_has_as_many_as_must_verify() {
    let mut world = world::filled();
    world.decide_by_vote(effect::set_verifiers(fixtures::holder_set_id(), 4));
    world.end();
}

#[test]
/// The treasury's part of a receipt of 1,000,001: 20 % are 200,000.2.
fun the_treasury_is_spent_by_vote() {
    let mut world = world::ready();
    world.advance(world::minute_ms());
    world.settle(fixtures::receipt_first());
    world.decide_by_vote(effect::spend_treasury(@0xbeef, 150_000));
    assert!(world.collect(@0xbeef) == 150_000);
    world.decide_by_vote(effect::spend_treasury(@0xbeef, 50_000));
    assert!(world.collect(@0xbeef) == 50_000);
    let dao = world.take_dao(0);
    assert!(dao.treasury_units() == 0);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::custody::EVaultShort)]
fun a_treasury_spends_what_it_has() {
    let mut world = world::ready();
    world.advance(world::minute_ms());
    world.settle(fixtures::receipt_first());
    world.decide_by_vote(effect::spend_treasury(@0xbeef, 200_001));
    world.end();
}

#[test]
fun governance_payout_rules_and_roles_change() {
    let mut world = world::filled();
    world.decide_by_vote(effect::set_payout_rules(payout_rules::new(1, 2, 3_000, 1)));
    world.decide_by_vote(effect::set_roles(world::owner(0), 5));
    world.decide_by_vote(effect::set_governance(world::governance_with(1, true)));
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.payout_rules() == &payout_rules::new(1, 2, 3_000, 1));
    assert!(dao.governance() == &world::governance_with(1, true));
    assert!(dao.roles_of(world::owner(0)) == 5 && dao.proposal_count() == 3);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EByVoteOnly)]
fun then_no_role_sets_the_policy() {
    let mut world = world::filled();
    world.decide_by_vote(effect::set_governance(world::governance_with(0, true)));
    world.set_policy(world::founder(), 1, world::policy());
    world.end();
}

#[test]
fun and_a_vote_still_does() {
    let mut world = world::filled_with(world::governance_with(0, true));
    world.decide_by_vote(effect::set_price(9));
    let dao = world.take_dao(0);
    assert!(dao.policy().price_per_question_units() == 9);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::membership::ENoMember)]
fun a_stranger_gets_no_role_by_vote() {
    let mut world = world::filled();
    world.decide_by_vote(effect::set_roles(world::stranger(), 1));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::membership::ELastAdministrator)]
fun one_administrator_stays_whatever_the_vote() {
    let mut world = world::filled();
    world.decide_by_vote(effect::set_roles(world::founder(), 6));
    world.end();
}

#[test]
fun a_vote_ends_a_pause() {
    let mut world = world::filled();
    world.pause(0);
    world.decide_by_vote(effect::unpause());
    world.fund();
    let dao = world.take_dao(0);
    assert!(!dao.is_paused());
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ENotPaused)]
fun only_a_pause_is_ended() {
    let mut world = world::filled();
    world.decide_by_vote(effect::unpause());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::effect::EOtherObjects)]
fun what_needs_other_objects_is_not_executed_without_them() {
    let mut world = world::filled();
    world.decide_by_vote(effect::tombstone_dataset(fixtures::dataset_id()));
    world.end();
}
