#[test_only]
module usufruct::signers_tests;

use sui::test_scenario as ts;
use usufruct::{
    effect::{Self, Effect},
    epoch_fixtures as fixtures,
    payout_rules,
    private_world,
    signers,
    world::{Self, World}
};

use fun private_world::settle_bytes as World.settle_bytes;
use fun private_world::pooled as World.pooled;
use fun apply_effect as World.apply_effect;
use fun register_set as World.register_set;
use fun register_host as World.register_host;

const MPC_SET: u8 = 1;
const FHE_HOST: u8 = 2;
const PAYEE: address = @0xb5;

/// A job under this protection in a DAO that pays in epochs, one minute after its funding.
fun asked(protection: u8): World {
    let mut world = world::filled();
    world.next(world::founder());
    let mut dao = world.take_dao(0);
    let set = world.take_holder_set(0);
    dao.set_payout_rules(payout_rules::new(1, 60_000, 600_000, 0));
    let kinds = vector[0, 2];
    let all = vector[0, 1, 2];
    let profiles = vector[world::text(b"tdx")];
    let policy = (*dao.policy()).with_terms(kinds, all, profiles, 42_000_000, 1_800_000);
    dao.adopt_policy(&set, policy);
    ts::return_shared(set);
    ts::return_shared(dao);
    let price = world::price();
    let term_ms = 10 * world::minute_ms();
    world.fund_with(world::salt(), b"DUO:0000042", 0, protection, 2, price, 3, term_ms, 3 * price);
    world.advance(world::minute_ms());
    world
}

fun apply_effect(world: &mut World, effect: Effect) {
    world.next(world::stranger());
    let mut dao = world.take_dao(0);
    let set = world.take_holder_set(0);
    let (clock, ctx) = world.clock_and_ctx();
    effect.apply(&mut dao, &set, clock, ctx);
    ts::return_shared(set);
    ts::return_shared(dao);
}

fun register_set(world: &mut World) {
    world.apply_effect(effect::register_signer(MPC_SET, fixtures::party_keys(), PAYEE));
}

fun register_host(world: &mut World) {
    world.apply_effect(effect::register_signer(FHE_HOST, vector[fixtures::host_key()], PAYEE));
}

fun settled_by_set(receipt: vector<u8>, signatures: vector<u8>) {
    let mut world = asked(1);
    world.register_set();
    world.register_host();
    world.settle_bytes(receipt, signatures);
    assert!(world.pooled() == fixtures::part_units());
    // 8 percent of 1,000,001, rounded down.
    assert!(world.collect(PAYEE) == 80_000);
    world.end();
}

#[test]
fun ids_are_those_of_the_libraries() {
    assert!(signers::signer_id(MPC_SET, fixtures::party_keys()) == fixtures::set_id());
    assert!(signers::signer_id(FHE_HOST, vector[fixtures::host_key()]) == fixtures::host_id());
}

#[test]
fun three_parties_sign() {
    let (receipt, signatures) = fixtures::receipt_set();
    settled_by_set(receipt, signatures);
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptSignature)]
fun two_parties_are_not_enough() {
    let (receipt, signatures) = fixtures::receipt_set_of_two();
    settled_by_set(receipt, signatures);
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptSignature)]
fun nobody_signs_for_the_third_party() {
    let (receipt, signatures) = fixtures::receipt_set_of_two_and_host();
    settled_by_set(receipt, signatures);
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptSignature)]
fun parties_sign_in_their_order() {
    let (receipt, signatures) = fixtures::receipt_set_swapped();
    settled_by_set(receipt, signatures);
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptSignature)]
fun a_fourth_signature_is_too_much() {
    let (receipt, mut signatures) = fixtures::receipt_set();
    let (_, host) = fixtures::receipt_host();
    signatures.append(host);
    settled_by_set(receipt, signatures);
}

#[test, expected_failure(abort_code = usufruct::signers::ENotRegistered)]
fun a_registered_set_signs() {
    let (receipt, signatures) = fixtures::receipt_set_unknown();
    settled_by_set(receipt, signatures);
}

#[test, expected_failure(abort_code = usufruct::signers::ENotRegistered)]
fun a_host_is_no_set() {
    let (receipt, signatures) = fixtures::receipt_set_is_a_host();
    settled_by_set(receipt, signatures);
}

#[test, expected_failure(abort_code = usufruct::signers::ENotRegistered)]
fun an_id_has_32_bytes() {
    let (receipt, signatures) = fixtures::receipt_set_short();
    settled_by_set(receipt, signatures);
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::ESignerKind)]
fun a_set_does_not_sign_for_a_tee() {
    let mut world = asked(0);
    world.register_set();
    let (receipt, signatures) = fixtures::receipt_set();
    world.settle_bytes(receipt, signatures);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::ESignerKind)]
fun a_host_does_not_sign_for_three_parties() {
    let (receipt, signatures) = fixtures::receipt_host();
    settled_by_set(receipt, signatures);
}

#[test]
fun a_host_signs() {
    let mut world = asked(2);
    world.register_host();
    let (receipt, signature) = fixtures::receipt_host();
    world.settle_bytes(receipt, signature);
    assert!(world.pooled() == fixtures::part_units());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::usage_receipt::EReceiptSignature)]
fun a_host_signs_itself() {
    let mut world = asked(2);
    world.register_host();
    let (receipt, signature) = fixtures::receipt_host_forged();
    world.settle_bytes(receipt, signature);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::signers::ENotRegistered)]
fun a_registered_host_signs() {
    let mut world = asked(2);
    world.register_host();
    let (receipt, signature) = fixtures::receipt_host_unknown();
    world.settle_bytes(receipt, signature);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::signers::EWithdrawn)]
/// Signed before the withdrawal, which counts at once.
fun a_withdrawn_set_is_not_paid() {
    let mut world = asked(1);
    world.register_set();
    world.apply_effect(effect::withdraw_signer(fixtures::set_id()));
    let (receipt, signatures) = fixtures::receipt_set();
    world.settle_bytes(receipt, signatures);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::signers::EWithdrawnBefore)]
fun a_signer_is_withdrawn_once() {
    let mut world = asked(1);
    world.register_set();
    world.apply_effect(effect::withdraw_signer(fixtures::set_id()));
    world.apply_effect(effect::withdraw_signer(fixtures::set_id()));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::signers::ENoSigner)]
fun an_unknown_signer_is_not_withdrawn() {
    let mut world = asked(1);
    world.apply_effect(effect::withdraw_signer(fixtures::set_id()));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::signers::ERegistered)]
fun a_withdrawn_signer_does_not_come_back() {
    let mut world = asked(1);
    world.register_set();
    world.apply_effect(effect::withdraw_signer(fixtures::set_id()));
    world.register_set();
    world.end();
}

#[test, expected_failure(abort_code = usufruct::signers::ESignerKind)]
fun a_runner_is_registered_otherwise() {
    signers::assert_keys(0, &fixtures::party_keys());
}

#[test, expected_failure(abort_code = usufruct::signers::ESignerKind)]
fun there_is_no_fourth_kind() {
    effect::register_signer(3, fixtures::party_keys(), PAYEE);
}

#[test, expected_failure(abort_code = usufruct::signers::EKeyCount)]
fun a_set_has_three_keys() {
    effect::register_signer(MPC_SET, vector[fixtures::host_key()], PAYEE);
}

#[test, expected_failure(abort_code = usufruct::signers::EKeyCount)]
fun a_host_has_one_key() {
    effect::register_signer(FHE_HOST, fixtures::party_keys(), PAYEE);
}

#[test, expected_failure(abort_code = usufruct::checks::EKeyInvalid)]
fun no_key_is_zero() {
    effect::register_signer(FHE_HOST, vector[world::key(0)], PAYEE);
}

#[test, expected_failure(abort_code = usufruct::checks::EKeyInvalid)]
fun the_last_key_is_looked_at() {
    effect::register_signer(MPC_SET, vector[world::key(1), world::key(2), b"short"], PAYEE);
}

#[test, expected_failure(abort_code = usufruct::checks::ENotASet)]
fun three_parties_are_three() {
    let mut keys = fixtures::party_keys();
    *&mut keys[2] = keys[0];
    effect::register_signer(MPC_SET, keys, PAYEE);
}
