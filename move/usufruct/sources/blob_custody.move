/// Custody of Walrus's `Blob` objects: whoever owns one extends its lease and, where it is deletable, deletes it. By
/// default a contribution only names its blobs and the objects stay where they are. An owner who wants more can put them
/// in here: then stewards can keep the leases alive too, and nobody, the owner included, can delete the ciphertext while
/// the contribution is in use. It comes out for good once the contribution is declined or retired, or its dataset is.
///
/// `B` is any object, because Walrus is a package of its own on each network; what is put in must have the blob's id
/// where a `Blob` has it, and be deletable or permanent as the policy says for which the contribution was made.
module usufruct::blob_custody;

use std::bcs;
use sui::dynamic_object_field as object_field;
use usufruct::{blob_events, contribution, data_dao::Dao, dataset::Dataset};

/// The blob is none of the contribution's, or the object has another blob's id.
const EWrongBlob: u64 = 2000;
/// An object of this blob is in custody already.
const EInCustody: u64 = 2001;
/// No object of this blob is in custody.
const ENotInCustody: u64 = 2002;
/// The contribution is in use: it is neither declined nor retired, and its dataset is not retired.
const EInUse: u64 = 2003;
/// This is not the object that was taken, or not the dataset that it was taken from.
const EWrongObject: u64 = 2004;
/// The blob is deletable where the contribution's policy wants permanent ones, or the other way round.
const EDeletable: u64 = 2005;

/// A `Blob` serialises as its object id (32 bytes), the epoch of its registration (4), its blob id (32), its size, its
/// encoding, the epoch of its certification, its storage, and in the last byte whether it is deletable.
const BLOB_ID_FROM: u64 = 36;
const BLOB_ID_TO: u64 = 68;

/// The name of the dataset's dynamic object field.
public struct BlobKey has copy, drop, store {
    contribution_id: address,
    blob: address,
}

/// Must be given back with the same object in the same transaction: it can be neither kept nor thrown away.
public struct Renewal {
    dataset_id: address,
    key: BlobKey,
    object: ID,
}

/// By the contribution's owner, for one of its blobs.
public fun put<B: key + store>(
    dataset: &mut Dataset,
    contribution_id: address,
    blob: address,
    object: B,
    ctx: &mut TxContext,
) {
    dataset.assert_version();
    contribution::assert_owner(dataset, contribution_id, ctx);
    let contribution = contribution::borrow(dataset, contribution_id);
    assert!(contribution.has_blob(blob), EWrongBlob);
    let bytes = bcs::to_bytes(&object);
    assert!(blob_id_of(&bytes) == blob.to_bytes(), EWrongBlob);
    let deletable = if (contribution.has_permanent_blobs()) 0 else 1;
    assert!(bytes[bytes.length() - 1] == deletable, EDeletable);
    let key = BlobKey { contribution_id, blob };
    assert!(!object_field::exists_(dataset.uid(), key), EInCustody);
    blob_events::blob_put_in_custody(contribution_id, blob, object::id(&object));
    object_field::add(dataset.uid_mut(), key, object);
}

/// By the contribution's owner or a steward: certify the blob or extend its lease, and give the object back with
/// `put_back`. What Walrus does to an object that it consumes (deleting, burning) cannot be done with this one.
public fun take_for_renewal<T, B: key + store>(
    dataset: &mut Dataset,
    dao: &Dao<T>,
    contribution_id: address,
    blob: address,
    ctx: &mut TxContext,
): (B, Renewal) {
    dao.assert_version();
    dataset.assert_of(dao);
    contribution::assert_keeper(dataset, dao, contribution_id, ctx);
    let key = BlobKey { contribution_id, blob };
    let object: B = take(dataset, key);
    let renewal = Renewal { dataset_id: dataset.dataset_id(), key, object: object::id(&object) };
    (object, renewal)
}

/// The lease is then made known with `contribution::renew_lease`.
public fun put_back<B: key + store>(dataset: &mut Dataset, object: B, renewal: Renewal) {
    let Renewal { dataset_id, key, object: taken } = renewal;
    assert!(dataset_id == dataset.dataset_id() && taken == object::id(&object), EWrongObject);
    object_field::add(dataset.uid_mut(), key, object);
}

/// By the contribution's owner, for good, once the contribution is over: to delete the blob on Walrus, or to let its
/// lease run out.
public fun withdraw<B: key + store>(
    dataset: &mut Dataset,
    contribution_id: address,
    blob: address,
    ctx: &mut TxContext,
): B {
    dataset.assert_version();
    contribution::assert_owner(dataset, contribution_id, ctx);
    let contribution = contribution::borrow(dataset, contribution_id);
    let is_over =
        contribution.is_declined()
        || contribution.tombstoned_at_ms().is_some()
        || dataset.tombstoned_at_ms().is_some();
    assert!(is_over, EInUse);
    let object: B = take(dataset, BlobKey { contribution_id, blob });
    blob_events::blob_withdrawn(contribution_id, blob, object::id(&object));
    object
}

public fun is_in_custody(dataset: &Dataset, contribution_id: address, blob: address): bool {
    object_field::exists_(dataset.uid(), BlobKey { contribution_id, blob })
}

fun take<B: key + store>(dataset: &mut Dataset, key: BlobKey): B {
    assert!(object_field::exists_(dataset.uid(), key), ENotInCustody);
    object_field::remove(dataset.uid_mut(), key)
}

/// Nothing where the object is too short to have one.
fun blob_id_of(bytes: &vector<u8>): vector<u8> {
    let mut blob_id = vector[];
    let mut i = BLOB_ID_FROM;
    while (i < BLOB_ID_TO && i < bytes.length()) {
        blob_id.push_back(bytes[i]);
        i = i + 1;
    };
    blob_id
}
