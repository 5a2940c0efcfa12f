#[test_only]
module usufruct::runner_registry_tests;

use sui::{event, test_scenario as ts};
use usufruct::{events, fixtures, runner_registry, world};

fun register(statement: vector<u8>, signatures: vector<vector<u8>>) {
    let mut world = world::founded();
    world.register_runner(statement, signatures);
    world.end();
}

fun register_with(members: vector<u8>, signatures: vector<vector<u8>>) {
    let mut world = world::founded();
    world.register_runner_with(0, fixtures::statement_good(), members, signatures);
    world.end();
}

#[test]
fun two_holders_register_a_runner() {
    let mut world = world::founded();
    let signatures = fixtures::statement_good_signatures();
    world.register_runner(fixtures::statement_good(), signatures);
    assert!(event::events_by_type<events::RunnerRegistered>().length() == 1);
    world.next(world::stranger());
    let dao = world.take_dao(0);
    let runner = dao.active_runner(fixtures::runner_id(), world::now_ms());
    assert!(runner.pay_to() == world::payee());
    assert!(runner.attested_address() == fixtures::attested_address());
    ts::return_shared(dao);
    world.end();
}

#[test]
/// 600 minutes by the first statement, 700 by the second.
fun registering_again_prolongs() {
    let mut world = world::founded();
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    let prolonged = fixtures::statement_prolonged();
    world.register_runner(prolonged, fixtures::statement_prolonged_signatures());
    world.next(world::stranger());
    let dao = world.take_dao(0);
    let last_ms = world::now_ms() + 700 * world::minute_ms() - 1;
    dao.active_runner(fixtures::runner_id(), last_ms);
    ts::return_shared(dao);
    world.end();
}

#[test]
/// Registered for 700 minutes; the other statement, for another payee, ends after 600.
fun an_older_statement_changes_nothing() {
    let mut world = world::founded();
    let prolonged = fixtures::statement_prolonged();
    world.register_runner(prolonged, fixtures::statement_prolonged_signatures());
    world.next(world::stranger());
    let older = fixtures::statement_other_payee();
    world.register_runner(older, fixtures::statement_other_payee_signatures());
    assert!(event::events_by_type<events::RunnerRegistered>().is_empty());
    world.next(world::stranger());
    let dao = world.take_dao(0);
    let last_ms = world::now_ms() + 700 * world::minute_ms() - 1;
    assert!(dao.active_runner(fixtures::runner_id(), last_ms).pay_to() == world::payee());
    ts::return_shared(dao);
    world.end();
}

#[test]
/// Both for 600 minutes: neither is older, and the runner itself signed either.
fun a_statement_of_the_same_end_replaces() {
    let mut world = world::founded();
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    let other = fixtures::statement_other_payee();
    world.register_runner(other, fixtures::statement_other_payee_signatures());
    assert!(event::events_by_type<events::RunnerRegistered>().length() == 1);
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.active_runner(fixtures::runner_id(), world::now_ms()).pay_to() == @0xb1);
    ts::return_shared(dao);
    world.end();
}

#[test]
fun any_two_holders_will_do() {
    let signatures = fixtures::statement_good_signatures();
    register_with(vector[2, 0], vector[signatures[2], signatures[0]]);
}

#[test]
fun all_holders_will_do() {
    register_with(vector[0, 1, 2], fixtures::statement_good_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EVerifiers)]
fun one_holder_is_not_enough() {
    register_with(vector[0], vector[fixtures::statement_good_signatures()[0]]);
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EVerifiers)]
fun one_holder_counts_once() {
    let signature = fixtures::statement_good_signatures()[0];
    register_with(vector[0, 0], vector[signature, signature]);
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EVerifiers)]
fun every_member_has_a_signature() {
    register_with(vector[0, 1, 2], vector[b"", b""]);
}

#[test, expected_failure(abort_code = usufruct::holder_set::ENoSuchMember)]
fun only_holders_verify() {
    let signatures = fixtures::statement_good_signatures();
    register_with(vector[0, 3], vector[signatures[0], signatures[1]]);
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EVerifierSignature)]
fun every_signature_is_its_holders() {
    let signatures = fixtures::statement_good_signatures();
    register_with(vector[0, 1], vector[signatures[0], signatures[2]]);
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EVerifierSignature)]
fun a_wrong_signature_among_enough_good_ones_is_refused() {
    let signatures = fixtures::statement_good_signatures();
    register_with(vector[0, 1, 2], vector[signatures[0], signatures[1], signatures[1]]);
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EVerifierSignature)]
fun a_signature_is_over_this_statement() {
    register(fixtures::statement_prolonged(), fixtures::statement_good_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EStatementMalformed)]
fun a_statement_has_no_trailing_bytes() {
    let mut statement = fixtures::statement_good();
    statement.push_back(0);
    register(statement, fixtures::statement_good_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EStatementMalformed)]
/// The first byte is the length of the chain id, 19. As 0x93 0x00 it means 19 as well, but is not canonical.
fun a_statement_has_one_serialisation() {
    let mut rest = fixtures::statement_good();
    assert!(rest.remove(0) == 19);
    let mut statement = x"9300";
    statement.append(rest);
    register(statement, fixtures::statement_good_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EStatementMalformed)]
fun a_statement_is_text_where_it_says_so() {
    let mut statement = fixtures::statement_good();
    *&mut statement[1] = 0xff;
    register(statement, fixtures::statement_good_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EStatementMalformed)]
fun a_statement_is_not_long() {
    register(fixtures::statement_longer(), fixtures::statement_longer_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EStatementElsewhere)]
fun a_statement_is_for_this_chain() {
    register(fixtures::statement_other_chain(), fixtures::statement_other_chain_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EStatementElsewhere)]
fun a_statement_is_for_this_dao() {
    register(fixtures::statement_other_dao(), fixtures::statement_other_dao_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EPolicyOutdated)]
fun a_statement_is_for_the_current_policy() {
    register(fixtures::statement_other_policy(), fixtures::statement_other_policy_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EMeasurementRefused)]
fun a_measurement_is_approved() {
    let statement = fixtures::statement_other_measurement();
    register(statement, fixtures::statement_other_measurement_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EProfileRefused)]
fun a_profile_is_approved() {
    register(fixtures::statement_other_profile(), fixtures::statement_other_profile_signatures());
}

#[test, expected_failure(abort_code = usufruct::checks::EKeyInvalid)]
fun a_runner_has_a_key() {
    register(fixtures::statement_zero_key(), fixtures::statement_zero_key_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EStatementTerm)]
fun a_statement_is_not_from_the_future() {
    register(fixtures::statement_future(), fixtures::statement_future_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EStatementTerm)]
/// 700 minutes and a millisecond.
fun a_statement_is_valid_for_the_policys_term_at_most() {
    register(fixtures::statement_too_long(), fixtures::statement_too_long_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EStatementExpired)]
fun a_statement_expires() {
    register(fixtures::statement_expired(), fixtures::statement_expired_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::ENotRegistered)]
fun a_stranger_is_no_runner() {
    let world = world::founded();
    let dao = world.take_dao(0);
    dao.active_runner(fixtures::runner_id(), world::now_ms());
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::runner_registry::ERegistrationExpired)]
fun a_registration_expires() {
    let mut world = world::founded();
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.next(world::stranger());
    let dao = world.take_dao(0);
    let expired_ms = world::now_ms() + 600 * world::minute_ms();
    dao.active_runner(fixtures::runner_id(), expired_ms);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EWrongHolderSet)]
fun another_set_does_not_verify() {
    let mut world = world::founded();
    world.create_holder_set(@0x2);
    let signatures = fixtures::statement_good_signatures();
    world.register_runner_with(1, fixtures::statement_good(), vector[0, 1, 2], signatures);
    world.end();
}

#[test]
fun a_verifiers_clock_may_be_ahead() {
    register(fixtures::statement_skewed(), fixtures::statement_skewed_signatures());
}

#[test]
fun a_statement_may_be_valid_for_the_policys_term() {
    register(fixtures::statement_prolonged(), fixtures::statement_prolonged_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EStatementTerm)]
/// Even if no registration may be longer anywhere, this policy's are shorter.
fun a_statement_of_a_day_is_too_long_for_a_shorter_policy() {
    register(fixtures::statement_a_day(), fixtures::statement_a_day_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EProfileRefused)]
/// 2,048 bytes are read; what they say is refused for something else.
fun a_statement_may_be_as_long_as_the_limit() {
    let statement = fixtures::statement_longest();
    assert!(statement.length() == 2_048);
    register(statement, fixtures::statement_longest_signatures());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EWithdrawn)]
fun a_runner_is_withdrawn_once() {
    let mut registry = runner_registry::empty(&mut tx_context::dummy());
    registry.withdraw(@0xda0, fixtures::runner_id());
    registry.withdraw(@0xda0, fixtures::runner_id());
    abort 0
}
