/// A contribution: where its ciphertext lies, what the contributor signed, and whether the DAO accepted it.
module usufruct::contribution;

use sui::dynamic_field as field;
use usufruct::{
    blob_reference::{Self, BlobReference},
    data_dao::Dao,
    dataset::Dataset,
    digest,
    events
};

/// A contribution with this id exists: a client that sends again sends the same transaction, not a new one.
const EIdTaken: u64 = 900;
/// The contribution was made for another version of the DAO's policy.
const EPolicyOutdated: u64 = 901;
/// The contribution's shares went to another holder set than the DAO's.
const EWrongHolderSet: u64 = 902;
/// There are no parts, or too many, or the lists are not of one length.
const EParts: u64 = 903;
/// There is no such contribution in this dataset.
const ENoContribution: u64 = 904;
/// This was decided already.
const EAlreadyDecided: u64 = 905;

const PROPOSED: u8 = 0;
const ACCEPTED: u8 = 1;
const DECLINED: u8 = 2;

const PARTS_AT_MOST: u64 = 1_024;
const PART_AT_MOST_BYTES: u64 = 8_388_608;
/// A manifest of 256 KiB, its signature in base64 and their lengths.
const SIGNED_MANIFEST_AT_MOST_BYTES: u64 = 264_192;

public struct Contribution has store {
    owner: address,
    state: u8,
    manifest_digest: address,
    manifest_blob: BlobReference,
    parts: vector<BlobReference>,
    holder_set_id: address,
    policy_digest: address,
}

/// The name of the dataset's dynamic field.
public struct ContributionKey has copy, drop, store {
    contribution_id: address,
}

/// Anybody may propose a contribution; its holder set and policy must be the ones that the DAO has now. Part `i` is
/// `part_blobs[i]`, `part_sizes_bytes[i]` and `part_end_epochs[i]`.
public fun register<T>(
    dataset: &mut Dataset,
    dao: &Dao<T>,
    salt: address,
    manifest_digest: address,
    manifest_blob: BlobReference,
    part_blobs: vector<address>,
    part_sizes_bytes: vector<u64>,
    part_end_epochs: vector<u32>,
    holder_set_id: address,
    policy_digest: address,
    ctx: &mut TxContext,
) {
    dao.assert_open();
    dataset.assert_of(dao);
    let dataset_id = dataset.dataset_id();
    let owner = ctx.sender();
    let contribution_id = digest::derive_id(b"contribution", dataset_id.to_bytes(), owner, salt);
    let key = ContributionKey { contribution_id };
    assert!(!field::exists_(dataset.uid(), key), EIdTaken);
    assert!(policy_digest == dao.policy_digest(), EPolicyOutdated);
    assert!(holder_set_id == dao.policy().holder_set_id(), EWrongHolderSet);
    manifest_blob.assert_at_most(SIGNED_MANIFEST_AT_MOST_BYTES);
    let parts = parts(part_blobs, part_sizes_bytes, part_end_epochs);
    dataset.count_contribution();
    let contribution = Contribution {
        owner,
        state: PROPOSED,
        manifest_digest,
        manifest_blob,
        parts,
        holder_set_id,
        policy_digest,
    };
    field::add(dataset.uid_mut(), key, contribution);
    events::contribution_registered(
        contribution_id,
        dataset_id,
        owner,
        manifest_digest,
        manifest_blob,
        parts,
        holder_set_id,
        policy_digest,
    );
}

/// Once, by a steward; whoever is accepted becomes a member.
public fun decide<T>(
    dataset: &mut Dataset,
    dao: &mut Dao<T>,
    contribution_id: address,
    accept: bool,
    ctx: &mut TxContext,
) {
    dao.assert_open();
    dataset.assert_of(dao);
    dao.assert_steward(ctx.sender());
    assert!(exists(dataset, contribution_id), ENoContribution);
    let contribution: &mut Contribution = field::borrow_mut(
        dataset.uid_mut(),
        ContributionKey { contribution_id },
    );
    assert!(contribution.state == PROPOSED, EAlreadyDecided);
    contribution.state = if (accept) ACCEPTED else DECLINED;
    let (state, owner) = (contribution.state, contribution.owner);
    if (accept) dao.add_member(owner);
    events::contribution_decided(contribution_id, dataset.dataset_id(), dao.dao_id(), state, owner);
}

public fun exists(dataset: &Dataset, contribution_id: address): bool {
    field::exists_(dataset.uid(), ContributionKey { contribution_id })
}

/// Aborts when this dataset has no such contribution.
public fun borrow(dataset: &Dataset, contribution_id: address): &Contribution {
    assert!(exists(dataset, contribution_id), ENoContribution);
    field::borrow(dataset.uid(), ContributionKey { contribution_id })
}

public fun owner(self: &Contribution): address {
    self.owner
}

public fun is_accepted(self: &Contribution): bool {
    self.state == ACCEPTED
}

public fun is_declined(self: &Contribution): bool {
    self.state == DECLINED
}

public fun manifest_digest(self: &Contribution): address {
    self.manifest_digest
}

public fun manifest_blob(self: &Contribution): &BlobReference {
    &self.manifest_blob
}

public fun parts_of(self: &Contribution): &vector<BlobReference> {
    &self.parts
}

public fun holder_set_id(self: &Contribution): address {
    self.holder_set_id
}

public fun policy_digest(self: &Contribution): address {
    self.policy_digest
}

fun parts(
    blobs: vector<address>,
    sizes_bytes: vector<u64>,
    end_epochs: vector<u32>,
): vector<BlobReference> {
    let count = blobs.length();
    assert!(count > 0 && count <= PARTS_AT_MOST, EParts);
    assert!(sizes_bytes.length() == count && end_epochs.length() == count, EParts);
    let mut parts = vector[];
    let mut i = 0;
    while (i < count) {
        let part = blob_reference::new(blobs[i], sizes_bytes[i], end_epochs[i]);
        part.assert_at_most(PART_AT_MOST_BYTES);
        parts.push_back(part);
        i = i + 1;
    };
    parts
}
