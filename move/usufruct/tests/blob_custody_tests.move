#[test_only]
/// Objects laid out as Walrus's `Blob`: for the manifest at 0x3a and the part at 0xb10b of each contribution.
module usufruct::blob_custody_tests;

use std::unit_test;
use sui::{address, event, test_scenario as ts};
use usufruct::{
    blob_custody::{Self, Renewal},
    blob_events::{BlobPutInCustody, BlobWithdrawn},
    effect,
    fixtures,
    world::{Self, World, USDX}
};

const MANIFEST: address = @0x3a;
const PART: address = @0xb10b;

public struct Blob has key, store {
    id: UID,
    registered_epoch: u32,
    /// `Blob` has a u256 here, which serialises as the same 32 bytes.
    blob_id: address,
    size: u64,
    /// Its encoding, the epoch of its certification and its storage are left out: the last byte is what counts.
    deletable: bool,
}

public struct Pebble has key, store {
    id: UID,
    bytes: vector<u8>,
}

fun blob(world: &mut World, blob_id: address): Blob {
    blob_of_kind(world, blob_id, true)
}

fun blob_of_kind(world: &mut World, blob_id: address, deletable: bool): Blob {
    let id = object::new(world.ctx());
    Blob { id, registered_epoch: 0x01020304, blob_id, size: 4_096, deletable }
}

fun id_of(contribution: u64): address {
    fixtures::contribution_ids()[contribution]
}

fun put(world: &mut World, sender: address, blob_id: address): ID {
    put_of_kind(world, sender, blob_id, true)
}

fun put_of_kind(world: &mut World, sender: address, blob_id: address, deletable: bool): ID {
    world.next(sender);
    let object = blob_of_kind(world, blob_id, deletable);
    let id = object::id(&object);
    let mut dataset = world.take_dataset(0);
    blob_custody::put(&mut dataset, id_of(0), blob_id, object, world.ctx());
    ts::return_shared(dataset);
    id
}

fun in_custody(): World {
    let mut world = world::filled();
    put(&mut world, world::owner(0), PART);
    world
}

fun take(world: &mut World, sender: address, blob_id: address): (Blob, Renewal) {
    world.next(sender);
    let dao = world.take_dao(0);
    let mut dataset = world.take_dataset(0);
    let id = id_of(0);
    let (object, renewal) = blob_custody::take_for_renewal<USDX, Blob>(
        &mut dataset,
        &dao,
        id,
        blob_id,
        world.ctx(),
    );
    ts::return_shared(dataset);
    ts::return_shared(dao);
    (object, renewal)
}

/// On Sui in the transaction that took it: a scenario takes an object once in each.
fun put_back(world: &mut World, dataset: u64, object: Blob, renewal: Renewal) {
    world.next(world::stranger());
    let mut dataset = world.take_dataset(dataset);
    blob_custody::put_back(&mut dataset, object, renewal);
    ts::return_shared(dataset);
}

fun withdraw(world: &mut World, sender: address, blob_id: address): ID {
    world.next(sender);
    let mut dataset = world.take_dataset(0);
    let object: Blob = blob_custody::withdraw(&mut dataset, id_of(0), blob_id, world.ctx());
    let id = object::id(&object);
    transfer::public_transfer(object, sender);
    ts::return_shared(dataset);
    id
}

fun is_in_custody(world: &mut World, blob_id: address): bool {
    world.next(world::stranger());
    let dataset = world.take_dataset(0);
    let is_in = blob_custody::is_in_custody(&dataset, id_of(0), blob_id);
    ts::return_shared(dataset);
    is_in
}

#[test]
fun an_owner_gives_a_blob_into_custody() {
    let mut world = world::filled();
    put(&mut world, world::owner(0), PART);
    assert!(event::events_by_type<BlobPutInCustody>().length() == 1);
    put(&mut world, world::owner(0), MANIFEST);
    assert!(is_in_custody(&mut world, PART) && is_in_custody(&mut world, MANIFEST));
    assert!(!is_in_custody(&mut world, @0xb10c));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::blob_custody::EDeletable)]
/// The policy of `world` has deletable ones.
fun a_permanent_blob_is_none_of_a_deletable_contribution() {
    let mut world = world::filled();
    put_of_kind(&mut world, world::owner(0), PART, false);
    world.end();
}

/// The DAO of `world`, with permanent blobs by vote, and a contribution that was made since.
fun permanent(): World {
    let mut world = world::founded();
    world.decide_by_vote(effect::set_data_rules(true, true, false));
    let dao = world.take_dao(0);
    let digest = dao.policy_digest();
    ts::return_shared(dao);
    world.contribute_with(
        world::owner(0),
        world::salt(),
        1_000,
        vector[PART],
        vector[4_096],
        vector[9],
        fixtures::holder_set_id(),
        digest,
    );
    world
}

#[test]
fun permanent_blobs_belong_to_a_contribution_that_was_made_for_them() {
    let mut world = permanent();
    put_of_kind(&mut world, world::owner(0), PART, false);
    assert!(is_in_custody(&mut world, PART));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::blob_custody::EDeletable)]
fun a_deletable_blob_does_not() {
    let mut world = permanent();
    put_of_kind(&mut world, world::owner(0), PART, true);
    world.end();
}

#[test]
/// What was stored by an earlier policy is judged by it.
fun a_policy_that_comes_later_changes_nothing() {
    let mut world = world::filled();
    world.decide_by_vote(effect::set_data_rules(true, true, false));
    put(&mut world, world::owner(0), PART);
    assert!(is_in_custody(&mut world, PART));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::EWrongOwner)]
fun nobody_else_does() {
    let mut world = world::filled();
    put(&mut world, world::founder(), PART);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::blob_custody::EWrongBlob)]
fun only_a_blob_of_the_contribution() {
    let mut world = world::filled();
    put(&mut world, world::owner(0), @0xb10c);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::blob_custody::EInCustody)]
fun only_one_object_of_a_blob() {
    let mut world = in_custody();
    put(&mut world, world::owner(0), PART);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::blob_custody::EWrongBlob)]
fun an_object_is_of_the_blob_that_is_named() {
    let mut world = world::filled();
    world.next(world::owner(0));
    let object = blob(&mut world, MANIFEST);
    let mut dataset = world.take_dataset(0);
    blob_custody::put(&mut dataset, id_of(0), PART, object, world.ctx());
    ts::return_shared(dataset);
    world.end();
}

/// 32 bytes of an id, a length, and these.
fun put_pebble(bytes: vector<u8>) {
    let mut world = world::filled();
    world.next(world::owner(0));
    let pebble = Pebble { id: object::new(world.ctx()), bytes };
    let mut dataset = world.take_dataset(0);
    blob_custody::put(&mut dataset, id_of(0), PART, pebble, world.ctx());
    ts::return_shared(dataset);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::blob_custody::EWrongBlob)]
fun an_object_without_a_blobs_id_is_none() {
    put_pebble(vector[]);
}

#[test, expected_failure(abort_code = usufruct::blob_custody::EWrongBlob)]
/// Three bytes more than the length of one byte, and 31 of the 32 of the blob.
fun an_object_that_ends_in_the_middle_of_one_is_none() {
    let mut bytes = b"abc";
    bytes.append(address::to_bytes(PART));
    bytes.pop_back();
    put_pebble(bytes);
}

#[test, expected_failure(abort_code = usufruct::blob_custody::EDeletable)]
/// It has the blob's id, and says nothing of being deletable.
fun an_object_that_ends_with_its_blobs_id_is_none() {
    let mut bytes = b"abc";
    bytes.append(address::to_bytes(PART));
    put_pebble(bytes);
}

#[test]
fun it_is_renewed_by_owner_and_steward_and_stays() {
    let mut world = world::filled();
    let id = put(&mut world, world::owner(0), PART);
    let (mut object, renewal) = take(&mut world, world::founder(), PART);
    assert!(object::id(&object) == id);
    object.size = 4_097;
    put_back(&mut world, 0, object, renewal);
    world.pause(0);
    let (object, renewal) = take(&mut world, world::owner(0), PART);
    assert!(object.size == 4_097);
    put_back(&mut world, 0, object, renewal);
    assert!(is_in_custody(&mut world, PART));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::EWrongKeeper)]
fun nobody_else_takes_it() {
    let mut world = in_custody();
    let (object, renewal) = take(&mut world, world::owner(1), PART);
    put_back(&mut world, 0, object, renewal);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::blob_custody::ENotInCustody)]
fun what_is_not_there_is_not_taken() {
    let mut world = in_custody();
    let (object, renewal) = take(&mut world, world::owner(0), MANIFEST);
    put_back(&mut world, 0, object, renewal);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::blob_custody::EWrongObject)]
fun the_same_object_comes_back() {
    let mut world = in_custody();
    let (object, renewal) = take(&mut world, world::owner(0), PART);
    let other = blob(&mut world, PART);
    put_back(&mut world, 0, other, renewal);
    unit_test::destroy(object);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::blob_custody::EWrongObject)]
fun to_the_same_dataset() {
    let mut world = in_custody();
    world.create_dataset(world::founder(), @0x5b);
    let (object, renewal) = take(&mut world, world::owner(0), PART);
    put_back(&mut world, 1, object, renewal);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::blob_custody::EInUse)]
fun it_is_not_withdrawn_while_it_is_used() {
    let mut world = in_custody();
    withdraw(&mut world, world::owner(0), PART);
    world.end();
}

#[test]
fun it_is_withdrawn_when_the_contribution_is_retired() {
    let mut world = world::filled();
    let id = put(&mut world, world::owner(0), PART);
    world.tombstone(world::owner(0), 0);
    assert!(withdraw(&mut world, world::owner(0), PART) == id);
    assert!(event::events_by_type<BlobWithdrawn>().length() == 1);
    assert!(!is_in_custody(&mut world, PART));
    world.end();
}

#[test]
fun or_its_dataset() {
    let mut world = in_custody();
    world.tombstone_dataset();
    withdraw(&mut world, world::owner(0), PART);
    world.end();
}

#[test]
fun or_was_declined() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    put(&mut world, world::owner(0), PART);
    world.decide(world::founder(), 0, false);
    withdraw(&mut world, world::owner(0), PART);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::EWrongOwner)]
fun nobody_else_withdraws_it() {
    let mut world = in_custody();
    world.tombstone(world::owner(0), 0);
    withdraw(&mut world, world::founder(), PART);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::blob_custody::ENotInCustody)]
fun what_is_not_there_is_not_withdrawn() {
    let mut world = in_custody();
    world.tombstone(world::owner(0), 0);
    withdraw(&mut world, world::owner(0), MANIFEST);
    world.end();
}

// === Versions ===

fun age(world: &mut World) {
    world.next(world::stranger());
    let mut dataset = world.take_dataset(0);
    dataset.set_version_for_testing(2);
    ts::return_shared(dataset);
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun nothing_is_put_into_a_dataset_of_another_version() {
    let mut world = world::filled();
    age(&mut world);
    put(&mut world, world::owner(0), PART);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun nothing_is_withdrawn_from_a_dataset_of_another_version() {
    let mut world = in_custody();
    world.tombstone(world::owner(0), 0);
    age(&mut world);
    withdraw(&mut world, world::owner(0), PART);
    world.end();
}

fun take_with_dao(version: u64, dao_index: u64) {
    let mut world = in_custody();
    world.create_dao(@0x5b, world::policy());
    world.next(world::owner(0));
    let mut dao = world.take_dao(dao_index);
    dao.set_version_for_testing(version);
    let mut dataset = world.take_dataset(0);
    let (object, renewal) = blob_custody::take_for_renewal<USDX, Blob>(
        &mut dataset,
        &dao,
        id_of(0),
        PART,
        world.ctx(),
    );
    blob_custody::put_back(&mut dataset, object, renewal);
    ts::return_shared(dataset);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::EWrongDao)]
fun another_daos_stewards_take_nothing() {
    take_with_dao(1, 1);
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun nothing_is_taken_with_a_dao_of_another_version() {
    take_with_dao(2, 0);
}
