#[test_only]
module usufruct::usage_receipt_tests;

use sui::test_scenario as ts;
use usufruct::{fixtures::{Self, Receipt}, policy, world::{Self, World}};

const OTHER: address = @0x2;

/// One minute after the job was funded, when the fixtures' receipts are issued.
fun asked(): World {
    let mut world = world::ready();
    world.advance(world::minute_ms());
    world
}

fun settle(receipt: Receipt) {
    let mut world = asked();
    world.settle(receipt);
    world.end();
}

fun settle_after(ms: u64, receipt: Receipt) {
    let mut world = world::ready();
    world.advance(ms);
    world.settle(receipt);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::EReceiptConsumed)]
fun a_question_is_paid_once() {
    let mut world = asked();
    world.settle(fixtures::receipt_first());
    world.settle(fixtures::receipt_first());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::EReceiptConsumed)]
/// Another receipt of the same question, over the last millisecond of the term.
fun a_second_receipt_of_a_question_pays_nothing() {
    let mut world = asked();
    world.settle(fixtures::receipt_first());
    world.advance(9 * world::minute_ms());
    world.settle(fixtures::receipt_last_moment());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptSignature)]
fun a_receipt_is_signed() {
    let mut world = asked();
    let (bytes, mut signature, contributions, grants, weights) = fixtures::receipt_first().unpack();
    *&mut signature[0] = signature[0] ^ 1;
    world.settle_with(bytes, signature, contributions, grants, weights);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptSignature)]
fun a_signature_is_over_this_receipt() {
    let mut world = asked();
    let (bytes, _, contributions, grants, weights) = fixtures::receipt_first().unpack();
    let (_, signature, _, _, _) = fixtures::receipt_second().unpack();
    world.settle_with(bytes, signature, contributions, grants, weights);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptMalformed)]
fun a_receipt_has_no_trailing_bytes() {
    let mut world = asked();
    let (mut bytes, signature, contributions, grants, weights) = fixtures::receipt_first().unpack();
    bytes.push_back(0);
    world.settle_with(bytes, signature, contributions, grants, weights);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptMalformed)]
fun a_receipt_is_text_where_it_says_so() {
    let mut world = asked();
    let (mut bytes, signature, contributions, grants, weights) = fixtures::receipt_first().unpack();
    *&mut bytes[1] = 0xff;
    world.settle_with(bytes, signature, contributions, grants, weights);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptMalformed)]
fun a_receipt_is_not_long() {
    settle(fixtures::receipt_longer());
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptElsewhere)]
fun a_receipt_is_for_this_chain() {
    settle(fixtures::receipt_other_chain());
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptElsewhere)]
fun a_receipt_is_for_this_package() {
    settle(fixtures::receipt_other_package());
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptElsewhere)]
fun a_receipt_is_for_this_registry() {
    settle(fixtures::receipt_other_registry());
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EWrongJob)]
fun a_receipt_is_for_this_job() {
    settle(fixtures::receipt_other_job());
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptTime)]
fun a_receipt_is_not_older_than_its_job() {
    settle(fixtures::receipt_before_job());
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptTime)]
fun a_receipt_is_not_from_the_future() {
    settle(fixtures::receipt_future());
}

#[test]
/// A minute ahead is what a runner's clock may be.
fun a_runners_clock_may_be_ahead() {
    settle_after(0, fixtures::receipt_first());
}

#[test, expected_failure(abort_code = usufruct::job::EExpired)]
fun a_receipt_is_issued_within_the_jobs_term() {
    settle_after(10 * world::minute_ms(), fixtures::receipt_after_term());
}

#[test]
fun a_receipt_of_the_last_moment_is_settled_half_an_hour_later() {
    settle_after(40 * world::minute_ms() - 1, fixtures::receipt_last_moment());
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptStale)]
fun a_receipt_is_not_settled_later() {
    settle_after(40 * world::minute_ms(), fixtures::receipt_last_moment());
}

#[test, expected_failure(abort_code = usufruct::job::EExpired)]
fun nothing_is_settled_once_the_money_went_back() {
    let mut world = world::ready();
    world.advance(10 * world::minute_ms());
    world.expire();
    world.settle(fixtures::receipt_last_moment());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::EClosed)]
fun nothing_is_settled_once_the_job_is_closed() {
    let mut world = asked();
    world.close(world::requester());
    world.settle(fixtures::receipt_first());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::ESignerKind)]
fun a_tee_signs() {
    settle(fixtures::receipt_mpc());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::ENotRegistered)]
fun a_registered_runner_signs() {
    settle(fixtures::receipt_impostor());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::ERegistrationExpired)]
/// Registered for five minutes, issued in the last millisecond of ten.
fun a_runner_signs_while_it_is_registered() {
    let mut world = world::filled();
    world.register_runner(fixtures::statement_short(), fixtures::statement_short_signatures());
    world.fund();
    world.advance(10 * world::minute_ms());
    world.settle(fixtures::receipt_last_moment());
    world.end();
}

#[test]
/// Registered for five minutes, issued after one, settled after six.
fun what_was_signed_in_time_is_paid() {
    let mut world = world::filled();
    world.register_runner(fixtures::statement_short(), fixtures::statement_short_signatures());
    world.fund();
    world.advance(6 * world::minute_ms());
    world.settle(fixtures::receipt_first());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EMeasurementRefused)]
fun a_withdrawn_measurement_is_not_paid() {
    let mut world = asked();
    let set_id = fixtures::holder_set_id();
    let (profile, measurement) = (world::text(b"tdx"), world::other_measurement());
    let policy = world::policy_with(world::price(), profile, measurement, set_id, 2);
    world.set_policy(world::founder(), 1, policy);
    world.settle(fixtures::receipt_first());
    world.end();
}

#[test]
/// The DAO gives everything to the treasury after the job was funded: 70 percent still go to the contributors.
fun the_split_is_that_of_the_funding() {
    let mut world = asked();
    let policy = policy::new(
        world::price(),
        vector[world::text(b"DUO:0000042")],
        vector[0],
        vector[0],
        policy::revenue_split(0, 10_000, 0, 0),
        fixtures::holder_set_id(),
        policy::appraisal(1, vector[world::text(b"tdx")], vector[world::measurement()], 600_000),
        2,
        600_000,
        true,
        false,
        false,
    );
    world.set_policy(world::founder(), 1, policy);
    world.settle(fixtures::receipt_first());
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.treasury_units() == 200_000);
    ts::return_shared(dao);
    assert!(world.collect(world::owner(0)) == 233_334);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_use::EUsesCommitment)]
fun the_uses_are_those_of_the_receipt() {
    let mut world = asked();
    let (bytes, signature, contributions, grants, mut weights) = fixtures::receipt_first().unpack();
    *&mut weights[0] = 2;
    world.settle_with(bytes, signature, contributions, grants, weights);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_use::EUseLists)]
fun every_use_has_a_grant() {
    let mut world = asked();
    let (bytes, signature, contributions, mut grants, weights) = fixtures::receipt_first().unpack();
    grants.push_back(OTHER);
    world.settle_with(bytes, signature, contributions, grants, weights);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_use::EUseLists)]
fun every_use_has_a_weight() {
    let mut world = asked();
    let (bytes, signature, contributions, grants, mut weights) = fixtures::receipt_first().unpack();
    weights.push_back(1);
    world.settle_with(bytes, signature, contributions, grants, weights);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_use::EUseLists)]
fun there_are_not_too_many_uses() {
    settle(fixtures::receipt_many());
}

#[test, expected_failure(abort_code = usufruct::data_use::EUsesOrder)]
fun uses_are_in_order() {
    settle(fixtures::receipt_descending());
}

#[test, expected_failure(abort_code = usufruct::data_use::EUsesWeight)]
fun something_was_used() {
    settle(fixtures::receipt_weightless());
}

#[test, expected_failure(abort_code = usufruct::contribution::ENoContribution)]
fun what_was_used_belongs_to_the_dataset() {
    settle(fixtures::receipt_stranger());
}

#[test, expected_failure(abort_code = usufruct::grant::EGrantRequired)]
fun what_was_used_was_granted() {
    settle(fixtures::receipt_no_grant());
}

#[test, expected_failure(abort_code = usufruct::grant::EGrantRequired)]
fun what_was_used_was_granted_itself() {
    settle(fixtures::receipt_other_grant());
}

#[test, expected_failure(abort_code = usufruct::grant::ERevoked)]
/// Revoked in the minute in which the receipt was issued.
fun a_use_after_the_revocation_is_not_paid() {
    let mut world = asked();
    world.revoke(world::owner(0), fixtures::grant_ids()[0]);
    world.settle(fixtures::receipt_first());
    world.end();
}

#[test]
fun a_use_before_the_revocation_is_paid() {
    let mut world = asked();
    world.advance(1);
    world.revoke(world::owner(0), fixtures::grant_ids()[0]);
    world.settle(fixtures::receipt_first());
    assert!(world.collect(world::owner(0)) == 233_334);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::EGrantRequired)]
/// Given a minute and a millisecond after the use.
fun a_grant_does_not_come_afterwards() {
    let mut world = world::founded();
    let mut i = 0;
    while (i < 3) {
        world.contribute(world::owner(i), world::salt());
        world.decide(world::founder(), i, true);
        i = i + 1;
    };
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.fund();
    world.advance(2 * world::minute_ms() + 1);
    world.grant(0, world::salt());
    world.grant(1, world::salt());
    world.grant(2, world::salt());
    world.settle(fixtures::receipt_first());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EPrice)]
fun the_price_is_the_jobs() {
    settle(fixtures::receipt_cheap());
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EPrice)]
fun nothing_is_charged_for_nothing() {
    settle(fixtures::receipt_charged_for_nothing());
}

#[test]
fun a_budget_is_spent() {
    settle(fixtures::receipt_budget());
}

#[test, expected_failure(abort_code = usufruct::grant::EBudgetExhausted)]
/// 600 and 401 of 1,000.
fun a_budget_is_not_spent_twice() {
    let mut world = asked();
    world.settle(fixtures::receipt_budget());
    world.settle(fixtures::receipt_budget_again());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_job_of_another_version_is_not_settled() {
    let mut world = asked();
    world.next(world::stranger());
    let mut job = world.take_job(0);
    job.set_version_for_testing(2);
    ts::return_shared(job);
    world.settle(fixtures::receipt_first());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_registry_of_another_version_settles_nothing() {
    let mut world = asked();
    world.next(world::stranger());
    let mut registry = world.take_registry();
    registry.set_version_for_testing(2);
    ts::return_shared(registry);
    world.settle(fixtures::receipt_first());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_use::EUsesOrder)]
/// 64 uses are counted; these are refused because they are all the same.
fun there_may_be_many_uses() {
    settle(fixtures::receipt_most());
}

#[test]
fun a_receipt_may_be_as_long_as_the_limit() {
    settle(fixtures::receipt_longest());
}

#[test]
fun a_runners_clock_may_be_behind() {
    settle(fixtures::receipt_skewed());
}

#[test]
/// 600 and 400 of 1,000.
fun a_budget_may_be_spent_to_its_end() {
    let mut world = asked();
    world.settle(fixtures::receipt_budget());
    world.settle(fixtures::receipt_budget_rest());
    world.end();
}

#[test]
/// Given a minute after the use: as far as the clocks may be apart.
fun a_grant_may_seem_later_by_the_clocks() {
    let mut world = world::founded();
    let mut i = 0;
    while (i < 3) {
        world.contribute(world::owner(i), world::salt());
        world.decide(world::founder(), i, true);
        i = i + 1;
    };
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.fund();
    world.advance(2 * world::minute_ms());
    world.grant(0, world::salt());
    world.grant(1, world::salt());
    world.grant(2, world::salt());
    world.settle(fixtures::receipt_first());
    world.end();
}
