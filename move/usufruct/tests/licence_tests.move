#[test_only]
module usufruct::licence_tests;

use std::{bcs, unit_test};
use sui::{coin, event, test_scenario as ts};
use usufruct::{
    effect,
    fixtures,
    licence::{Self, Licence},
    licence_terms::{Self, LicenceTerms},
    lifecycle_events::{LicenceBought, LicenceOffered, LicenceOfferWithdrawn},
    votes,
    world::{Self, World, USDX}
};

const OFFER_SALT: address = @0x5b;
const OTHER_SALT: address = @0x5c;
const TEN_YEARS_MS: u64 = 315_360_000_000;

fun terms(price_units: u64): LicenceTerms {
    terms_for(fixtures::dataset_id(), price_units)
}

/// General research by questions in a trusted execution environment, for five minutes.
fun terms_for(dataset_id: address, price_units: u64): LicenceTerms {
    let term_ms = 5 * world::minute_ms();
    licence_terms::new(dataset_id, world::text(b"DUO:0000042"), 0, 0, price_units, term_ms)
}

fun offered(price_units: u64): World {
    let mut world = world::filled();
    let effect = effect::offer_licence(terms(price_units));
    let offer_id = votes::carry_on_dataset(&mut world, OFFER_SALT, effect);
    assert!(offer_id == fixtures::offer_id());
    world
}

fun withdraw(world: &mut World, offer_id: address) {
    let effect = effect::withdraw_licence_offer(offer_id);
    votes::carry_on_dataset(world, OTHER_SALT, effect);
}

fun buy(world: &mut World, offer_id: address, paid_units: u64) {
    world.buy_with(0, offer_id, paid_units);
}

fun buy_with(world: &mut World, dao_index: u64, offer_id: address, paid_units: u64) {
    world.next(world::requester());
    let mut dao = world.take_dao(dao_index);
    let dataset = world.take_dataset(0);
    let registry = world.take_registry();
    let payment = coin::mint_for_testing<USDX>(paid_units, world.ctx());
    let (clock, ctx) = world.clock_and_ctx();
    let salt = world::salt();
    licence::buy(&mut dao, &dataset, &registry, salt, offer_id, payment, clock, ctx);
    ts::return_shared(registry);
    ts::return_shared(dataset);
    ts::return_shared(dao);
}

use fun buy_with as World.buy_with;

fun treasury_units(world: &mut World): u64 {
    world.next(world::stranger());
    let dao = world.take_dao(0);
    let units = dao.treasury_units();
    ts::return_shared(dao);
    units
}

#[test]
/// 1,000,001 by 9,800 and 200 of 10,000: 980,000.98 and 20,000.02; the floors leave one unit, for the larger remainder.
fun a_licence_is_offered_and_bought() {
    let mut world = offered(1_000_001);
    assert!(event::events_by_type<LicenceOffered>().length() == 1);
    buy(&mut world, fixtures::offer_id(), 1_000_001);
    assert!(event::events_by_type<LicenceBought>().length() == 1);
    assert!(treasury_units(&mut world) == 980_001);
    assert!(world.collect(world::protocol()) == 20_000);
    world.next(world::requester());
    let licence = world.take_from_sender<Licence>();
    assert!(licence.licence_id() == fixtures::licence_id());
    assert!(licence.offer_id() == fixtures::offer_id());
    assert!(licence.dao_id() == fixtures::dao_id() && licence.licensee() == world::requester());
    assert!(licence.terms() == terms(1_000_001));
    let bought_at_ms = world::now_ms() + 3 * world::minute_ms();
    assert!(licence.bought_at_ms() == bought_at_ms);
    assert!(licence.expires_at_ms() == bought_at_ms + 5 * world::minute_ms());
    world.return_to_sender(licence);
    world.end();
}

/// How many payments the event of this purchase names. The list is the last field of the event.
fun payouts_named(): u64 {
    let bytes = bcs::to_bytes(&event::events_by_type<LicenceBought>()[0]);
    // Each is an account (32), a role (1), no contribution (1) and an amount (8).
    let before = 32 * 5 + bcs::to_bytes(&terms(0)).length() + 8 * 2 + 1;
    (bytes.length() - before) / 42
}

#[test]
/// 25 by 9,800 and 200: 24.5 and 0.5. Equal remainders: the unit is the treasury's, which is named first.
fun the_protocol_may_get_nothing() {
    let mut world = offered(25);
    buy(&mut world, fixtures::offer_id(), 25);
    assert!(payouts_named() == 1);
    assert!(treasury_units(&mut world) == 25);
    assert!(world.count_coins(world::protocol()) == 0);
    world.end();
}

#[test]
fun a_licence_may_cost_nothing() {
    let mut world = offered(0);
    buy(&mut world, fixtures::offer_id(), 0);
    assert!(payouts_named() == 0);
    assert!(treasury_units(&mut world) == 0);
    world.end();
}

#[test]
fun both_parts_are_named() {
    let mut world = offered(10_000);
    buy(&mut world, fixtures::offer_id(), 10_000);
    assert!(payouts_named() == 2);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::licence::EWrongPayment)]
fun not_for_less() {
    let mut world = offered(1_000);
    buy(&mut world, fixtures::offer_id(), 999);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::licence::EWrongPayment)]
fun not_for_more() {
    let mut world = offered(1_000);
    buy(&mut world, fixtures::offer_id(), 1_001);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EIdTaken)]
fun the_same_licence_is_bought_once() {
    let mut world = offered(1_000);
    buy(&mut world, fixtures::offer_id(), 1_000);
    buy(&mut world, fixtures::offer_id(), 1_000);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::licence::ENoOffer)]
fun what_was_not_offered_is_not_bought() {
    let mut world = offered(1_000);
    buy(&mut world, @0x1, 1_000);
    world.end();
}

#[test]
fun an_offer_stands_until_it_is_withdrawn() {
    let mut world = offered(1_000);
    world.next(world::stranger());
    let dataset = world.take_dataset(0);
    assert!(licence::is_offered(&dataset, fixtures::offer_id()));
    assert!(!licence::is_offered(&dataset, @0x1));
    ts::return_shared(dataset);
    withdraw(&mut world, fixtures::offer_id());
    assert!(event::events_by_type<LicenceOfferWithdrawn>().length() == 1);
    world.next(world::stranger());
    let dataset = world.take_dataset(0);
    assert!(!licence::is_offered(&dataset, fixtures::offer_id()));
    ts::return_shared(dataset);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::licence::EOfferWithdrawn)]
fun what_was_withdrawn_is_not_bought() {
    let mut world = offered(1_000);
    withdraw(&mut world, fixtures::offer_id());
    buy(&mut world, fixtures::offer_id(), 1_000);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::licence::EOfferWithdrawn)]
fun an_offer_is_withdrawn_once() {
    let mut world = offered(1_000);
    withdraw(&mut world, fixtures::offer_id());
    let effect = effect::withdraw_licence_offer(fixtures::offer_id());
    votes::carry_on_dataset(&mut world, @0x5d, effect);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::licence::ENoOffer)]
fun what_was_not_offered_is_not_withdrawn() {
    let mut world = world::filled();
    withdraw(&mut world, fixtures::offer_id());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::effect::EWrongDataset)]
fun an_offer_is_made_on_its_dataset() {
    let mut world = world::filled();
    let effect = effect::offer_licence(terms_for(@0x1, 1_000));
    votes::carry_on_dataset(&mut world, OFFER_SALT, effect);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun nothing_is_offered_on_a_retired_dataset() {
    let mut world = world::filled();
    world.tombstone_dataset();
    let effect = effect::offer_licence(terms(1_000));
    votes::carry_on_dataset(&mut world, OFFER_SALT, effect);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun nothing_is_bought_on_a_retired_dataset() {
    let mut world = offered(1_000);
    world.tombstone_dataset();
    buy(&mut world, fixtures::offer_id(), 1_000);
    world.end();
}

#[test]
fun an_offer_on_a_retired_dataset_can_be_withdrawn() {
    let mut world = offered(1_000);
    world.tombstone_dataset();
    withdraw(&mut world, fixtures::offer_id());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_paused_dao_sells_nothing() {
    let mut world = offered(1_000);
    world.pause(0);
    buy(&mut world, fixtures::offer_id(), 1_000);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::EWrongDao)]
fun another_dao_sells_nothing_of_it() {
    let mut world = offered(1_000);
    world.create_dao(@0x5e, world::policy());
    buy_with(&mut world, 1, fixtures::offer_id(), 1_000);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_registry_of_another_version_sells_nothing() {
    let mut world = offered(1_000);
    let mut registry = world.take_registry();
    registry.set_version_for_testing(2);
    ts::return_shared(registry);
    buy(&mut world, fixtures::offer_id(), 1_000);
    world.end();
}

// === What a licence covers ===

/// Bought at minute 3 for five minutes, asked about by this licensee, purpose, kind and protection at this minute.
fun ask(licensee: address, purpose: vector<u8>, kind: u8, protection: u8, at_ms: u64) {
    let mut world = offered(1_000);
    buy(&mut world, fixtures::offer_id(), 1_000);
    world.next(world::requester());
    let licence = world.take_from_sender<Licence>();
    let dataset = world.take_dataset(0);
    licence.assert_covers(&dataset, licensee, &world::text(purpose), kind, protection, at_ms);
    ts::return_shared(dataset);
    world.return_to_sender(licence);
    world.end();
}

fun minute(n: u64): u64 {
    world::now_ms() + n * world::minute_ms()
}

#[test]
fun it_covers_what_it_says_until_its_last_moment() {
    ask(world::requester(), b"DUO:0000042", 0, 0, minute(8) - 1);
}

#[test]
/// Health research is general research.
fun it_covers_a_narrower_purpose() {
    ask(world::requester(), b"DUO:0000006", 0, 0, minute(4));
}

#[test, expected_failure(abort_code = usufruct::licence::EExpired)]
fun it_ends() {
    ask(world::requester(), b"DUO:0000042", 0, 0, minute(8));
}

#[test, expected_failure(abort_code = usufruct::licence::ENotCovered)]
fun it_is_the_buyers_alone() {
    ask(world::stranger(), b"DUO:0000042", 0, 0, minute(4));
}

#[test, expected_failure(abort_code = usufruct::licence::ENotCovered)]
fun it_covers_no_wider_purpose() {
    ask(world::requester(), b"DUO:0000004", 0, 0, minute(4));
}

#[test, expected_failure(abort_code = usufruct::licence::ENotCovered)]
fun it_covers_no_other_kind() {
    ask(world::requester(), b"DUO:0000042", 1, 0, minute(4));
}

#[test, expected_failure(abort_code = usufruct::licence::ENotCovered)]
fun it_covers_no_other_protection() {
    ask(world::requester(), b"DUO:0000042", 0, 1, minute(4));
}

/// Of the dataset as the test has changed it, or another one.
fun ask_about(world: &mut World, dataset: u64, at_ms: u64) {
    world.next(world::requester());
    let licence = world.take_from_sender<Licence>();
    let dataset = world.take_dataset(dataset);
    let purpose = world::text(b"DUO:0000042");
    licence.assert_covers(&dataset, world::requester(), &purpose, 0, 0, at_ms);
    ts::return_shared(dataset);
    world.return_to_sender(licence);
}

#[test, expected_failure(abort_code = usufruct::licence::ENotCovered)]
fun it_covers_no_other_dataset() {
    let mut world = offered(1_000);
    buy(&mut world, fixtures::offer_id(), 1_000);
    world.create_dataset(world::founder(), @0x5f);
    ask_about(&mut world, 1, minute(4));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun it_covers_nothing_of_a_retired_dataset() {
    let mut world = offered(1_000);
    buy(&mut world, fixtures::offer_id(), 1_000);
    world.advance(world::minute_ms());
    world.tombstone_dataset();
    ask_about(&mut world, 0, minute(4));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_dataset_of_another_version_is_not_asked_about() {
    let mut world = offered(1_000);
    buy(&mut world, fixtures::offer_id(), 1_000);
    world.next(world::stranger());
    let mut dataset = world.take_dataset(0);
    dataset.set_version_for_testing(2);
    ts::return_shared(dataset);
    ask_about(&mut world, 0, minute(4));
    world.end();
}

// === Terms ===

fun terms_of(purpose: vector<u8>, kind: u8, protection: u8, term_ms: u64) {
    let terms = licence_terms::new(@0x1, world::text(purpose), kind, protection, 1, term_ms);
    assert!(terms.dataset_id() == @0x1 && terms.price_units() == 1 && terms.term_ms() == term_ms);
    unit_test::destroy(terms);
}

#[test]
fun a_term_is_a_millisecond_to_ten_years() {
    terms_of(b"DUO:0000042", 2, 2, 1);
    terms_of(b"DUO:0000042", 2, 2, TEN_YEARS_MS);
}

#[test, expected_failure(abort_code = usufruct::licence_terms::ETerm)]
fun a_term_is_not_nothing() {
    terms_of(b"DUO:0000042", 0, 0, 0);
}

#[test, expected_failure(abort_code = usufruct::licence_terms::ETerm)]
fun a_term_is_not_longer() {
    terms_of(b"DUO:0000042", 0, 0, TEN_YEARS_MS + 1);
}

#[test, expected_failure(abort_code = usufruct::checks::EPurposeCode)]
fun a_purpose_is_a_code() {
    terms_of(b"research", 0, 0, 1);
}

#[test, expected_failure(abort_code = usufruct::checks::EKindCode)]
fun a_kind_is_one_that_there_is() {
    terms_of(b"DUO:0000042", 3, 0, 1);
}

#[test, expected_failure(abort_code = usufruct::checks::EKindCode)]
fun a_protection_is_one_that_there_is() {
    terms_of(b"DUO:0000042", 0, 3, 1);
}
