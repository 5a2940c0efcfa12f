/// Signers of receipts that are no attested runner, registered in a DAO by vote: the three parties of an MPC, who all
/// sign, and the host of an FHE evaluator. Their signatures prove who said something, and nothing about the machine.
module usufruct::signers;

use std::bcs;
use sui::{clock::Clock, table::{Self, Table}};
use usufruct::{checks, digest, domain_tags, payout_events};

/// The kind is neither an MPC set nor an FHE host.
const ESignerKind: u64 = 1800;
/// An MPC set has three keys and an FHE host one.
const EKeyCount: u64 = 1801;
/// A signer with these keys was registered before, withdrawn since or not.
const ERegistered: u64 = 1802;
/// No signer is registered under this id for this kind.
const ENotRegistered: u64 = 1803;
/// The signer of the receipt was withdrawn.
const EWithdrawn: u64 = 1804;
/// There is no signer of this id to withdraw.
const ENoSigner: u64 = 1805;
/// The signer was withdrawn before.
const EWithdrawnBefore: u64 = 1806;

const MPC_SET: u8 = 1;
const FHE_HOST: u8 = 2;
const MPC_PARTIES: u64 = 3;

public struct Signer has copy, drop, store {
    /// 1 an MPC set, 2 an FHE host: the codes of the protections that they give.
    kind: u8,
    /// Ed25519, 32 bytes each, in the order in which they sign.
    public_keys: vector<vector<u8>>,
    pay_to: address,
    withdrawn_at_ms: Option<u64>,
}

/// By signer id.
public struct Signers has store {
    signers: Table<address, Signer>,
}

public(package) fun empty(ctx: &mut TxContext): Signers {
    Signers { signers: table::new(ctx) }
}

/// What can be said of a signer before it is registered.
public(package) fun assert_keys(kind: u8, public_keys: &vector<vector<u8>>) {
    assert!(kind == MPC_SET || kind == FHE_HOST, ESignerKind);
    let count = if (kind == MPC_SET) MPC_PARTIES else 1;
    assert!(public_keys.length() == count, EKeyCount);
    let mut i = 0;
    while (i < count) {
        checks::assert_key(&public_keys[i]);
        i = i + 1;
    };
    // One key in two places would let one party sign for two.
    checks::assert_set(public_keys, count);
}

/// A withdrawn signer does not come back: its keys were withdrawn for a reason.
public(package) fun register(
    self: &mut Signers,
    dao_id: address,
    kind: u8,
    public_keys: vector<vector<u8>>,
    pay_to: address,
) {
    assert_keys(kind, &public_keys);
    let id = signer_id(kind, public_keys);
    assert!(!self.signers.contains(id), ERegistered);
    self.signers.add(id, Signer { kind, public_keys, pay_to, withdrawn_at_ms: option::none() });
    payout_events::signer_registered(id, dao_id, kind, public_keys, pay_to);
}

/// At once: nothing that it signed is settled from now on.
public(package) fun withdraw(self: &mut Signers, dao_id: address, id: address, clock: &Clock) {
    assert!(self.signers.contains(id), ENoSigner);
    assert!(self.signers[id].withdrawn_at_ms.is_none(), EWithdrawnBefore);
    let now_ms = clock.timestamp_ms();
    let signer = &mut self.signers[id];
    signer.withdrawn_at_ms = option::some(now_ms);
    payout_events::signer_withdrawn(dao_id, id, now_ms);
}

/// The signer that a receipt of this kind names: the set's id, or the host's key.
public(package) fun active(self: &Signers, kind: u8, named: vector<u8>): Signer {
    assert!(named.length() == 32, ENotRegistered);
    let id = if (kind == MPC_SET) sui::address::from_bytes(named)
    else signer_id(kind, vector[named]);
    assert!(self.signers.contains(id), ENotRegistered);
    let signer = self.signers[id];
    // The id is a digest over the kind too, so a set's id never names a host.
    assert!(signer.kind == kind, ENotRegistered);
    assert!(signer.withdrawn_at_ms.is_none(), EWithdrawn);
    signer
}

/// The digest of kind and keys.
public(package) fun signer_id(kind: u8, public_keys: vector<vector<u8>>): address {
    let mut parts = vector[bcs::to_bytes(&kind)];
    parts.append(public_keys);
    digest::tagged(domain_tags::signer_keys(), parts)
}

public fun public_keys(self: &Signer): &vector<vector<u8>> {
    &self.public_keys
}

public fun pay_to(self: &Signer): address {
    self.pay_to
}
