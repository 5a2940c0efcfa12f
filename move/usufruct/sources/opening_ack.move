/// What key holders sign once they have checked and stored the opening of a private receipt: without the openings nobody
/// could divide what its settlement sets aside, nor what any later one of the DAO does, since epochs leave no receipt out.
module usufruct::opening_ack;

use std::{bcs, string::String};
use usufruct::{
    data_dao::Dao,
    digest,
    domain_tags,
    holder_set::{Self, HolderSet},
    registry::Registry
};

/// The holder set is not the one that the DAO's policy names.
const EWrongHolderSet: u64 = 1750;
/// A holder's signature does not verify.
const EAcknowledgement: u64 = 1751;

/// In the order of the protocol library's `OpeningAckBcs`. Package, registry and job are in the receipt, which the digest
/// binds.
public struct OpeningAck has copy, drop {
    chain_id: String,
    dao_id: address,
    receipt_digest: address,
}

/// Signature `i` is by the member of index `members[i]` of the set that the policy names now: different ones, none of them
/// tombstoned, as many as countersign an epoch. Every signature must be good.
public(package) fun assert_acknowledged<T>(
    dao: &Dao<T>,
    registry: &Registry,
    holder_set: &HolderSet,
    receipt: vector<u8>,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    holder_set.assert_version();
    let policy = dao.policy();
    assert!(holder_set.holder_set_id() == policy.holder_set_id(), EWrongHolderSet);
    holder_set::assert_signers(&members, &signatures, policy.verifier_threshold());
    let ack = OpeningAck {
        chain_id: *registry.chain_id(),
        dao_id: dao.dao_id(),
        receipt_digest: digest::tagged(domain_tags::receipt(), vector[receipt]),
    };
    let (tag, message) = (domain_tags::opening_ack(), bcs::to_bytes(&ack));
    let mut i = 0;
    while (i < members.length()) {
        let signed = holder_set.is_signed_by(members[i], tag, message, &signatures[i]);
        assert!(signed, EAcknowledgement);
        i = i + 1;
    };
}
