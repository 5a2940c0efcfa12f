#[test_only]
module usufruct::holder_set_tests;

use sui::test_scenario as ts;
use usufruct::{fixtures, holder_set::HolderSet, world::{Self, World}};

use fun world::anchor as HolderSet.anchor_for_testing;

const OPERATORS: vector<address> = vector[@0x1a, @0x1b, @0x1c];

fun anchor(
    world: &mut World,
    sender: address,
    member: u8,
    head: vector<u8>,
    signature: vector<u8>,
) {
    world.next(sender);
    let mut set = world.take_holder_set(0);
    set.anchor_for_testing(world, member, head, signature);
    ts::return_shared(set);
}

#[test]
fun a_set_keeps_its_members() {
    let world = world::founded();
    let set = world.take_holder_set(0);
    assert!(set.holder_set_id() == fixtures::holder_set_id());
    assert!(set.member_count() == 3);
    assert!(set.anchored_head(2).is_none());
    ts::return_shared(set);
    world.end();
}

fun create(signing: vector<vector<u8>>, sealing: vector<vector<u8>>, threshold: u8) {
    let mut world = world::begin();
    world.create_holder_set_with(@0x1, OPERATORS, signing, sealing, threshold);
    world.end();
}

fun keys(): vector<vector<u8>> {
    vector[world::key(1), world::key(2), world::key(3)]
}

#[test]
fun the_threshold_may_be_everybody() {
    create(keys(), keys(), 3);
}

#[test, expected_failure(abort_code = usufruct::holder_set::EThreshold)]
fun the_threshold_is_not_zero() {
    create(keys(), keys(), 0);
}

#[test, expected_failure(abort_code = usufruct::holder_set::EThreshold)]
fun the_threshold_is_not_above_the_members() {
    create(keys(), keys(), 4);
}

#[test, expected_failure(abort_code = usufruct::holder_set::EMemberLists)]
fun every_member_has_a_signing_key() {
    create(vector[world::key(1), world::key(2)], keys(), 2);
}

#[test, expected_failure(abort_code = usufruct::holder_set::EMemberLists)]
fun every_member_has_a_sealing_key() {
    create(keys(), vector[world::key(1), world::key(2)], 2);
}

#[test, expected_failure(abort_code = usufruct::checks::ENotASet)]
fun one_signing_key_counts_once() {
    create(vector[world::key(1), world::key(2), world::key(1)], keys(), 2);
}

#[test, expected_failure(abort_code = usufruct::checks::ENotASet)]
fun one_sealing_key_counts_once() {
    create(keys(), vector[world::key(1), world::key(2), world::key(1)], 2);
}

#[test, expected_failure(abort_code = usufruct::checks::EKeyInvalid)]
fun a_signing_key_is_not_zero() {
    create(vector[world::key(1), world::key(2), world::key(0)], keys(), 2);
}

#[test, expected_failure(abort_code = usufruct::checks::EKeyInvalid)]
fun a_sealing_key_is_not_zero() {
    create(keys(), vector[world::key(1), world::key(0), world::key(2)], 2);
}

#[test]
fun a_log_grows() {
    let mut world = world::founded();
    let (head, signature) = (fixtures::tree_head_five(), fixtures::tree_head_five_signature());
    anchor(&mut world, @0x1a, 0, head, signature);
    anchor(&mut world, @0x1a, 0, head, signature);
    let (head, signature) = (fixtures::tree_head_nine(), fixtures::tree_head_nine_signature());
    anchor(&mut world, @0x1a, 0, head, signature);
    world.next(@0x1a);
    let set = world.take_holder_set(0);
    let anchored = set.anchored_head(0).destroy_some();
    assert!(anchored.tree_size() == 9);
    assert!(anchored.root_hash() != @0x0);
    assert!(set.anchored_head(1).is_none());
    ts::return_shared(set);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETreeHeadShrinks)]
fun a_log_does_not_shrink() {
    let mut world = world::founded();
    let (head, signature) = (fixtures::tree_head_nine(), fixtures::tree_head_nine_signature());
    anchor(&mut world, @0x1a, 0, head, signature);
    let (head, signature) = (fixtures::tree_head_five(), fixtures::tree_head_five_signature());
    anchor(&mut world, @0x1a, 0, head, signature);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETreeHeadForks)]
fun a_log_is_not_rewritten() {
    let mut world = world::founded();
    let (head, signature) = (fixtures::tree_head_five(), fixtures::tree_head_five_signature());
    anchor(&mut world, @0x1a, 0, head, signature);
    let (head, signature) = (fixtures::tree_head_forked(), fixtures::tree_head_forked_signature());
    anchor(&mut world, @0x1a, 0, head, signature);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETreeHeadTime)]
fun a_tree_head_is_not_from_the_future() {
    let mut world = world::founded();
    let (head, signature) = (fixtures::tree_head_future(), fixtures::tree_head_future_signature());
    anchor(&mut world, @0x1a, 0, head, signature);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETreeHeadSignature)]
fun a_tree_head_is_signed_as_it_is() {
    let mut world = world::founded();
    let (head, signature) = (fixtures::tree_head_five(), fixtures::tree_head_nine_signature());
    anchor(&mut world, @0x1a, 0, head, signature);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETreeHeadSignature)]
/// The bytes name member 1, who did not sign them.
fun a_tree_head_is_signed_by_its_member() {
    let mut world = world::founded();
    let head = fixtures::tree_head_other_member();
    anchor(&mut world, @0x1b, 1, head, fixtures::tree_head_other_member_signature());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETreeHeadMalformed)]
fun a_tree_head_is_of_its_member() {
    let mut world = world::founded();
    let head = fixtures::tree_head_other_member();
    anchor(&mut world, @0x1a, 0, head, fixtures::tree_head_other_member_signature());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETreeHeadMalformed)]
fun a_tree_head_is_of_its_set() {
    let mut world = world::founded();
    world.create_holder_set(@0x2);
    world.next(@0x1a);
    let mut set = world.take_holder_set(1);
    let (head, signature) = (fixtures::tree_head_five(), fixtures::tree_head_five_signature());
    set.anchor_for_testing(&mut world, 0, head, signature);
    ts::return_shared(set);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ETreeHeadMalformed)]
fun a_tree_head_has_no_trailing_bytes() {
    let mut world = world::founded();
    let mut head = fixtures::tree_head_five();
    head.push_back(0);
    anchor(&mut world, @0x1a, 0, head, fixtures::tree_head_five_signature());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::EWrongOperator)]
fun only_the_operator_anchors() {
    let mut world = world::founded();
    let (head, signature) = (fixtures::tree_head_five(), fixtures::tree_head_five_signature());
    anchor(&mut world, @0x1b, 0, head, signature);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ENoSuchMember)]
fun only_members_anchor() {
    let mut world = world::founded();
    let (head, signature) = (fixtures::tree_head_five(), fixtures::tree_head_five_signature());
    anchor(&mut world, @0x1a, 3, head, signature);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_set_of_another_version_is_refused() {
    let mut world = world::founded();
    world.next(@0x1a);
    let mut set = world.take_holder_set(0);
    set.set_version_for_testing(2);
    ts::return_shared(set);
    let (head, signature) = (fixtures::tree_head_five(), fixtures::tree_head_five_signature());
    anchor(&mut world, @0x1a, 0, head, signature);
    world.end();
}

#[test]
fun a_holders_clock_may_be_ahead() {
    let mut world = world::founded();
    let (head, signature) = (fixtures::tree_head_skewed(), fixtures::tree_head_skewed_signature());
    anchor(&mut world, @0x1a, 0, head, signature);
    world.end();
}
