/// The contributions that an answer used, and how much: what a receipt commits to with a salted hash.
module usufruct::data_use;

use std::bcs;
use usufruct::{digest, domain_tags};

/// Too many uses, or the lists are not of one length.
const EUseLists: u64 = 1250;
/// The uses are not the ones that the receipt commits to.
const EUsesCommitment: u64 = 1251;
/// The uses are not in ascending order of contribution id, each once.
const EUsesOrder: u64 = 1252;
/// There are uses, and all have the weight zero.
const EUsesWeight: u64 = 1253;

const USES_AT_MOST: u64 = 64;

/// In the order of the protocol library's `UseBcs`.
public struct Use has copy, drop, store {
    contribution_id: address,
    grant_id: address,
    weight: u64,
}

/// Use `i` is `contribution_ids[i]`, `grant_ids[i]` and `weights[i]`; with the salt they must open the commitment.
public(package) fun open(
    commitment: address,
    salt: address,
    contribution_ids: &vector<address>,
    grant_ids: &vector<address>,
    weights: &vector<u64>,
): vector<Use> {
    let count = contribution_ids.length();
    assert!(count <= USES_AT_MOST, EUseLists);
    assert!(grant_ids.length() == count && weights.length() == count, EUseLists);
    let mut uses = vector[];
    let mut some_weight = false;
    let mut i = 0;
    while (i < count) {
        let (contribution_id, grant_id, weight) = (contribution_ids[i], grant_ids[i], weights[i]);
        uses.push_back(Use { contribution_id, grant_id, weight });
        some_weight = some_weight || weight > 0;
        i = i + 1;
    };
    let parts = vector[salt.to_bytes(), bcs::to_bytes(&uses)];
    let opened = digest::tagged(domain_tags::uses_commitment(), parts);
    assert!(opened == commitment, EUsesCommitment);
    let mut j = 1;
    while (j < count) {
        let (before, after) = (contribution_ids[j - 1].to_bytes(), contribution_ids[j].to_bytes());
        assert!(digest::is_below(&before, &after), EUsesOrder);
        j = j + 1;
    };
    assert!(count == 0 || some_weight, EUsesWeight);
    uses
}

public fun contribution_id(self: &Use): address {
    self.contribution_id
}

public fun grant_id(self: &Use): address {
    self.grant_id
}

public fun weight(self: &Use): u64 {
    self.weight
}
