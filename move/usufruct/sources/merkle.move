/// The Merkle tree of Certificate Transparency (RFC 6962 §2.1) over SHA-256: leaves and nodes are hashed under different
/// prefixes, so that no node passes for a leaf. What a proof proves is that a root and a size commit to an entry; who
/// made the root is for the caller to know.
module usufruct::merkle;

use std::hash;

const LEAF_PREFIX: u8 = 0;
const NODE_PREFIX: u8 = 1;

/// What the tree holds for an entry.
public(package) fun leaf_hash(entry: address): vector<u8> {
    let mut bytes = vector[LEAF_PREFIX];
    bytes.append(entry.to_bytes());
    hash::sha2_256(bytes)
}

/// RFC 9162 §2.1.3.2: whether the entry is leaf `index` of the tree of `size` leaves under this root. Size and root must
/// come from one statement: with a size of the prover's choice an inner node can be shown as a leaf.
public(package) fun includes(
    root: address,
    size: u64,
    index: u64,
    entry: address,
    proof: &vector<address>,
): bool {
    if (index >= size) return false;
    let (mut node, mut last, mut known) = (index, size - 1, leaf_hash(entry));
    let mut i = 0;
    while (i < proof.length()) {
        // The root is reached and there is still a sibling.
        if (last == 0) return false;
        let sibling = proof[i].to_bytes();
        if (node % 2 == 1 || node == last) {
            known = node_hash(sibling, known);
            while (node % 2 == 0 && node != 0) {
                node = node / 2;
                last = last / 2;
            };
        } else {
            known = node_hash(known, sibling);
        };
        node = node / 2;
        last = last / 2;
        i = i + 1;
    };
    last == 0 && known == root.to_bytes()
}

fun node_hash(left: vector<u8>, right: vector<u8>): vector<u8> {
    let mut bytes = vector[NODE_PREFIX];
    bytes.append(left);
    bytes.append(right);
    hash::sha2_256(bytes)
}
