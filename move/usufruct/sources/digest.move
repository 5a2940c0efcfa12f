/// Digests and ids, byte for byte as the protocol library makes them. Values of 32 bytes (ids, digests, salts) are of
/// type `address` throughout: its serialisation is the 32 bytes and nothing else.
module usufruct::digest;

use std::{bcs, hash};
use sui::{address, hash as sui_hash};
use usufruct::domain_tags;

/// Sui's flag of the signature scheme Ed25519, the first byte of what an address is the hash of.
const ED25519_FLAG: u8 = 0;

/// Each part preceded by its length as u32 little-endian, so that no two lists of parts give the same bytes.
public(package) fun length_prefixed(parts: vector<vector<u8>>): vector<u8> {
    let mut bytes = vector[];
    let mut i = 0;
    while (i < parts.length()) {
        bytes.append(bcs::to_bytes(&(parts[i].length() as u32)));
        bytes.append(parts[i]);
        i = i + 1;
    };
    bytes
}

/// SHA-256 over the tag and every part, each length-prefixed.
public(package) fun tagged(tag: vector<u8>, parts: vector<vector<u8>>): address {
    let mut all = vector[tag];
    all.append(parts);
    address::from_bytes(hash::sha2_256(length_prefixed(all)))
}

/// What a signature under this tag covers.
public(package) fun signed_message(tag: vector<u8>, message: vector<u8>): vector<u8> {
    length_prefixed(vector[tag, message])
}

/// The id that a client derives before it sends anything. The owner is part of it, so nobody can take an id that
/// another is about to use; an object without a parent has empty bytes in the parent's place.
public(package) fun derive_id(
    kind: vector<u8>,
    parent: vector<u8>,
    owner: address,
    salt: address,
): address {
    tagged(domain_tags::object_id(), vector[kind, parent, owner.to_bytes(), salt.to_bytes()])
}

/// The account of a DAO's treasury as events name it: a digest, so nobody has its key.
public(package) fun treasury_account(dao_id: address): address {
    tagged(domain_tags::object_id(), vector[b"treasury", dao_id.to_bytes()])
}

/// The id of a runner is the digest of its attested signing key.
public(package) fun runner_id(signing_public_key: vector<u8>): address {
    address::from_bytes(hash::sha2_256(signing_public_key))
}

/// The Sui address that belongs to an Ed25519 key.
public(package) fun ed25519_address(public_key: vector<u8>): address {
    let mut bytes = vector[ED25519_FLAG];
    bytes.append(public_key);
    address::from_bytes(sui_hash::blake2b256(&bytes))
}

/// Byte order; a prefix comes first.
public(package) fun is_below(left: &vector<u8>, right: &vector<u8>): bool {
    let mut i = 0;
    while (i < left.length() && i < right.length()) {
        if (left[i] != right[i]) return left[i] < right[i];
        i = i + 1;
    };
    left.length() < right.length()
}
