/// A contribution: where its ciphertext lies, what the contributor signed, and whether the DAO accepted it.
module usufruct::contribution;

use sui::{clock::Clock, dynamic_field as field};
use usufruct::{
    blob_reference::{Self, BlobReference},
    data_dao::Dao,
    dataset::Dataset,
    digest,
    events,
    lifecycle_events
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
/// The contribution was retired for good.
const ETombstoned: u64 = 906;
/// Only the contribution's owner may do this.
const EWrongOwner: u64 = 907;
/// Only the contribution's owner or a steward may do this.
const EWrongKeeper: u64 = 908;
/// There are no renewals, or too many, or the lists are not of one length.
const ERenewals: u64 = 909;
/// A blob is named twice.
const EBlobTwice: u64 = 910;
/// The blob is none of the contribution's.
const EUnknownBlob: u64 = 911;

const PROPOSED: u8 = 0;
const ACCEPTED: u8 = 1;
const DECLINED: u8 = 2;

const PARTS_AT_MOST: u64 = 1_024;
/// The parts and the manifest.
const BLOBS_AT_MOST: u64 = 1_025;
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
    /// As that policy says: whether its blobs are stored so that nobody can delete them.
    permanent_blobs: bool,
    /// By its owner, for good: no key of it may be released again.
    tombstoned_at_ms: Option<u64>,
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
    dataset.assert_living();
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
        permanent_blobs: dao.policy().has_permanent_blobs(),
        tombstoned_at_ms: option::none(),
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
    dataset.assert_living();
    dao.assert_steward(ctx.sender());
    assert!(exists(dataset, contribution_id), ENoContribution);
    let contribution: &mut Contribution = field::borrow_mut(
        dataset.uid_mut(),
        ContributionKey { contribution_id },
    );
    assert!(contribution.state == PROPOSED, EAlreadyDecided);
    contribution.assert_living();
    contribution.state = if (accept) ACCEPTED else DECLINED;
    let (state, owner) = (contribution.state, contribution.owner);
    if (accept) dao.add_member(owner);
    events::contribution_decided(contribution_id, dataset.dataset_id(), dao.dao_id(), state, owner);
}

/// By its owner, in any state, for good: no grant for it, no key of it, no pay for what is answered from here on. A pause
/// does not stop it.
public fun tombstone(
    dataset: &mut Dataset,
    contribution_id: address,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    dataset.assert_version();
    assert!(exists(dataset, contribution_id), ENoContribution);
    let contribution: &mut Contribution = field::borrow_mut(
        dataset.uid_mut(),
        ContributionKey { contribution_id },
    );
    assert!(ctx.sender() == contribution.owner, EWrongOwner);
    contribution.assert_living();
    let at_ms = clock.timestamp_ms();
    contribution.tombstoned_at_ms = option::some(at_ms);
    lifecycle_events::contribution_tombstoned(contribution_id, dataset.dataset_id(), at_ms);
}

/// By its owner or a steward, once the leases on Walrus are longer: the lease of `blobs[i]` now ends with `end_epochs[i]`.
/// The chain cannot see whether that is so; who reads the blobs finds out. A pause does not stop it: leases run out.
public fun renew_lease<T>(
    dataset: &mut Dataset,
    dao: &Dao<T>,
    contribution_id: address,
    blobs: vector<address>,
    end_epochs: vector<u32>,
    ctx: &mut TxContext,
) {
    dao.assert_version();
    dataset.assert_of(dao);
    dataset.assert_living();
    assert_keeper(dataset, dao, contribution_id, ctx);
    let contribution: &mut Contribution = field::borrow_mut(
        dataset.uid_mut(),
        ContributionKey { contribution_id },
    );
    contribution.assert_living();
    let count = blobs.length();
    assert!(count > 0 && count <= BLOBS_AT_MOST && end_epochs.length() == count, ERenewals);
    let mut renewals = vector[];
    let mut i = 0;
    while (i < count) {
        let (_, first) = blobs.index_of(&blobs[i]);
        assert!(first == i, EBlobTwice);
        contribution.renew(blobs[i], end_epochs[i]);
        renewals.push_back(blob_reference::lease_renewal(blobs[i], end_epochs[i]));
        i = i + 1;
    };
    lifecycle_events::lease_renewed(contribution_id, renewals);
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

public fun has_permanent_blobs(self: &Contribution): bool {
    self.permanent_blobs
}

/// Since when the contribution is retired, or none.
public fun tombstoned_at_ms(self: &Contribution): Option<u64> {
    self.tombstoned_at_ms
}

/// Whether the blob is a part of it, or its manifest.
public fun has_blob(self: &Contribution, blob: address): bool {
    if (self.manifest_blob.blob() == blob) return true;
    let mut i = 0;
    while (i < self.parts.length()) {
        if (self.parts[i].blob() == blob) return true;
        i = i + 1;
    };
    false
}

public(package) fun assert_living(self: &Contribution) {
    assert!(self.tombstoned_at_ms.is_none(), ETombstoned);
}

/// Not retired yet at `at_ms`: a use before that is paid.
public(package) fun assert_living_at(self: &Contribution, at_ms: u64) {
    let since = self.tombstoned_at_ms;
    assert!(since.is_none() || *since.borrow() > at_ms, ETombstoned);
}

/// The sender owns the contribution, which exists.
public(package) fun assert_owner(dataset: &Dataset, contribution_id: address, ctx: &TxContext) {
    assert!(ctx.sender() == borrow(dataset, contribution_id).owner, EWrongOwner);
}

/// The sender owns the contribution, or is a steward of the DAO.
public(package) fun assert_keeper<T>(
    dataset: &Dataset,
    dao: &Dao<T>,
    contribution_id: address,
    ctx: &TxContext,
) {
    let sender = ctx.sender();
    let keeps = sender == borrow(dataset, contribution_id).owner || dao.is_steward(sender);
    assert!(keeps, EWrongKeeper);
}

fun renew(self: &mut Contribution, blob: address, end_epoch: u32) {
    assert!(self.has_blob(blob), EUnknownBlob);
    if (self.manifest_blob.blob() == blob) self.manifest_blob.renew(end_epoch);
    let mut i = 0;
    while (i < self.parts.length()) {
        if (self.parts[i].blob() == blob) self.parts[i].renew(end_epoch);
        i = i + 1;
    };
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
