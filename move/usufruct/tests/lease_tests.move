#[test_only]
/// Leases of a contribution's blobs: the manifest at 0x3a and one part at 0xb10b, both until epoch 9.
module usufruct::lease_tests;

use sui::{event, test_scenario as ts};
use usufruct::{contribution, fixtures, lifecycle_events::LeaseRenewed, world::{Self, World}};

const MANIFEST: address = @0x3a;
const PART: address = @0xb10b;

fun renew(world: &mut World, sender: address, blobs: vector<address>, end_epochs: vector<u32>) {
    world.next(sender);
    let dao = world.take_dao(0);
    let mut dataset = world.take_dataset(0);
    let id = fixtures::contribution_ids()[0];
    contribution::renew_lease(&mut dataset, &dao, id, blobs, end_epochs, world.ctx());
    ts::return_shared(dataset);
    ts::return_shared(dao);
}

/// End epochs of manifest and part.
fun end_epochs(world: &mut World): (u32, u32) {
    world.next(world::stranger());
    let dataset = world.take_dataset(0);
    let contribution = contribution::borrow(&dataset, fixtures::contribution_ids()[0]);
    let (manifest, part) = (
        contribution.manifest_blob().end_epoch(),
        contribution.parts_of()[0].end_epoch(),
    );
    ts::return_shared(dataset);
    (manifest, part)
}

fun renew_by(sender: address, blobs: vector<address>, end_epochs: vector<u32>) {
    let mut world = world::filled();
    renew(&mut world, sender, blobs, end_epochs);
    world.end();
}

#[test]
fun the_owner_renews_what_it_likes() {
    let mut world = world::filled();
    renew(&mut world, world::owner(0), vector[PART], vector[10]);
    assert!(event::events_by_type<LeaseRenewed>().length() == 1);
    let (manifest, part) = end_epochs(&mut world);
    assert!(manifest == 9 && part == 10);
    renew(&mut world, world::owner(0), vector[PART, MANIFEST], vector[12, 11]);
    let (manifest, part) = end_epochs(&mut world);
    assert!(manifest == 11 && part == 12);
    world.end();
}

#[test]
fun a_steward_renews_too_and_no_pause_stops_it() {
    let mut world = world::filled();
    world.pause(0);
    renew(&mut world, world::founder(), vector[MANIFEST], vector[10]);
    let (manifest, part) = end_epochs(&mut world);
    assert!(manifest == 10 && part == 9);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::EWrongKeeper)]
/// A member without a role.
fun nobody_else_renews() {
    renew_by(world::owner(1), vector[PART], vector[10]);
}

#[test, expected_failure(abort_code = usufruct::blob_reference::ELeaseShorter)]
fun a_lease_only_becomes_longer() {
    renew_by(world::owner(0), vector[PART], vector[9]);
}

#[test, expected_failure(abort_code = usufruct::blob_reference::ELeaseShorter)]
fun the_manifests_lease_too() {
    renew_by(world::owner(0), vector[MANIFEST], vector[9]);
}

#[test, expected_failure(abort_code = usufruct::contribution::EUnknownBlob)]
fun only_blobs_of_the_contribution_are_renewed() {
    renew_by(world::owner(0), vector[PART, @0xb10c], vector[10, 10]);
}

#[test, expected_failure(abort_code = usufruct::contribution::EBlobTwice)]
fun each_blob_once() {
    renew_by(world::owner(0), vector[PART, PART], vector[10, 11]);
}

#[test, expected_failure(abort_code = usufruct::contribution::ERenewals)]
fun something_is_renewed() {
    renew_by(world::owner(0), vector[], vector[]);
}

#[test, expected_failure(abort_code = usufruct::contribution::ERenewals)]
fun each_has_its_epoch() {
    renew_by(world::owner(0), vector[PART], vector[10, 11]);
}

fun many(count: u32): (vector<address>, vector<u32>) {
    let (mut blobs, mut end_epochs) = (vector[], vector[]);
    let mut i = 0;
    while (i < count) {
        blobs.push_back(PART);
        end_epochs.push_back(10 + i);
        i = i + 1;
    };
    (blobs, end_epochs)
}

#[test, expected_failure(abort_code = usufruct::contribution::EBlobTwice)]
/// As many as a contribution can have are read, and these are one blob again and again.
fun as_many_as_there_can_be() {
    let (blobs, end_epochs) = many(1_025);
    renew_by(world::owner(0), blobs, end_epochs);
}

#[test, expected_failure(abort_code = usufruct::contribution::ERenewals)]
fun and_no_more() {
    let (blobs, end_epochs) = many(1_026);
    renew_by(world::owner(0), blobs, end_epochs);
}

#[test]
/// Two parts may be the same bytes, and with them the same blob.
fun one_blob_in_two_places_is_renewed_in_both() {
    let mut world = world::founded();
    world.contribute_with(
        world::owner(0),
        world::salt(),
        1_000,
        vector[PART, PART, @0xb10c],
        vector[4_096, 4_096, 4_096],
        vector[9, 8, 9],
        fixtures::holder_set_id(),
        fixtures::policy_digest(),
    );
    renew(&mut world, world::owner(0), vector[PART], vector[10]);
    world.next(world::stranger());
    let dataset = world.take_dataset(0);
    let parts = contribution::borrow(&dataset, fixtures::contribution_ids()[0]).parts_of();
    assert!(parts[0].end_epoch() == 10 && parts[1].end_epoch() == 10 && parts[2].end_epoch() == 9);
    ts::return_shared(dataset);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::ENoContribution)]
fun what_is_not_there_is_not_renewed() {
    let mut world = world::founded();
    renew(&mut world, world::owner(0), vector[PART], vector[10]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::ETombstoned)]
fun what_was_retired_is_not_renewed() {
    let mut world = world::filled();
    world.tombstone(world::owner(0), 0);
    renew(&mut world, world::owner(0), vector[PART], vector[10]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::ETombstoned)]
fun nothing_of_a_retired_dataset_is_renewed() {
    let mut world = world::filled();
    world.tombstone_dataset();
    renew(&mut world, world::owner(0), vector[PART], vector[10]);
    world.end();
}

fun renew_with_another_dao(version: u64, dao_index: u64) {
    let mut world = world::filled();
    world.create_dao(@0x5b, world::policy());
    world.next(world::owner(0));
    let mut dao = world.take_dao(dao_index);
    dao.set_version_for_testing(version);
    let mut dataset = world.take_dataset(0);
    let id = fixtures::contribution_ids()[0];
    contribution::renew_lease(&mut dataset, &dao, id, vector[PART], vector[10], world.ctx());
    ts::return_shared(dataset);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::dataset::EWrongDao)]
fun another_daos_stewards_renew_nothing() {
    renew_with_another_dao(1, 1);
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_dao_of_another_version_renews_nothing() {
    renew_with_another_dao(2, 0);
}
