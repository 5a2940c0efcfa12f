#[test_only]
module usufruct::upgrade_timelock_tests;

use sui::{clock::{Self, Clock}, event, package, test_scenario::{Self as ts, Scenario}};
use usufruct::{
    upgrade_events::{
        PackageMadeImmutable,
        UpgradeAnnounced,
        UpgradeCancelled,
        UpgradeCommitted,
        UpgradesLocked,
    },
    upgrade_timelock::{Self, UpgradeAdmin, UpgradeTimelock},
    world
};

const PUBLISHER: address = @0xd0;
const PACKAGE: address = @0xbac;
const DAY_MS: u64 = 86_400_000;
const DELAY_MS: u64 = 7 * 86_400_000;

fun lock_for(scenario: &mut Scenario, delay_ms: u64) {
    let cap = package::test_publish(object::id_from_address(PACKAGE), scenario.ctx());
    let admin = upgrade_timelock::lock(cap, delay_ms, scenario.ctx());
    transfer::public_transfer(admin, PUBLISHER);
}

/// A locked package, its admin, and the clock at day 1,000.
fun locked(): (Scenario, UpgradeTimelock, UpgradeAdmin, Clock) {
    let mut scenario = ts::begin(PUBLISHER);
    lock_for(&mut scenario, DELAY_MS);
    assert!(event::events_by_type<UpgradesLocked>().length() == 1);
    scenario.next_tx(PUBLISHER);
    let (timelock, admin) = (scenario.take_shared(), scenario.take_from_sender());
    let mut clock = clock::create_for_testing(scenario.ctx());
    clock.set_for_testing(1_000 * DAY_MS);
    (scenario, timelock, admin, clock)
}

fun end(scenario: Scenario, timelock: UpgradeTimelock, admin: UpgradeAdmin, clock: Clock) {
    ts::return_shared(timelock);
    scenario.return_to_sender(admin);
    clock.destroy_for_testing();
    scenario.end();
}

/// Announce, wait, try to use it.
fun upgrade_after(wait_ms: u64) {
    let (scenario, mut timelock, admin, mut clock) = locked();
    timelock.announce(&admin, world::key(1), &clock);
    clock.increment_for_testing(wait_ms);
    let ticket = timelock.authorize(&admin, &clock);
    assert!(ticket.ticket_digest() == world::key(1));
    timelock.commit(package::test_upgrade(ticket));
    end(scenario, timelock, admin, clock);
}

#[test]
fun what_was_announced_can_be_used_after_the_delay() {
    let (scenario, mut timelock, admin, mut clock) = locked();
    assert!(timelock.delay_ms() == DELAY_MS && timelock.announced().is_none());
    assert!(timelock.package().to_address() == PACKAGE);
    timelock.announce(&admin, world::key(1), &clock);
    let announced = timelock.announced().destroy_some();
    assert!(announced.digest() == world::key(1));
    assert!(announced.ready_at_ms() == 1_007 * DAY_MS);
    assert!(event::events_by_type<UpgradeAnnounced>().length() == 1);
    clock.increment_for_testing(DELAY_MS);
    let ticket = timelock.authorize(&admin, &clock);
    assert!(ticket.ticket_package().to_address() == PACKAGE);
    timelock.commit(package::test_upgrade(ticket));
    assert!(timelock.announced().is_none());
    assert!(timelock.package().to_address() != PACKAGE);
    assert!(event::events_by_type<UpgradeCommitted>().length() == 1);
    end(scenario, timelock, admin, clock);
}

#[test]
fun until_the_last_millisecond_of_thirty_days() {
    upgrade_after(DELAY_MS + 30 * DAY_MS - 1);
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::ETooEarly)]
fun not_before_the_delay_has_passed() {
    upgrade_after(DELAY_MS - 1);
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::ETooLate)]
fun not_after_thirty_days_more() {
    upgrade_after(DELAY_MS + 30 * DAY_MS);
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::ENotAnnounced)]
fun nothing_is_used_that_was_not_announced() {
    let (scenario, mut timelock, admin, clock) = locked();
    let ticket = timelock.authorize(&admin, &clock);
    timelock.commit(package::test_upgrade(ticket));
    end(scenario, timelock, admin, clock);
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::ENotAnnounced)]
fun an_announcement_is_used_once() {
    let (scenario, mut timelock, admin, mut clock) = locked();
    timelock.announce(&admin, world::key(1), &clock);
    clock.increment_for_testing(DELAY_MS);
    let ticket = timelock.authorize(&admin, &clock);
    timelock.commit(package::test_upgrade(ticket));
    let ticket = timelock.authorize(&admin, &clock);
    timelock.commit(package::test_upgrade(ticket));
    end(scenario, timelock, admin, clock);
}

#[test]
fun after_a_cancellation_the_delay_begins_again() {
    let (scenario, mut timelock, admin, mut clock) = locked();
    timelock.announce(&admin, world::key(1), &clock);
    clock.increment_for_testing(DAY_MS);
    timelock.cancel(&admin);
    assert!(timelock.announced().is_none());
    assert!(event::events_by_type<UpgradeCancelled>().length() == 1);
    timelock.announce(&admin, world::key(2), &clock);
    let announced = timelock.announced().destroy_some();
    assert!(announced.digest() == world::key(2));
    assert!(announced.ready_at_ms() == 1_008 * DAY_MS);
    end(scenario, timelock, admin, clock);
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::ENotAnnounced)]
fun nothing_is_cancelled_that_was_not_announced() {
    let (scenario, mut timelock, admin, clock) = locked();
    timelock.cancel(&admin);
    end(scenario, timelock, admin, clock);
}

/// Announce again when the first announcement is so old.
fun announce_again_after(wait_ms: u64) {
    let (scenario, mut timelock, admin, mut clock) = locked();
    timelock.announce(&admin, world::key(1), &clock);
    clock.increment_for_testing(wait_ms);
    timelock.announce(&admin, world::key(2), &clock);
    assert!(timelock.announced().destroy_some().digest() == world::key(2));
    end(scenario, timelock, admin, clock);
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::EAlreadyAnnounced)]
fun one_digest_at_a_time() {
    announce_again_after(DELAY_MS + 30 * DAY_MS - 1);
}

#[test]
fun what_has_lapsed_makes_room() {
    announce_again_after(DELAY_MS + 30 * DAY_MS);
}

fun announce_digest(digest: vector<u8>) {
    let (scenario, mut timelock, admin, clock) = locked();
    timelock.announce(&admin, digest, &clock);
    end(scenario, timelock, admin, clock);
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::EDigest)]
fun a_digest_is_not_shorter() {
    announce_digest(b"1234567890123456789012345678901");
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::EDigest)]
fun a_digest_is_not_longer() {
    announce_digest(b"123456789012345678901234567890123");
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::EDelay)]
fun the_delay_is_a_week_at_least() {
    let mut scenario = ts::begin(PUBLISHER);
    lock_for(&mut scenario, DELAY_MS - 1);
    scenario.end();
}

#[test]
fun the_delay_may_be_a_year() {
    let mut scenario = ts::begin(PUBLISHER);
    lock_for(&mut scenario, 365 * DAY_MS);
    scenario.end();
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::EDelay)]
fun the_delay_is_a_year_at_most() {
    let mut scenario = ts::begin(PUBLISHER);
    lock_for(&mut scenario, 365 * DAY_MS + 1);
    scenario.end();
}

/// The first timelock, and the admin of a second one.
fun with_another_admin(): (Scenario, UpgradeTimelock, UpgradeAdmin, UpgradeAdmin, Clock) {
    let (mut scenario, timelock, admin, clock) = locked();
    lock_for(&mut scenario, DELAY_MS);
    scenario.next_tx(PUBLISHER);
    let other = scenario.take_from_sender();
    (scenario, timelock, admin, other, clock)
}

fun end_both(
    scenario: Scenario,
    timelock: UpgradeTimelock,
    admin: UpgradeAdmin,
    other: UpgradeAdmin,
    clock: Clock,
) {
    scenario.return_to_sender(other);
    end(scenario, timelock, admin, clock);
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::EWrongAdmin)]
fun another_admin_announces_nothing() {
    let (scenario, mut timelock, admin, other, clock) = with_another_admin();
    timelock.announce(&other, world::key(1), &clock);
    end_both(scenario, timelock, admin, other, clock);
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::EWrongAdmin)]
fun another_admin_cancels_nothing() {
    let (scenario, mut timelock, admin, other, clock) = with_another_admin();
    timelock.announce(&admin, world::key(1), &clock);
    timelock.cancel(&other);
    end_both(scenario, timelock, admin, other, clock);
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::EWrongAdmin)]
fun another_admin_upgrades_nothing() {
    let (scenario, mut timelock, admin, other, mut clock) = with_another_admin();
    timelock.announce(&admin, world::key(1), &clock);
    clock.increment_for_testing(DELAY_MS);
    let ticket = timelock.authorize(&other, &clock);
    timelock.commit(package::test_upgrade(ticket));
    end_both(scenario, timelock, admin, other, clock);
}

#[test, expected_failure(abort_code = usufruct::upgrade_timelock::EWrongAdmin)]
fun another_admin_makes_nothing_immutable() {
    let (scenario, timelock, admin, other, clock) = with_another_admin();
    timelock.make_immutable(other);
    scenario.return_to_sender(admin);
    clock.destroy_for_testing();
    scenario.end();
}

#[test, expected_failure(abort_code = ts::EEmptyInventory)]
fun what_was_made_immutable_is_gone() {
    let (mut scenario, timelock, admin, clock) = locked();
    timelock.make_immutable(admin);
    assert!(event::events_by_type<PackageMadeImmutable>().length() == 1);
    clock.destroy_for_testing();
    scenario.next_tx(PUBLISHER);
    let timelock = scenario.take_shared<UpgradeTimelock>();
    ts::return_shared(timelock);
    scenario.end();
}
