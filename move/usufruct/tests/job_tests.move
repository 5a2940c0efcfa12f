#[test_only]
module usufruct::job_tests;

use sui::test_scenario as ts;
use usufruct::{fixtures, grant, world};

const PURPOSE: vector<u8> = b"DUO:0000042";
const TERM_MS: u64 = 600_000;
const PRICE: u64 = 1_000_001;

/// Everything but these as in the world's job.
fun fund(
    purpose: vector<u8>,
    kind: u8,
    protection: u8,
    policy_version: u32,
    price_units: u64,
    max_questions: u32,
    term_ms: u64,
    payment_units: u64,
) {
    let mut world = world::founded();
    world.fund_with(
        world::salt(),
        purpose,
        kind,
        protection,
        policy_version,
        price_units,
        max_questions,
        term_ms,
        payment_units,
    );
    world.end();
}

#[test]
fun a_job_is_kept_as_it_was_funded() {
    let world = world::ready();
    let job = world.take_job(0);
    assert!(job.job_id() == fixtures::job_id());
    assert!(job.dao_id() == fixtures::dao_id() && job.dataset_id() == fixtures::dataset_id());
    assert!(job.requester() == world::requester());
    assert!(job.purpose() == &world::text(PURPOSE));
    assert!(job.kind() == 0 && job.protection() == 0 && job.policy_version() == 1);
    assert!(job.price_per_question_units() == PRICE && job.max_questions() == 3);
    assert!(job.escrow_units() == 3 * PRICE && job.questions_settled() == 0);
    assert!(job.split().parts_bps() == vector[7_000, 2_000, 800, 200]);
    assert!(job.client_public_key() == &world::key(7));
    assert!(job.state() == 0);
    assert!(job.funded_at_ms() == world::now_ms());
    assert!(job.expires_at_ms() == world::now_ms() + TERM_MS);
    ts::return_shared(job);
    world.end();
}

#[test]
fun a_job_may_be_as_large_as_the_limits() {
    fund(b"dpv:ResearchAndDevelopment", 2, 1, 1, PRICE, 10_000, 1_800_000, 10_000 * PRICE);
}

#[test]
fun a_job_may_be_small() {
    fund(PURPOSE, 0, 0, 1, PRICE, 1, 1, PRICE);
}

#[test, expected_failure(abort_code = usufruct::job::EPolicyOutdated)]
fun a_job_is_for_the_version_that_was_seen() {
    fund(PURPOSE, 0, 0, 2, PRICE, 3, TERM_MS, 3 * PRICE);
}

#[test, expected_failure(abort_code = usufruct::job::EWrongPrice)]
fun the_price_is_the_policys() {
    fund(PURPOSE, 0, 0, 1, PRICE - 1, 3, TERM_MS, 3 * PRICE - 3);
}

#[test, expected_failure(abort_code = usufruct::job::EPurposeDenied)]
fun the_purpose_is_offered() {
    fund(b"DUO:0000043", 0, 0, 1, PRICE, 3, TERM_MS, 3 * PRICE);
}

#[test, expected_failure(abort_code = usufruct::job::EKindDenied)]
fun the_kind_is_offered() {
    fund(PURPOSE, 1, 0, 1, PRICE, 3, TERM_MS, 3 * PRICE);
}

#[test, expected_failure(abort_code = usufruct::job::EProtectionDenied)]
fun the_protection_is_offered() {
    fund(PURPOSE, 0, 2, 1, PRICE, 3, TERM_MS, 3 * PRICE);
}

#[test, expected_failure(abort_code = usufruct::job::EQuestionCount)]
fun there_is_a_question() {
    fund(PURPOSE, 0, 0, 1, PRICE, 0, TERM_MS, 0);
}

#[test, expected_failure(abort_code = usufruct::job::EQuestionCount)]
fun there_are_not_too_many_questions() {
    fund(PURPOSE, 0, 0, 1, PRICE, 10_001, TERM_MS, 10_001 * PRICE);
}

#[test, expected_failure(abort_code = usufruct::job::ETerm)]
fun there_is_a_term() {
    fund(PURPOSE, 0, 0, 1, PRICE, 3, 0, 3 * PRICE);
}

#[test, expected_failure(abort_code = usufruct::job::ETerm)]
fun the_term_is_not_longer_than_the_policys() {
    fund(PURPOSE, 0, 0, 1, PRICE, 3, 1_800_001, 3 * PRICE);
}

#[test, expected_failure(abort_code = usufruct::job::EWrongPayment)]
fun the_payment_is_not_less() {
    fund(PURPOSE, 0, 0, 1, PRICE, 3, TERM_MS, 3 * PRICE - 1);
}

#[test, expected_failure(abort_code = usufruct::job::EWrongPayment)]
fun the_payment_is_not_more() {
    fund(PURPOSE, 0, 0, 1, PRICE, 3, TERM_MS, 3 * PRICE + 1);
}

#[test, expected_failure(abort_code = usufruct::job::EWrongPayment)]
/// 2⁶³ twice is 2⁶⁴, which would be 0 in u64.
fun the_price_of_all_questions_does_not_wrap_around() {
    let mut world = world::founded();
    let dear = 9_223_372_036_854_775_808;
    let set_id = fixtures::holder_set_id();
    let policy = world::policy_with(dear, world::text(b"tdx"), world::measurement(), set_id, 1);
    world.set_policy(world::founder(), 1, policy);
    world.fund_with(world::salt(), PURPOSE, 0, 0, 2, dear, 2, TERM_MS, 0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EIdTaken)]
fun a_job_id_is_taken_once() {
    let mut world = world::ready();
    world.fund();
    world.end();
}

#[test]
fun closing_gives_everything_back() {
    let mut world = world::ready();
    world.close(world::requester());
    assert!(world.collect(world::requester()) == 3 * PRICE);
    let job = world.take_job(0);
    assert!(job.escrow_units() == 0 && job.state() == 2);
    ts::return_shared(job);
    world.end();
}

#[test]
fun closing_after_an_answer_gives_the_rest_back() {
    let mut world = world::ready();
    world.advance(world::minute_ms());
    world.settle(fixtures::receipt_first());
    world.close(world::requester());
    assert!(world.collect(world::requester()) == 2 * PRICE);
    let job = world.take_job(0);
    assert!(job.escrow_units() == 0 && job.state() == 1);
    ts::return_shared(job);
    world.end();
}

#[test]
fun anybody_expires_a_job_after_its_term() {
    let mut world = world::ready();
    world.advance(TERM_MS);
    world.expire();
    assert!(world.collect(world::requester()) == 3 * PRICE);
    let job = world.take_job(0);
    assert!(job.state() == 3);
    ts::return_shared(job);
    world.end();
}

#[test]
fun a_pause_keeps_no_money() {
    let mut world = world::ready();
    world.pause(0);
    world.advance(TERM_MS);
    world.expire();
    assert!(world.collect(world::requester()) == 3 * PRICE);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::ENotExpired)]
fun nobody_expires_a_job_before() {
    let mut world = world::ready();
    world.advance(TERM_MS - 1);
    world.expire();
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::EWrongRequester)]
fun only_the_requester_closes() {
    let mut world = world::ready();
    world.close(world::stranger());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::EClosed)]
fun a_job_is_closed_once() {
    let mut world = world::ready();
    world.close(world::requester());
    world.close(world::requester());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::EExpired)]
fun a_job_expires_once() {
    let mut world = world::ready();
    world.advance(TERM_MS);
    world.expire();
    world.expire();
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::EClosed)]
fun a_closed_job_does_not_expire() {
    let mut world = world::ready();
    world.close(world::requester());
    world.advance(TERM_MS);
    world.expire();
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::EWrongJob)]
fun a_job_belongs_to_its_dataset() {
    let mut world = world::ready();
    world.create_dataset(world::founder(), @0x2);
    world.next(fixtures::attested_address());
    let dao = world.take_dao(0);
    let dataset = world.take_dataset(1);
    let job = world.take_job(0);
    let id = fixtures::contribution_ids()[0];
    let (clock, ctx) = world.clock_and_ctx();
    grant::seal_approve_for_testing(
        id.to_bytes(),
        &dao,
        &dataset,
        &job,
        id,
        fixtures::grant_ids()[0],
        fixtures::runner_id(),
        clock,
        ctx,
    );
    ts::return_shared(job);
    ts::return_shared(dataset);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_job_of_another_version_is_not_closed() {
    let mut world = world::ready();
    let mut job = world.take_job(0);
    job.set_version_for_testing(2);
    ts::return_shared(job);
    world.close(world::requester());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_job_of_another_version_does_not_expire() {
    let mut world = world::ready();
    let mut job = world.take_job(0);
    job.set_version_for_testing(2);
    ts::return_shared(job);
    world.advance(TERM_MS);
    world.expire();
    world.end();
}

#[test]
/// A job of one question: nothing is left, and no coin of nothing is sent.
fun a_job_that_is_spent_refunds_nothing() {
    let mut world = world::filled();
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.fund_with(world::salt(), PURPOSE, 0, 0, 1, PRICE, 1, TERM_MS, PRICE);
    world.advance(world::minute_ms());
    world.settle(fixtures::receipt_first());
    assert!(world.count_coins(world::requester()) == 0);
    let job = world.take_job(0);
    assert!(job.state() == 1);
    ts::return_shared(job);
    world.end();
}
