#[test_only]
module usufruct::contribution_tests;

use sui::test_scenario as ts;
use usufruct::{contribution, fixtures, world};

const OTHER: address = @0x2;

/// With one part of this size, unless the lists say otherwise.
fun contribute(
    manifest_bytes: u64,
    parts: vector<address>,
    part_sizes: vector<u64>,
    part_end_epochs: vector<u32>,
    holder_set_id: address,
    policy_digest: address,
) {
    let mut world = world::founded();
    world.contribute_with(
        world::owner(0),
        world::salt(),
        manifest_bytes,
        parts,
        part_sizes,
        part_end_epochs,
        holder_set_id,
        policy_digest,
    );
    world.end();
}

fun contribute_sizes(manifest_bytes: u64, part_bytes: u64) {
    contribute(
        manifest_bytes,
        vector[OTHER],
        vector[part_bytes],
        vector[9],
        fixtures::holder_set_id(),
        fixtures::policy_digest(),
    );
}

#[test]
fun a_contribution_is_kept_as_it_was_proposed() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.next(world::stranger());
    let dataset = world.take_dataset(0);
    assert!(dataset.contribution_count() == 1);
    let kept = contribution::borrow(&dataset, fixtures::contribution_ids()[0]);
    assert!(kept.owner() == world::owner(0));
    assert!(!kept.is_accepted() && !kept.is_declined());
    assert!(kept.manifest_digest() == @0xd16e57);
    assert!(kept.manifest_blob().blob() == @0x3a);
    assert!(kept.parts_of().length() == 1);
    assert!(kept.parts_of()[0].size_bytes() == 4_096 && kept.parts_of()[0].end_epoch() == 9);
    assert!(kept.holder_set_id() == fixtures::holder_set_id());
    assert!(kept.policy_digest() == fixtures::policy_digest());
    ts::return_shared(dataset);
    world.end();
}

#[test]
fun whoever_is_accepted_becomes_a_member() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.contribute(world::owner(1), world::salt());
    world.decide(world::founder(), 0, true);
    world.decide(world::founder(), 1, false);
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.is_member(world::owner(0)) && !dao.is_member(world::owner(1)));
    ts::return_shared(dao);
    let dataset = world.take_dataset(0);
    let ids = fixtures::contribution_ids();
    assert!(contribution::borrow(&dataset, ids[0]).is_accepted());
    assert!(contribution::borrow(&dataset, ids[1]).is_declined());
    assert!(!contribution::exists(&dataset, ids[2]));
    ts::return_shared(dataset);
    world.end();
}

#[test]
fun sizes_may_be_small() {
    contribute_sizes(1, 1);
}

#[test]
fun sizes_may_reach_their_limits() {
    contribute_sizes(264_192, 8_388_608);
}

#[test, expected_failure(abort_code = usufruct::blob_reference::EBlobSize)]
fun a_manifest_is_not_larger() {
    contribute_sizes(264_193, 1);
}

#[test, expected_failure(abort_code = usufruct::blob_reference::EBlobSize)]
fun a_part_is_not_larger() {
    contribute_sizes(1, 8_388_609);
}

#[test, expected_failure(abort_code = usufruct::blob_reference::EBlobSize)]
fun a_part_is_not_empty() {
    contribute_sizes(1, 0);
}

#[test, expected_failure(abort_code = usufruct::contribution::EParts)]
fun there_are_parts() {
    contribute(
        1,
        vector[],
        vector[],
        vector[],
        fixtures::holder_set_id(),
        fixtures::policy_digest(),
    );
}

fun contribute_parts(count: u64) {
    let (mut parts, mut sizes, mut ends) = (vector[], vector[], vector[]);
    while (parts.length() < count) {
        parts.push_back(OTHER);
        sizes.push_back(1);
        ends.push_back(9);
    };
    contribute(1, parts, sizes, ends, fixtures::holder_set_id(), fixtures::policy_digest());
}

#[test]
fun there_may_be_many_parts() {
    contribute_parts(1_024);
}

#[test, expected_failure(abort_code = usufruct::contribution::EParts)]
fun there_are_not_too_many_parts() {
    contribute_parts(1_025);
}

#[test, expected_failure(abort_code = usufruct::contribution::EParts)]
fun every_part_has_a_size() {
    let (set, digest) = (fixtures::holder_set_id(), fixtures::policy_digest());
    contribute(1, vector[OTHER], vector[1, 2], vector[9], set, digest);
}

#[test, expected_failure(abort_code = usufruct::contribution::EParts)]
fun every_part_has_an_end() {
    let (set, digest) = (fixtures::holder_set_id(), fixtures::policy_digest());
    contribute(1, vector[OTHER, OTHER], vector[1, 2], vector[9], set, digest);
}

#[test, expected_failure(abort_code = usufruct::contribution::EPolicyOutdated)]
fun a_contribution_is_for_the_current_policy() {
    contribute(1, vector[OTHER], vector[1], vector[9], fixtures::holder_set_id(), OTHER);
}

#[test, expected_failure(abort_code = usufruct::contribution::EWrongHolderSet)]
fun a_contribution_is_for_the_daos_holders() {
    contribute(1, vector[OTHER], vector[1], vector[9], OTHER, fixtures::policy_digest());
}

#[test, expected_failure(abort_code = usufruct::contribution::EIdTaken)]
fun a_contribution_id_is_taken_once() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.contribute(world::owner(0), world::salt());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ERoleRequired)]
fun only_a_steward_decides() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.decide(world::owner(0), 0, true);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::EAlreadyDecided)]
fun a_contribution_is_accepted_once() {
    let mut world = world::filled();
    world.decide(world::founder(), 0, true);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::EAlreadyDecided)]
fun what_was_declined_stays_declined() {
    let mut world = world::founded();
    world.contribute(world::owner(0), world::salt());
    world.decide(world::founder(), 0, false);
    world.decide(world::founder(), 0, true);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::ENoContribution)]
fun what_was_not_proposed_is_not_decided() {
    let mut world = world::founded();
    world.decide(world::founder(), 0, true);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::contribution::ENoContribution)]
fun what_was_not_proposed_is_not_granted() {
    let mut world = world::founded();
    world.grant(0, world::salt());
    world.end();
}
