#[test_only]
/// Rotations and tombstones of a holder set: who makes the next version, and whose word counts.
module usufruct::holder_rotation_tests;

use sui::{event, test_scenario as ts};
use usufruct::{
    fixtures,
    holder_set::HolderSet,
    lifecycle_events::{HolderSetRotated, HolderTombstoned},
    registry::Registry,
    world::{Self, World}
};

use fun world::anchor as HolderSet.anchor_for_testing;

/// Of the set as it was founded, and as `rotation_good` makes it: holders 2 and 0, and a newcomer.
const FIRST: address = @0x1a;
const SECOND: address = @0x1b;
const NEWCOMER: address = @0x1d;

fun pick(all: vector<vector<u8>>, which: vector<u64>): vector<vector<u8>> {
    let mut picked = vector[];
    let mut i = 0;
    while (i < which.length()) {
        picked.push_back(all[which[i]]);
        i = i + 1;
    };
    picked
}

/// By the first two holders.
fun rotate(world: &mut World, rotation: vector<u8>, signatures: vector<vector<u8>>) {
    world.rotate(rotation, vector[0, 1], pick(signatures, vector[0, 1]));
}

fun rotated(): World {
    let mut world = world::founded();
    rotate(&mut world, fixtures::rotation_good(), fixtures::rotation_good_signatures());
    world
}

/// A set as it was founded, to which this is sent.
fun refuse(rotation: vector<u8>, signatures: vector<vector<u8>>) {
    let mut world = world::founded();
    rotate(&mut world, rotation, signatures);
    world.end();
}

fun anchor(world: &mut World, sender: address, member: u8, head: vector<u8>, sig: vector<u8>) {
    world.next(sender);
    let mut set = world.take_holder_set(0);
    set.anchor_for_testing(world, member, head, sig);
    ts::return_shared(set);
}

#[test]
fun two_of_three_make_the_next_version() {
    let mut world = rotated();
    assert!(event::events_by_type<HolderSetRotated>().length() == 1);
    world.next(FIRST);
    let set = world.take_holder_set(0);
    assert!(set.set_version() == 2 && set.member_count() == 3 && set.threshold() == 2);
    assert!(set.holder_set_id() == fixtures::holder_set_id());
    ts::return_shared(set);
    world.end();
}

#[test]
/// By the places of the new version: holder 2 has 0, holder 0 has 1, the newcomer has 2.
fun the_new_members_make_the_version_after_it() {
    let mut world = rotated();
    let signatures = pick(fixtures::rotation_next_signatures(), vector[3, 2]);
    world.rotate(fixtures::rotation_next(), vector[2, 0], signatures);
    world.next(FIRST);
    let set = world.take_holder_set(0);
    assert!(set.set_version() == 3 && set.threshold() == 3);
    ts::return_shared(set);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ERotationSignature)]
/// Holder 1 has left: nobody in the set has its key.
fun who_has_left_makes_no_version() {
    let mut world = rotated();
    let signatures = pick(fixtures::rotation_next_signatures(), vector[1, 2]);
    world.rotate(fixtures::rotation_next(), vector[1, 0], signatures);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ERotationVersion)]
fun a_rotation_happens_once() {
    let mut world = rotated();
    let signatures = pick(fixtures::rotation_good_signatures(), vector[2, 0]);
    world.rotate(fixtures::rotation_good(), vector[0, 1], signatures);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ERotationVersion)]
fun no_version_is_left_out() {
    refuse(fixtures::rotation_next(), fixtures::rotation_next_signatures());
}

#[test, expected_failure(abort_code = usufruct::holder_set::ERotationVersion)]
fun no_version_is_made_again() {
    refuse(fixtures::rotation_same_version(), fixtures::rotation_same_version_signatures());
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETooFewSigners)]
fun one_of_three_makes_no_version() {
    let mut world = world::founded();
    let signatures = pick(fixtures::rotation_good_signatures(), vector[0]);
    world.rotate(fixtures::rotation_good(), vector[0], signatures);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETooFewSigners)]
fun every_signer_has_a_signature() {
    let mut world = world::founded();
    let signatures = pick(fixtures::rotation_good_signatures(), vector[0, 1]);
    world.rotate(fixtures::rotation_good(), vector[0, 1, 2], signatures);
    world.end();
}

#[test]
fun all_three_make_one_too() {
    let mut world = world::founded();
    let signatures = pick(fixtures::rotation_good_signatures(), vector[2, 0, 1]);
    world.rotate(fixtures::rotation_good(), vector[2, 0, 1], signatures);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ESignerTwice)]
fun one_holder_counts_once() {
    let mut world = world::founded();
    let signatures = pick(fixtures::rotation_good_signatures(), vector[0, 1, 0]);
    world.rotate(fixtures::rotation_good(), vector[0, 1, 0], signatures);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ERotationSignature)]
fun one_wrong_signature_among_enough_is_refused() {
    let mut world = world::founded();
    let signatures = pick(fixtures::rotation_good_signatures(), vector[0, 1, 3]);
    world.rotate(fixtures::rotation_good(), vector[0, 1, 2], signatures);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ENoSuchMember)]
fun only_members_make_versions() {
    let mut world = world::founded();
    let signatures = pick(fixtures::rotation_good_signatures(), vector[0, 3]);
    world.rotate(fixtures::rotation_good(), vector[0, 3], signatures);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ERotationElsewhere)]
fun a_rotation_of_another_chain_is_refused() {
    refuse(fixtures::rotation_other_chain(), fixtures::rotation_other_chain_signatures());
}

#[test, expected_failure(abort_code = usufruct::holder_set::ERotationElsewhere)]
fun a_rotation_of_another_set_is_refused() {
    refuse(fixtures::rotation_other_set(), fixtures::rotation_other_set_signatures());
}

#[test, expected_failure(abort_code = usufruct::holder_set::EThreshold)]
fun a_version_has_a_threshold() {
    refuse(fixtures::rotation_no_threshold(), fixtures::rotation_no_threshold_signatures());
}

#[test, expected_failure(abort_code = usufruct::holder_set::EThreshold)]
fun a_version_has_enough_members() {
    refuse(fixtures::rotation_high_threshold(), fixtures::rotation_high_threshold_signatures());
}

#[test, expected_failure(abort_code = usufruct::checks::ENotASet)]
fun a_version_has_members() {
    refuse(fixtures::rotation_nobody(), fixtures::rotation_nobody_signatures());
}

#[test, expected_failure(abort_code = usufruct::checks::ENotASet)]
fun a_version_has_each_signing_key_once() {
    refuse(fixtures::rotation_one_key_twice(), fixtures::rotation_one_key_twice_signatures());
}

#[test, expected_failure(abort_code = usufruct::checks::ENotASet)]
fun a_version_has_each_sealing_key_once() {
    refuse(fixtures::rotation_one_seal_twice(), fixtures::rotation_one_seal_twice_signatures());
}

#[test, expected_failure(abort_code = usufruct::checks::EKeyInvalid)]
fun a_version_has_no_zero_signing_key() {
    refuse(fixtures::rotation_zero_key(), fixtures::rotation_zero_key_signatures());
}

#[test, expected_failure(abort_code = usufruct::checks::EKeyInvalid)]
fun a_version_has_no_zero_sealing_key() {
    refuse(fixtures::rotation_zero_seal(), fixtures::rotation_zero_seal_signatures());
}

#[test, expected_failure(abort_code = usufruct::holder_set::ERotationMalformed)]
fun a_rotation_has_no_trailing_bytes() {
    let mut rotation = fixtures::rotation_good();
    rotation.push_back(0);
    refuse(rotation, fixtures::rotation_good_signatures());
}

#[test, expected_failure(abort_code = usufruct::holder_set::ERotationMalformed)]
/// The first byte is the length of the chain's id, the second its first letter.
fun a_rotation_names_its_chain_in_letters() {
    let mut rotation = fixtures::rotation_good();
    *&mut rotation[1] = 0xff;
    refuse(rotation, fixtures::rotation_good_signatures());
}

#[test, expected_failure(abort_code = usufruct::holder_set::ERotationElsewhere)]
fun a_rotation_of_the_longest_length_is_read() {
    refuse(fixtures::rotation_longest(), fixtures::rotation_longest_signatures());
}

#[test, expected_failure(abort_code = usufruct::holder_set::ERotationMalformed)]
fun a_longer_rotation_is_not() {
    refuse(fixtures::rotation_longer(), fixtures::rotation_longer_signatures());
}

#[test]
fun a_log_follows_its_holder_to_another_place() {
    let mut world = world::founded();
    anchor(
        &mut world,
        FIRST,
        0,
        fixtures::tree_head_five(),
        fixtures::tree_head_five_signature(),
    );
    rotate(&mut world, fixtures::rotation_good(), fixtures::rotation_good_signatures());
    world.next(FIRST);
    let set = world.take_holder_set(0);
    assert!(set.anchored_head(0).is_none() && set.anchored_head(2).is_none());
    assert!(set.anchored_head(1).destroy_some().tree_size() == 5);
    ts::return_shared(set);
    let head = fixtures::tree_head_nine_in_new_place();
    anchor(&mut world, FIRST, 1, head, fixtures::tree_head_nine_in_new_place_signature());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETreeHeadShrinks)]
fun a_log_does_not_shrink_on_its_way() {
    let mut world = world::founded();
    let (head, signature) = (fixtures::tree_head_nine(), fixtures::tree_head_nine_signature());
    anchor(&mut world, FIRST, 0, head, signature);
    rotate(&mut world, fixtures::rotation_good(), fixtures::rotation_good_signatures());
    let head = fixtures::tree_head_other_member();
    anchor(&mut world, FIRST, 1, head, fixtures::tree_head_other_member_signature());
    world.end();
}

// === Tombstones ===

/// Holder 1 is no more.
fun bereft(): World {
    let mut world = world::founded();
    world.tombstone_member(SECOND, 1);
    world
}

#[test]
fun a_holder_is_retired_for_good() {
    let mut world = bereft();
    assert!(event::events_by_type<HolderTombstoned>().length() == 1);
    world.next(FIRST);
    let set = world.take_holder_set(0);
    assert!(set.is_tombstoned(&fixtures::holder_keys()[1]));
    assert!(!set.is_tombstoned(&fixtures::holder_keys()[0]));
    ts::return_shared(set);
    let signatures = pick(fixtures::rotation_good_signatures(), vector[0, 2]);
    world.rotate(fixtures::rotation_good(), vector[0, 2], signatures);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::EHolderTombstoned)]
fun a_holder_is_retired_once() {
    let mut world = bereft();
    world.tombstone_member(SECOND, 1);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::EWrongOperator)]
fun only_its_operator_retires_a_holder() {
    let mut world = world::founded();
    world.tombstone_member(FIRST, 1);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ENoSuchMember)]
fun only_members_are_retired() {
    let mut world = world::founded();
    world.tombstone_member(FIRST, 3);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::EHolderTombstoned)]
fun a_retired_holder_makes_no_version() {
    let mut world = bereft();
    let signatures = fixtures::rotation_good_signatures();
    world.rotate(
        fixtures::rotation_good(),
        vector[0, 2, 1],
        pick(signatures, vector[0, 2, 1]),
    );
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::EHolderTombstoned)]
fun a_retired_holder_vouches_for_no_runner() {
    let mut world = bereft();
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::EHolderTombstoned)]
fun a_retired_holder_anchors_nothing() {
    let mut world = world::founded();
    world.tombstone_member(FIRST, 0);
    let (head, signature) = (fixtures::tree_head_five(), fixtures::tree_head_five_signature());
    anchor(&mut world, FIRST, 0, head, signature);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::EHolderTombstoned)]
/// It has left the set meanwhile, and was retired before.
fun a_retired_key_does_not_come_back() {
    let mut world = bereft();
    let signatures = pick(fixtures::rotation_good_signatures(), vector[0, 2]);
    world.rotate(fixtures::rotation_good(), vector[0, 2], signatures);
    let signatures = pick(fixtures::rotation_back_signatures(), vector[2, 0]);
    world.rotate(fixtures::rotation_back(), vector[0, 1], signatures);
    world.end();
}

#[test]
/// Holder 1 left, was not retired, and is asked to come back.
fun who_only_left_may_come_back() {
    let mut world = rotated();
    let signatures = pick(fixtures::rotation_back_signatures(), vector[2, 0]);
    world.rotate(fixtures::rotation_back(), vector[0, 1], signatures);
    world.next(NEWCOMER);
    let set = world.take_holder_set(0);
    assert!(set.member_count() == 4);
    ts::return_shared(set);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_set_of_another_version_is_not_rotated() {
    let mut world = world::founded();
    let mut set = world.take_holder_set(0);
    set.set_version_for_testing(2);
    ts::return_shared(set);
    rotate(&mut world, fixtures::rotation_good(), fixtures::rotation_good_signatures());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_holder_of_a_set_of_another_version_is_not_retired() {
    let mut world = world::founded();
    let mut set = world.take_holder_set(0);
    set.set_version_for_testing(2);
    ts::return_shared(set);
    world.tombstone_member(FIRST, 0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_registry_of_another_version_rotates_nothing() {
    let mut world = world::founded();
    let mut registry: Registry = world.take_registry();
    registry.set_version_for_testing(2);
    ts::return_shared(registry);
    rotate(&mut world, fixtures::rotation_good(), fixtures::rotation_good_signatures());
    world.end();
}
