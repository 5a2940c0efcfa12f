#[test_only]
/// The main job: contribute, ask, get paid.
module usufruct::main_path_tests;

use sui::{event, test_scenario as ts};
use usufruct::{events, fixtures, world};

#[test]
fun the_registry_has_the_id_that_the_fixtures_name() {
    let world = world::begin();
    let registry = world.take_registry();
    assert!(object::id_address(&registry) == fixtures::registry_id());
    assert!(registry.protocol_account() == world::protocol());
    ts::return_shared(registry);
    world.end();
}

#[test]
/// One question of 1,000,001 units. By basis points: 700,000.7 + 200,000.2 + 80,000.08 + 20,000.02; the floors leave
/// one unit, which goes to the largest remainder: contributors 700,001. By three equal weights that is 233,333 and
/// two thirds each; the floors leave two units, which go to the two smallest addresses.
fun one_question_pays_everyone_exactly() {
    let mut world = world::ready();
    world.advance(world::minute_ms());
    world.settle(fixtures::receipt_first());
    assert!(event::events_by_type<events::ReceiptSettled>().length() == 1);
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.treasury_units() == 200_000);
    ts::return_shared(dao);
    assert!(world.collect(world::owner(0)) == 233_334);
    assert!(world.collect(world::owner(1)) == 233_334);
    assert!(world.collect(world::owner(2)) == 233_333);
    assert!(world.collect(world::payee()) == 80_000);
    assert!(world.collect(world::protocol()) == 20_000);
    let job = world.take_job(0);
    assert!(job.escrow_units() == 2 * world::price());
    assert!(job.questions_settled() == 1 && job.state() == 0);
    assert!(job.is_consumed(fixtures::question_ids()[0]));
    ts::return_shared(job);
    world.end();
}

#[test]
/// The second question uses two contributions, 3 : 1 of 700,001 units: 525,000.75 and 175,000.25, so the unit that is
/// left goes to the first. The third uses nothing, costs nothing, and is the last: the price of it comes back.
fun the_last_question_closes_the_job() {
    let mut world = world::ready();
    world.advance(world::minute_ms());
    world.settle(fixtures::receipt_first());
    world.settle(fixtures::receipt_second());
    world.settle(fixtures::receipt_third());
    assert!(world.collect(world::owner(0)) == 233_334 + 525_001);
    assert!(world.collect(world::owner(1)) == 233_334);
    assert!(world.collect(world::owner(2)) == 233_333 + 175_000);
    assert!(world.collect(world::payee()) == 160_000);
    assert!(world.collect(world::protocol()) == 40_000);
    assert!(world.collect(world::requester()) == world::price());
    let dao = world.take_dao(0);
    assert!(dao.treasury_units() == 400_000);
    ts::return_shared(dao);
    let job = world.take_job(0);
    assert!(job.escrow_units() == 0 && job.state() == 1);
    ts::return_shared(job);
    world.end();
}

#[test]
/// All three granted "no restriction", which covers the job's general research.
fun a_use_under_a_broader_purpose_is_paid() {
    let mut world = world::founded();
    let expires_at_ms = world::now_ms() + 1_000 * world::minute_ms();
    let mut i = 0;
    while (i < 3) {
        let (owner, salt) = (world::owner(i), world::salt());
        world.contribute(owner, salt);
        world.grant_with(owner, i, salt, b"DUO:0000004", 0, 0, world::price(), expires_at_ms);
        world.decide(world::founder(), i, true);
        i = i + 1;
    };
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.fund();
    world.advance(world::minute_ms());
    world.settle(fixtures::receipt_first());
    assert!(world.collect(world::owner(0)) == 233_334);
    world.end();
}

#[test]
fun a_runner_with_consent_is_given_the_key() {
    let mut world = world::ready();
    let contribution = fixtures::contribution_ids()[0];
    let grant = fixtures::grant_ids()[0];
    world.seal_approve(fixtures::attested_address(), contribution.to_bytes(), contribution, grant);
    world.end();
}
