#[test_only]
/// Who must have said that he can divide a private receipt before its money is set aside.
module usufruct::opening_ack_tests;

use sui::test_scenario as ts;
use usufruct::{epoch_fixtures, fixtures, private_world, world::{Self, World}};

use fun private_world::settle_with as World.settle_with;
use fun private_world::pooled as World.pooled;
use fun settle_first as World.settle_first;
use fun name_holder_set as World.name_holder_set;

/// The first receipt, with these acknowledgements.
fun settle_first(
    world: &mut World,
    holder_set: u64,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    let (bytes, signature, _, _, _) = fixtures::receipt_first().unpack();
    world.settle_with(holder_set, bytes, signature, members, signatures);
}

/// By the three holders and the newcomer.
fun acks(): vector<vector<u8>> {
    let (bytes, _, _, _, _) = fixtures::receipt_first().unpack();
    epoch_fixtures::acknowledgements(bytes)
}

fun settled_with(members: vector<u8>, signatures: vector<vector<u8>>) {
    let mut world = private_world::asked();
    world.settle_first(0, members, signatures);
    assert!(world.pooled() == epoch_fixtures::part_units());
    world.end();
}

/// The policy names another set of the same members from now on.
fun name_holder_set(world: &mut World, holder_set: u64) {
    world.next(world::founder());
    let mut dao = world.take_dao(0);
    let set = world.take_holder_set(holder_set);
    let policy = *dao.policy();
    dao.adopt_policy(&set, policy.with_verifiers(set.holder_set_id(), 2));
    ts::return_shared(set);
    ts::return_shared(dao);
}

#[test]
fun any_two_in_any_order() {
    settled_with(vector[2, 0], vector[acks()[2], acks()[0]]);
}

#[test]
fun or_more() {
    settled_with(vector[1, 2, 0], vector[acks()[1], acks()[2], acks()[0]]);
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETooFewSigners)]
fun the_runner_alone_settles_nothing() {
    settled_with(vector[], vector[]);
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETooFewSigners)]
fun one_is_not_enough() {
    settled_with(vector[0], vector[acks()[0]]);
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETooFewSigners)]
fun each_has_a_signature() {
    settled_with(vector[0, 1], vector[acks()[0]]);
}

#[test, expected_failure(abort_code = usufruct::holder_set::ESignerTwice)]
fun each_counts_once() {
    settled_with(vector[0, 0], vector[acks()[0], acks()[0]]);
}

#[test, expected_failure(abort_code = usufruct::holder_set::ENoSuchMember)]
fun there_are_three() {
    settled_with(vector[0, 3], vector[acks()[0], acks()[3]]);
}

#[test, expected_failure(abort_code = usufruct::opening_ack::EAcknowledgement)]
fun a_member_signs_itself() {
    settled_with(vector[0, 1], vector[acks()[0], acks()[2]]);
}

#[test, expected_failure(abort_code = usufruct::opening_ack::EAcknowledgement)]
fun one_wrong_among_enough_good_ones_is_too_much() {
    settled_with(vector[0, 1, 2], vector[acks()[0], acks()[1], acks()[3]]);
}

#[test, expected_failure(abort_code = usufruct::opening_ack::EAcknowledgement)]
fun of_this_receipt() {
    let (bytes, _, _, _, _) = fixtures::receipt_second().unpack();
    let others = epoch_fixtures::acknowledgements(bytes);
    settled_with(vector[0, 1], vector[others[0], others[1]]);
}

#[test, expected_failure(abort_code = usufruct::opening_ack::EAcknowledgement)]
fun on_this_chain() {
    let others = epoch_fixtures::acknowledgements_other_chain();
    settled_with(vector[0, 1], vector[others[0], others[1]]);
}

#[test, expected_failure(abort_code = usufruct::opening_ack::EAcknowledgement)]
fun of_this_dao() {
    let others = epoch_fixtures::acknowledgements_other_dao();
    settled_with(vector[0, 1], vector[others[0], others[1]]);
}

#[test, expected_failure(abort_code = usufruct::opening_ack::EAcknowledgement)]
fun and_nothing_else() {
    let others = epoch_fixtures::acknowledgements_other_tag();
    settled_with(vector[0, 1], vector[others[0], others[1]]);
}

#[test, expected_failure(abort_code = usufruct::holder_set::EHolderTombstoned)]
fun a_retired_holder_has_nothing() {
    let mut world = private_world::asked();
    world.tombstone_member(@0x1b, 1);
    world.settle_first(0, vector[0, 1], vector[acks()[0], acks()[1]]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::opening_ack::EWrongHolderSet)]
/// Anybody may make a set of keys of his own.
fun the_set_is_the_one_of_the_policy() {
    let mut world = private_world::asked();
    world.create_holder_set(@0x5b);
    world.settle_first(1, vector[0, 1], vector[acks()[0], acks()[1]]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::opening_ack::EWrongHolderSet)]
fun the_set_of_before_does_not_count() {
    let mut world = private_world::asked();
    world.create_holder_set(@0x5b);
    world.name_holder_set(1);
    world.settle_first(0, vector[0, 1], vector[acks()[0], acks()[1]]);
    world.end();
}

#[test]
fun the_set_of_now_does() {
    let mut world = private_world::asked();
    world.create_holder_set(@0x5b);
    world.name_holder_set(1);
    world.settle_first(1, vector[0, 1], vector[acks()[0], acks()[1]]);
    world.end();
}

#[test]
/// The second holder has left, the third and the first have changed places, the newcomer is the last.
fun after_a_rotation_the_members_of_now_acknowledge() {
    let mut world = private_world::asked();
    let signatures = fixtures::rotation_good_signatures();
    world.rotate(
        fixtures::rotation_good(),
        vector[0, 1],
        vector[signatures[0], signatures[1]],
    );
    world.settle_first(0, vector[2, 1], vector[acks()[3], acks()[0]]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::opening_ack::EAcknowledgement)]
fun who_has_left_has_nothing() {
    let mut world = private_world::asked();
    let signatures = fixtures::rotation_good_signatures();
    world.rotate(
        fixtures::rotation_good(),
        vector[0, 1],
        vector[signatures[0], signatures[1]],
    );
    world.settle_first(0, vector[1, 2], vector[acks()[0], acks()[1]]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun the_set_has_this_version() {
    let mut world = private_world::asked();
    world.next(world::stranger());
    let mut set = world.take_holder_set(0);
    set.set_version_for_testing(2);
    ts::return_shared(set);
    world.settle_first(0, vector[0, 1], vector[acks()[0], acks()[1]]);
    world.end();
}
