#[test_only]
module usufruct::grant_tests;

use usufruct::{fixtures, grant, world::{Self, World}};

const PURPOSE: vector<u8> = b"DUO:0000042";
const PRICE: u64 = 1_000_001;
const OTHER: address = @0x2;

/// Seal asks for contribution 0 under its first grant, by the attested runner.
fun ask(world: &mut World) {
    ask_with(world, fixtures::grant_ids()[0]);
}

fun ask_with(world: &mut World, grant_id: address) {
    let id = fixtures::contribution_ids()[0];
    world.seal_approve(fixtures::attested_address(), id.to_bytes(), id, grant_id);
}

fun expires_at_ms(): u64 {
    world::now_ms() + 1_000 * world::minute_ms()
}

/// A ready world in which contribution 0 has no other grant than this.
fun granted(purpose: vector<u8>, kind: u8, protection: u8, floor: u64, expires_at_ms: u64): World {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.decide(world::founder(), 0, true);
    let (owner, salt) = (world::owner(0), world::salt());
    world.grant_with(owner, 0, salt, purpose, kind, protection, floor, expires_at_ms);
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.fund();
    world
}

#[test]
fun a_grant_that_covers_the_job_gives_the_key() {
    let mut world = granted(PURPOSE, 0, 0, PRICE, expires_at_ms());
    ask(&mut world);
    world.end();
}

#[test]
fun a_grant_may_precede_acceptance() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.grant(0, world::salt());
    world.decide(world::founder(), 0, true);
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.fund();
    ask(&mut world);
    world.end();
}

#[test]
/// Health research (0000006) is part of general research (0000042), and all is of "no restriction" (0000004).
fun a_broader_purpose_covers_the_job() {
    let mut world = granted(b"DUO:0000004", 0, 0, PRICE, expires_at_ms());
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant_terms::EPurposeDenied)]
fun a_narrower_purpose_does_not() {
    let mut world = granted(b"DUO:0000006", 0, 0, PRICE, expires_at_ms());
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant_terms::EPurposeDenied)]
fun another_purpose_does_not() {
    let mut world = granted(b"DUO:0000043", 0, 0, PRICE, expires_at_ms());
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant_terms::EKindDenied)]
fun another_kind_does_not() {
    let mut world = granted(PURPOSE, 1, 0, PRICE, expires_at_ms());
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant_terms::EProtectionDenied)]
fun another_protection_does_not() {
    let mut world = granted(PURPOSE, 0, 1, PRICE, expires_at_ms());
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant_terms::EPriceBelowFloor)]
fun a_higher_floor_does_not() {
    let mut world = granted(PURPOSE, 0, 0, PRICE + 1, expires_at_ms());
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::EExpired)]
fun an_expired_grant_does_not() {
    let mut world = granted(PURPOSE, 0, 0, PRICE, world::now_ms() + world::minute_ms());
    world.advance(world::minute_ms());
    ask(&mut world);
    world.end();
}

#[test]
fun a_grant_holds_to_its_last_moment() {
    let mut world = granted(PURPOSE, 0, 0, PRICE, world::now_ms() + world::minute_ms());
    world.advance(world::minute_ms() - 1);
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::EExpired)]
fun a_grant_is_not_given_for_the_past() {
    let world = granted(PURPOSE, 0, 0, PRICE, world::now_ms());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::ERevoked)]
fun a_revoked_grant_does_not() {
    let mut world = world::ready();
    world.revoke(world::owner(0), fixtures::grant_ids()[0]);
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::ENotAccepted)]
fun a_contribution_that_nobody_accepted_is_not_used() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.grant(0, world::salt());
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.fund();
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::EGrantRequired)]
fun no_grant_no_key() {
    let mut world = world::ready();
    ask_with(&mut world, OTHER);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::EGrantRequired)]
fun anothers_grant_does_not() {
    let mut world = world::ready();
    ask_with(&mut world, fixtures::grant_ids()[1]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::EWrongIdentity)]
fun a_key_is_of_its_contribution() {
    let mut world = world::ready();
    let ids = fixtures::contribution_ids();
    let grant_id = fixtures::grant_ids()[0];
    world.seal_approve(fixtures::attested_address(), ids[1].to_bytes(), ids[0], grant_id);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::EWrongRunner)]
/// Not even the account that is paid for the runner's work.
fun only_the_attested_key_asks() {
    let mut world = world::ready();
    let id = fixtures::contribution_ids()[0];
    world.seal_approve(world::payee(), id.to_bytes(), id, fixtures::grant_ids()[0]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::runner_registry::ENotRegistered)]
fun a_runner_that_nobody_registered_gets_no_key() {
    let mut world = world::filled();
    world.fund();
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EMeasurementRefused)]
fun a_withdrawn_measurement_stops_at_once() {
    let mut world = world::ready();
    let set_id = fixtures::holder_set_id();
    let (profile, measurement) = (world::text(b"tdx"), world::other_measurement());
    let policy = world::policy_with(PRICE, profile, measurement, set_id, 2);
    world.set_policy(world::founder(), 1, policy);
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EProfileRefused)]
fun a_withdrawn_profile_stops_at_once() {
    let mut world = world::ready();
    let set_id = fixtures::holder_set_id();
    let (profile, measurement) = (world::text(b"snp"), world::measurement());
    let policy = world::policy_with(PRICE, profile, measurement, set_id, 2);
    world.set_policy(world::founder(), 1, policy);
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::EExpired)]
fun no_key_after_the_jobs_term() {
    let mut world = world::ready();
    world.advance(10 * world::minute_ms());
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::job::EClosed)]
fun no_key_for_a_closed_job() {
    let mut world = world::ready();
    world.close(world::requester());
    ask(&mut world);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::ENoContribution)]
fun no_key_of_what_is_not_there() {
    let mut world = world::ready();
    world.seal_approve(
        fixtures::attested_address(),
        OTHER.to_bytes(),
        OTHER,
        fixtures::grant_ids()[0],
    );
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::EIdTaken)]
fun a_grant_id_is_taken_once() {
    let mut world = world::filled();
    world.grant(0, world::salt());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::EWrongOwner)]
fun only_the_owner_grants() {
    let mut world = world::filled();
    let (sender, at_ms) = (world::founder(), expires_at_ms());
    world.grant_with(sender, 0, OTHER, PURPOSE, 0, 0, PRICE, at_ms);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::ENotAccepted)]
fun what_was_declined_is_not_granted() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.decide(world::founder(), 0, false);
    world.grant(0, world::salt());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::EWrongOwner)]
fun only_the_grantor_revokes() {
    let mut world = world::filled();
    world.revoke(world::founder(), fixtures::grant_ids()[0]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::ERevoked)]
fun a_grant_is_revoked_once() {
    let mut world = world::filled();
    world.revoke(world::owner(0), fixtures::grant_ids()[0]);
    world.revoke(world::owner(0), fixtures::grant_ids()[0]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::grant::EGrantRequired)]
fun what_was_not_granted_is_not_revoked() {
    let mut world = world::filled();
    world.revoke(world::owner(0), OTHER);
    world.end();
}

#[test]
fun a_new_grant_after_a_revocation_counts() {
    let mut world = world::ready();
    world.revoke(world::owner(0), fixtures::grant_ids()[0]);
    world.grant(0, OTHER);
    let id = fixtures::contribution_ids()[0];
    let again = usufruct::digest::derive_id(b"grant", id.to_bytes(), world::owner(0), OTHER);
    world.next(world::stranger());
    let dataset = world.take_dataset(0);
    assert!(grant::exists(&dataset, again));
    sui::test_scenario::return_shared(dataset);
    ask_with(&mut world, again);
    world.end();
}
