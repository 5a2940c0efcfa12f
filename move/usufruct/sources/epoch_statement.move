/// What a settler signs about an epoch of private payouts, and the holders who recomputed it: how the contributors' parts
/// of a run of receipts divide, as the root of a tree of salted leaves. The chain verifies which receipts, how much in
/// all and who signed; that the leaves follow the receipts' private weights is what the holders' signatures and their
/// objections are for.
module usufruct::epoch_statement;

use std::{bcs as std_bcs, string::{Self, String}};
use sui::{bcs, ed25519};
use usufruct::{checks, digest, domain_tags, holder_set::HolderSet, registry::{Self, Registry}};

/// The statement is too long, or is not the canonical serialisation of one.
const EStatementMalformed: u64 = 1650;
/// The statement is for another chain, package or registry.
const EStatementElsewhere: u64 = 1651;
/// The statement is from the future.
const EStatementTime: u64 = 1652;
/// The statement was issued too long ago.
const EStatementStale: u64 = 1653;
/// The settler's signature does not verify.
const ESettlerSignature: u64 = 1654;
/// Fewer holders countersigned than the policy demands, or one is named twice, or the lists are not of one length.
const ECountersigners: u64 = 1655;
/// A holder's signature does not verify.
const ECountersignature: u64 = 1656;

const STATEMENT_AT_MOST_BYTES: u64 = 2_048;
const FRESHNESS_MS: u64 = 1_800_000;

/// In the order of the protocol library's `EpochStatementBcs`.
public struct EpochStatement has copy, drop {
    chain_id: String,
    package_id: address,
    registry_id: address,
    dao_id: address,
    number: u64,
    attempt: u32,
    from_receipt: u64,
    to_receipt: u64,
    receipt_chain: address,
    total_units: u64,
    root: address,
    leaf_count: u32,
    settler_public_key: vector<u8>,
    issued_at_ms: u64,
}

/// The statement in these bytes, if it is about a DAO of this registry.
public(package) fun read(bytes: vector<u8>, registry: &Registry): EpochStatement {
    let statement = decode(bytes);
    let here =
        &statement.chain_id == registry.chain_id()
        && statement.package_id == registry::package_id()
        && statement.registry_id == object::id_address(registry);
    assert!(here, EStatementElsewhere);
    statement
}

/// The id of the epoch that it proposes: a rejected statement cannot come back.
public(package) fun epoch_id(bytes: vector<u8>): address {
    digest::tagged(domain_tags::epoch_statement(), vector[bytes])
}

public(package) fun assert_timely(self: &EpochStatement, now_ms: u64) {
    assert!(self.issued_at_ms <= now_ms + checks::clock_skew_ms(), EStatementTime);
    assert!(self.issued_at_ms + FRESHNESS_MS >= now_ms, EStatementStale);
}

public(package) fun assert_signed_by_settler(
    self: &EpochStatement,
    bytes: vector<u8>,
    signature: &vector<u8>,
) {
    let message = digest::signed_message(domain_tags::epoch_statement(), bytes);
    let key = &self.settler_public_key;
    assert!(ed25519::ed25519_verify(signature, key, &message), ESettlerSignature);
}

/// Signature `i` is by the holder set's member of index `members[i]`, over the settler's bytes. Every signature must be
/// good: a wrong one among enough good ones means that somebody is confused or cheating.
public(package) fun assert_countersigned(
    bytes: vector<u8>,
    threshold: u8,
    holder_set: &HolderSet,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    let count = members.length();
    assert!(signatures.length() == count && count >= (threshold as u64), ECountersigners);
    let mut i = 0;
    while (i < count) {
        let mut j = 0;
        while (j < i) {
            assert!(members[i] != members[j], ECountersigners);
            j = j + 1;
        };
        let tag = domain_tags::epoch_statement();
        assert!(holder_set.is_signed_by(members[i], tag, bytes, &signatures[i]), ECountersignature);
        i = i + 1;
    };
}

/// The settler's runner id.
public(package) fun settler(self: &EpochStatement): address {
    digest::runner_id(self.settler_public_key)
}

public(package) fun dao_id(self: &EpochStatement): address {
    self.dao_id
}

public(package) fun number(self: &EpochStatement): u64 {
    self.number
}

public(package) fun attempt(self: &EpochStatement): u32 {
    self.attempt
}

public(package) fun from_receipt(self: &EpochStatement): u64 {
    self.from_receipt
}

public(package) fun to_receipt(self: &EpochStatement): u64 {
    self.to_receipt
}

public(package) fun receipt_chain(self: &EpochStatement): address {
    self.receipt_chain
}

public(package) fun total_units(self: &EpochStatement): u64 {
    self.total_units
}

public(package) fun root(self: &EpochStatement): address {
    self.root
}

public(package) fun leaf_count(self: &EpochStatement): u32 {
    self.leaf_count
}

public(package) fun issued_at_ms(self: &EpochStatement): u64 {
    self.issued_at_ms
}

fun decode(bytes: vector<u8>): EpochStatement {
    assert!(bytes.length() <= STATEMENT_AT_MOST_BYTES, EStatementMalformed);
    let mut reader = bcs::new(bytes);
    let statement = EpochStatement {
        chain_id: text(reader.peel_vec_u8()),
        package_id: reader.peel_address(),
        registry_id: reader.peel_address(),
        dao_id: reader.peel_address(),
        number: reader.peel_u64(),
        attempt: reader.peel_u32(),
        from_receipt: reader.peel_u64(),
        to_receipt: reader.peel_u64(),
        receipt_chain: reader.peel_address(),
        total_units: reader.peel_u64(),
        root: reader.peel_address(),
        leaf_count: reader.peel_u32(),
        settler_public_key: reader.peel_vec_u8(),
        issued_at_ms: reader.peel_u64(),
    };
    // One meaning has one serialisation: trailing bytes and over-long lengths do not survive writing it again.
    assert!(std_bcs::to_bytes(&statement) == bytes, EStatementMalformed);
    statement
}

fun text(bytes: vector<u8>): String {
    let text = string::try_utf8(bytes);
    assert!(text.is_some(), EStatementMalformed);
    text.destroy_some()
}
