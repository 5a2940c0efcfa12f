#[test_only]
module usufruct::epoch_tests;

use sui::test_scenario as ts;
use usufruct::{
    effect,
    epoch_fixtures::{Self as fixtures, Statement},
    fixtures as main_fixtures,
    private_world::{Self, operator},
    world::{Self, World}
};

use fun private_world::set_rules as World.set_rules;
use fun private_world::settle_privately as World.settle_privately;
use fun private_world::propose_epoch as World.propose_epoch;
use fun private_world::propose_epoch_with as World.propose_epoch_with;
use fun private_world::take_epoch as World.take_epoch;
use fun private_world::object_to_epoch as World.object_to_epoch;
use fun private_world::object_to_epoch_with as World.object_to_epoch_with;
use fun private_world::equivocate as World.equivocate;
use fun private_world::equivocate_with as World.equivocate_with;
use fun private_world::claim as World.claim;
use fun private_world::claim_with as World.claim_with;
use fun private_world::sweep as World.sweep;
use fun private_world::pooled as World.pooled;
use fun private_world::treasury as World.treasury;
use fun private_world::epoch_state as World.epoch_state;
use fun held as World.held;
use fun reject as World.reject;

const OPEN: u8 = 0;
const REJECTED: u8 = 1;
const SWEPT: u8 = 2;
/// Two receipts' parts, of which the treasury had 200,000 each.
const TREASURY: u64 = 400_000;

fun held(world: &mut World): u64 {
    let epoch = world.take_epoch();
    let units = epoch.held_units();
    ts::return_shared(epoch);
    units
}

/// By the objections of two of three holders, of whom two must stand by it.
fun reject(world: &mut World) {
    world.object_to_epoch(operator(0), 0);
    world.object_to_epoch(operator(2), 2);
}

fun propose(statement: Statement) {
    private_world::proposed(statement).end();
}

// === Proposing ===

#[test]
fun a_proposal_takes_the_money_out_of_the_pool() {
    let mut world = private_world::proposed(fixtures::statement_good());
    assert!(world.pooled() == 0);
    let epoch = world.take_epoch();
    assert!(epoch.held_units() == fixtures::total_units());
    assert!(epoch.epoch_id() == fixtures::epoch_id() && epoch.number() == 1);
    assert!(epoch.state() == OPEN);
    assert!(epoch.challenge_ends_at_ms() == world::now_ms() + 2 * world::minute_ms());
    ts::return_shared(epoch);
    let dao = world.take_dao(0);
    assert!(dao.receipt_pool().covered_receipts() == 2 && dao.receipt_pool().epoch_count() == 1);
    assert!(dao.receipt_pool().last_attempt(1) == 1);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::EWrongDao)]
fun a_statement_is_about_this_dao() {
    propose(fixtures::statement_other_dao());
}

#[test, expected_failure(abort_code = usufruct::epoch::ENumber)]
fun a_number_is_not_before_the_first() {
    propose(fixtures::statement_number_0());
}

#[test, expected_failure(abort_code = usufruct::epoch::ENumber)]
fun no_number_is_left_out() {
    propose(fixtures::statement_number_2());
}

#[test, expected_failure(abort_code = usufruct::epoch::EAttempt)]
fun attempts_begin_with_one() {
    propose(fixtures::statement_attempt_0());
}

#[test]
fun an_attempt_may_be_left_out() {
    propose(fixtures::statement_third_attempt());
}

#[test, expected_failure(abort_code = usufruct::epoch::EReceipts)]
fun no_receipt_is_covered_twice() {
    propose(fixtures::statement_from_0());
}

#[test, expected_failure(abort_code = usufruct::epoch::EReceipts)]
fun no_receipt_is_left_out() {
    propose(fixtures::statement_from_2());
}

#[test, expected_failure(abort_code = usufruct::epoch::EReceipts)]
fun an_epoch_has_a_receipt() {
    propose(fixtures::statement_to_0());
}

#[test, expected_failure(abort_code = usufruct::epoch::EReceipts)]
fun an_epoch_covers_what_was_settled() {
    propose(fixtures::statement_to_3());
}

#[test, expected_failure(abort_code = usufruct::epoch::EReceiptChain)]
fun the_receipts_are_these() {
    propose(fixtures::statement_other_receipts());
}

#[test, expected_failure(abort_code = usufruct::epoch::ETotal)]
fun the_total_is_not_more() {
    propose(fixtures::statement_a_unit_more());
}

#[test, expected_failure(abort_code = usufruct::epoch::ETotal)]
fun the_total_is_not_less() {
    propose(fixtures::statement_a_unit_less());
}

#[test, expected_failure(abort_code = usufruct::epoch::ENoLeaves)]
fun a_tree_has_a_leaf() {
    propose(fixtures::statement_no_leaves());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::ENotRegistered)]
fun a_runner_settles() {
    propose(fixtures::statement_impostor());
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EMeasurementRefused)]
fun a_settler_is_of_an_approved_measurement() {
    let mut world = private_world::settled();
    let (profile, measurement) = (world::text(b"tdx"), world::other_measurement());
    let set_id = main_fixtures::holder_set_id();
    let policy = world::policy_with(world::price(), profile, measurement, set_id, 2);
    world.set_policy(world::founder(), 1, policy);
    world.propose_epoch(fixtures::statement_good());
    world.end();
}

/// By the founder, who sets the policy.
fun set_verifiers(world: &mut World, price_units: u64, holder_set_id: address, threshold: u8) {
    let (profile, measurement) = (world::text(b"tdx"), world::measurement());
    let policy = world::policy_with(price_units, profile, measurement, holder_set_id, threshold);
    world.set_policy(world::founder(), 1, policy);
}

#[test]
fun a_policy_maker_leaves_the_verifiers() {
    let mut world = private_world::settled();
    set_verifiers(&mut world, 9, main_fixtures::holder_set_id(), 2);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EByVoteOnly)]
fun a_policy_maker_names_no_holders_of_its_own() {
    let mut world = private_world::settled();
    set_verifiers(&mut world, world::price(), @0xbad, 2);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EByVoteOnly)]
/// Nothing is set aside yet, but will be.
fun a_policy_maker_lets_no_fewer_countersign() {
    let mut world = private_world::asked();
    set_verifiers(&mut world, world::price(), main_fixtures::holder_set_id(), 1);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EByVoteOnly)]
/// What was set aside before is still to be divided.
fun nor_once_the_dao_pays_directly_again() {
    let mut world = private_world::settled();
    world.set_rules(0, world::minute_ms(), 0);
    set_verifiers(&mut world, world::price(), main_fixtures::holder_set_id(), 1);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::EWrongHolderSet)]
fun the_policys_holders_countersign() {
    let mut world = private_world::settled();
    world.create_holder_set(@0x5b);
    let (bytes, settler, signatures) = fixtures::statement_good().unpack();
    world.propose_epoch_with(1, bytes, settler, vector[0, 1], vector[signatures[0], signatures[1]]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EPaused)]
fun a_paused_dao_begins_no_epoch() {
    let mut world = private_world::settled();
    world.pause(0);
    world.propose_epoch(fixtures::statement_good());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::EChallengeGoesOn)]
fun one_epoch_at_a_time_is_challenged() {
    let mut world = private_world::asked();
    world.settle_privately(main_fixtures::receipt_first());
    world.propose_epoch(fixtures::statement_half());
    world.settle_privately(main_fixtures::receipt_second());
    world.settle_privately(main_fixtures::receipt_third());
    world.advance(world::minute_ms() - 1);
    world.propose_epoch(fixtures::statement_rest());
    world.end();
}

#[test]
/// The second covers two receipts, one of them free, and takes one part.
fun epochs_follow_each_other() {
    let mut world = private_world::asked();
    world.settle_privately(main_fixtures::receipt_first());
    world.propose_epoch(fixtures::statement_half());
    world.settle_privately(main_fixtures::receipt_second());
    world.settle_privately(main_fixtures::receipt_third());
    assert!(world.held() == fixtures::part_units() && world.pooled() == fixtures::part_units());
    world.advance(world::minute_ms());
    world.propose_epoch(fixtures::statement_rest());
    assert!(world.held() == fixtures::part_units() && world.pooled() == 0);
    world.end();
}

#[test]
fun an_epoch_may_divide_nothing() {
    let mut world = private_world::proposed(fixtures::statement_good());
    world.settle_privately(main_fixtures::receipt_third());
    world.advance(world::minute_ms());
    world.propose_epoch(fixtures::statement_next());
    assert!(world.held() == 0);
    world.end();
}

#[test]
/// Without a window a claim is good at once.
fun a_dao_may_have_no_window() {
    let mut world = private_world::settled();
    world.set_rules(1, 0, 0);
    world.propose_epoch(private_world::single());
    world.claim(fixtures::leaf_single());
    assert!(world.collect(world::owner(0)) == fixtures::total_units());
    world.end();
}

// === Objecting ===

#[test]
/// One of three: two still stand by it, and two is what the policy demands. It has the whole window again.
fun one_objection_gives_time() {
    let mut world = private_world::proposed(private_world::single());
    world.advance(world::minute_ms() - 1);
    world.object_to_epoch(operator(1), 1);
    let epoch = world.take_epoch();
    let ends_at_ms = epoch.challenge_ends_at_ms();
    assert!(epoch.state() == OPEN);
    ts::return_shared(epoch);
    assert!(ends_at_ms == world::now_ms() + 3 * world::minute_ms() - 1);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::EChallengeGoesOn)]
/// And nothing is proposed in the time that it got.
fun the_next_epoch_waits_for_the_objection() {
    let mut world = private_world::proposed(private_world::single());
    world.settle_privately(main_fixtures::receipt_third());
    world.advance(world::minute_ms() - 1);
    world.object_to_epoch(operator(1), 1);
    world.advance(1);
    world.propose_epoch(fixtures::statement_next());
    world.end();
}

#[test]
fun two_objections_reject() {
    let mut world = private_world::proposed(private_world::single());
    world.reject();
    assert!(world.epoch_state() == REJECTED);
    assert!(world.held() == 0 && world.pooled() == fixtures::total_units());
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.receipt_pool().covered_receipts() == 0 && dao.receipt_pool().epoch_count() == 0);
    ts::return_shared(dao);
    // At once, under the same number and the next attempt.
    world.propose_epoch(fixtures::statement_again());
    assert!(world.held() == fixtures::total_units());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::EAttempt)]
fun a_rejected_statement_does_not_come_back() {
    let mut world = private_world::proposed(private_world::single());
    world.reject();
    world.propose_epoch(private_world::single());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::EAttempt)]
fun no_other_statement_takes_the_rejected_attempt() {
    let mut world = private_world::proposed(private_world::single());
    world.reject();
    world.propose_epoch(fixtures::statement_good());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::EAttempt)]
fun attempts_only_count_up() {
    let mut world = private_world::proposed(fixtures::statement_third_attempt());
    world.reject();
    world.propose_epoch(fixtures::statement_again());
    world.end();
}

#[test]
/// Two of three must stand by it: with one retired, the first objection leaves one.
fun the_retired_stand_by_nothing() {
    let mut world = private_world::proposed(private_world::single());
    world.tombstone_member(operator(2), 2);
    assert!(world.epoch_state() == OPEN);
    world.object_to_epoch(operator(0), 0);
    assert!(world.epoch_state() == REJECTED);
    world.end();
}

#[test]
/// Who has objected and is retired then is missing once, not twice: two others still stand by it.
fun who_objected_and_is_retired_counts_once() {
    let mut world = private_world::proposed(private_world::single());
    world.object_to_epoch(operator(0), 0);
    world.tombstone_member(operator(0), 0);
    assert!(world.epoch_state() == OPEN);
    world.object_to_epoch(operator(1), 1);
    assert!(world.epoch_state() == REJECTED);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::EObjected)]
fun a_member_objects_once() {
    let mut world = private_world::proposed(private_world::single());
    world.object_to_epoch(operator(0), 0);
    world.object_to_epoch(operator(0), 0);
    world.end();
}

/// The first member is in the second place then, the third in the first; a newcomer has the third.
fun rotate(world: &mut World) {
    let all = main_fixtures::rotation_good_signatures();
    world.rotate(main_fixtures::rotation_good(), vector[0, 1], vector[all[0], all[1]]);
}

#[test, expected_failure(abort_code = usufruct::epoch::EObjected)]
fun a_rotation_gives_nobody_a_second_objection() {
    let mut world = private_world::proposed(private_world::single());
    world.object_to_epoch(operator(0), 0);
    rotate(&mut world);
    world.object_to_epoch(operator(0), 1);
    world.end();
}

#[test]
/// The place of who has objected is another's now, who may object, and only who has not objected stands by it.
fun a_rotation_takes_nobodys_objection() {
    let mut world = private_world::proposed(private_world::single());
    world.object_to_epoch(operator(0), 0);
    rotate(&mut world);
    assert!(world.epoch_state() == OPEN);
    world.object_to_epoch(operator(2), 0);
    assert!(world.epoch_state() == REJECTED);
    world.end();
}

#[test]
/// Who has left the set with an objection leaves two who stand by it.
fun who_left_the_set_is_not_missing() {
    let mut world = private_world::proposed(private_world::single());
    world.object_to_epoch(operator(1), 1);
    rotate(&mut world);
    world.object_to_epoch(operator(0), 1);
    assert!(world.epoch_state() == OPEN);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::EWrongOperator)]
fun a_members_operator_objects() {
    let mut world = private_world::proposed(private_world::single());
    world.object_to_epoch(operator(1), 0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::holder_set::ENoSuchMember)]
fun a_stranger_is_no_member() {
    let mut world = private_world::proposed(private_world::single());
    world.object_to_epoch(operator(1), 3);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::EWrongHolderSet)]
fun another_sets_members_have_no_say() {
    let mut world = private_world::proposed(private_world::single());
    world.create_holder_set(@0x5b);
    world.object_to_epoch_with(operator(0), 1, 0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENotChallengeable)]
fun nobody_objects_when_the_window_is_over() {
    let mut world = private_world::claimable(private_world::single());
    world.object_to_epoch(operator(0), 0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENotChallengeable)]
fun nobody_objects_to_what_is_rejected() {
    let mut world = private_world::proposed(private_world::single());
    world.reject();
    world.object_to_epoch(operator(1), 1);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENotChallengeable)]
/// The second comes too late: it was rejected by the first.
fun one_objection_rejects_when_all_must_stand_by_it() {
    let mut world = private_world::settled();
    world.decide_by_vote(effect::set_verifiers(main_fixtures::holder_set_id(), 3));
    let (bytes, settler, signatures) = private_world::single().unpack();
    world.propose_epoch_with(0, bytes, settler, vector[0, 1, 2], signatures);
    world.object_to_epoch(operator(0), 0);
    assert!(world.epoch_state() == REJECTED);
    world.object_to_epoch(operator(1), 1);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::EWrongDao)]
fun an_epoch_is_of_its_dao() {
    let mut world = private_world::claimable(private_world::single());
    world.create_dao(@0x5b, world::policy());
    let (index, account, amount_units, salt, proof) = fixtures::leaf_single().open();
    world.claim_with(1, index, account, amount_units, salt, proof);
    world.end();
}

// === Equivocating ===

#[test]
fun two_truths_reject_the_epoch_and_withdraw_the_settler() {
    let mut world = private_world::proposed(private_world::single());
    world.equivocate(fixtures::statement_good());
    assert!(world.epoch_state() == REJECTED);
    assert!(world.held() == 0 && world.pooled() == fixtures::total_units());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EWithdrawn)]
fun a_withdrawn_settler_settles_nothing() {
    let mut world = private_world::proposed(private_world::single());
    world.equivocate(fixtures::statement_good());
    world.propose_epoch(fixtures::statement_again());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EWithdrawn)]
fun a_withdrawn_settler_does_not_register_again() {
    let mut world = private_world::proposed(private_world::single());
    world.equivocate(fixtures::statement_good());
    world.register_runner(
        main_fixtures::statement_prolonged(),
        main_fixtures::statement_prolonged_signatures(),
    );
    world.end();
}

#[test, expected_failure(abort_code = usufruct::runner_registry::EWithdrawn)]
fun what_a_withdrawn_runner_signed_is_not_paid() {
    let mut world = private_world::proposed(private_world::single());
    world.equivocate(fixtures::statement_good());
    world.settle_privately(main_fixtures::receipt_third());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENoEquivocation)]
fun one_statement_is_one_truth() {
    let mut world = private_world::proposed(private_world::single());
    world.equivocate(private_world::single());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENoEquivocation)]
fun another_attempt_is_a_correction() {
    let mut world = private_world::proposed(private_world::single());
    world.equivocate(fixtures::statement_again());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENoEquivocation)]
fun another_number_is_another_epoch() {
    let mut world = private_world::proposed(private_world::single());
    world.equivocate(fixtures::statement_number_2());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENoEquivocation)]
fun another_dao_has_its_own_epochs() {
    let mut world = private_world::proposed(private_world::single());
    world.equivocate(fixtures::statement_other_dao());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENoEquivocation)]
fun anothers_statement_proves_nothing() {
    let mut world = private_world::proposed(private_world::single());
    world.equivocate(fixtures::statement_impostor());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::EStatementElsewhere)]
fun another_chain_has_its_own_truth() {
    let mut world = private_world::proposed(private_world::single());
    world.equivocate(fixtures::statement_other_chain());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::ESettlerSignature)]
/// By a holder, who may have been shown something else.
fun the_settler_signed_both() {
    let mut world = private_world::proposed(private_world::single());
    let (bytes, _, signatures) = fixtures::statement_good().unpack();
    world.equivocate_with(bytes, signatures[0]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENotChallengeable)]
fun a_proof_comes_within_the_window() {
    let mut world = private_world::claimable(private_world::single());
    world.equivocate(fixtures::statement_good());
    world.end();
}

// === Claiming ===

#[test]
/// From a tree of 100,000 leaves: the first, the last, and on either side of a word of the bitmap.
fun contributors_claim_from_a_large_tree() {
    let mut world = private_world::claimable(fixtures::statement_good());
    let leaves = vector[
        fixtures::leaf_0(),
        fixtures::leaf_255(),
        fixtures::leaf_256(),
        fixtures::leaf_1(),
        fixtures::leaf_65535(),
        fixtures::leaf_77778(),
        fixtures::leaf_99999(),
    ];
    let mut left = fixtures::total_units();
    let mut i = 0;
    while (i < leaves.length()) {
        let (index, account, amount_units, _, _) = leaves[i].open();
        world.claim(leaves[i]);
        left = left - amount_units;
        assert!(world.collect(account) == amount_units && world.held() == left);
        let epoch = world.take_epoch();
        assert!(epoch.is_claimed(index));
        ts::return_shared(epoch);
        i = i + 1;
    };
    let epoch = world.take_epoch();
    assert!(!epoch.is_claimed(2) && !epoch.is_claimed(254) && !epoch.is_claimed(257));
    assert!(!epoch.is_claimed(65_534) && !epoch.is_claimed(99_998) && !epoch.is_claimed(512));
    ts::return_shared(epoch);
    world.end();
}

#[test]
/// The first leaf is a member's; the second's account is nobody's.
fun what_a_member_earns_is_counted() {
    let mut world = private_world::claimable(fixtures::statement_good());
    world.claim(fixtures::leaf_0());
    world.claim(fixtures::leaf_1());
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.earned_of(world::owner(0)) == 15 && dao.earned_units() == 15);
    ts::return_shared(dao);
    world.end();
}

/// Leaf 255, with another value in one of its fields where that is said.
fun claim_changed(index: u32, account: address, amount_units: u64, salt: address) {
    let mut world = private_world::claimable(fixtures::statement_good());
    let (_, _, _, _, proof) = fixtures::leaf_255().open();
    world.claim_with(0, index, account, amount_units, salt, proof);
    world.end();
}

#[test]
fun a_leaf_is_claimed_as_it_is() {
    let (index, account, amount_units, salt, _) = fixtures::leaf_255().open();
    claim_changed(index, account, amount_units, salt);
}

#[test, expected_failure(abort_code = usufruct::epoch::EProof)]
fun a_leaf_has_its_place() {
    let (_, account, amount_units, salt, _) = fixtures::leaf_255().open();
    claim_changed(254, account, amount_units, salt);
}

#[test, expected_failure(abort_code = usufruct::epoch::EProof)]
fun a_leaf_has_its_account() {
    let (index, _, amount_units, salt, _) = fixtures::leaf_255().open();
    claim_changed(index, @0xbad, amount_units, salt);
}

#[test, expected_failure(abort_code = usufruct::epoch::EProof)]
fun a_leaf_has_its_amount() {
    let (index, account, amount_units, salt, _) = fixtures::leaf_255().open();
    claim_changed(index, account, amount_units + 1, salt);
}

#[test, expected_failure(abort_code = usufruct::epoch::EProof)]
fun a_leaf_has_its_salt() {
    let (index, account, amount_units, _, _) = fixtures::leaf_255().open();
    claim_changed(index, account, amount_units, @0x5a17);
}

#[test, expected_failure(abort_code = usufruct::epoch::EProof)]
fun a_leaf_has_its_proof() {
    let mut world = private_world::claimable(fixtures::statement_good());
    let (index, account, amount_units, salt, _) = fixtures::leaf_255().open();
    let (_, _, _, _, proof) = fixtures::leaf_256().open();
    world.claim_with(0, index, account, amount_units, salt, proof);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::EProof)]
/// The leaf of one epoch in another of the same DAO.
fun a_leaf_is_of_its_epoch() {
    let mut world = private_world::asked();
    world.settle_privately(main_fixtures::receipt_first());
    world.propose_epoch(fixtures::statement_half());
    world.settle_privately(main_fixtures::receipt_second());
    world.settle_privately(main_fixtures::receipt_third());
    world.advance(world::minute_ms());
    world.propose_epoch(fixtures::statement_rest());
    world.advance(world::minute_ms());
    world.claim(fixtures::leaf_single());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENoLeaf)]
fun there_is_no_leaf_after_the_last() {
    let (_, account, amount_units, salt, _) = fixtures::leaf_255().open();
    claim_changed(100_000, account, amount_units, salt);
}

#[test, expected_failure(abort_code = usufruct::epoch::EClaimed)]
fun a_leaf_is_paid_once() {
    let mut world = private_world::claimable(fixtures::statement_good());
    world.claim(fixtures::leaf_256());
    world.claim(fixtures::leaf_256());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::custody::EVaultShort)]
/// Settler and holders were wrong, and nobody objected: still no unit of another epoch is paid.
fun an_epoch_pays_no_more_than_it_has() {
    let mut world = private_world::claimable(fixtures::statement_greedy());
    world.claim(fixtures::leaf_greedy());
    world.end();
}

#[test]
fun a_leaf_of_nothing_changes_nothing() {
    let mut world = private_world::claimable(fixtures::statement_good());
    let (index, account, amount_units, _, _) = fixtures::leaf_77777().open();
    assert!(index == fixtures::empty_leaf() && amount_units == 0);
    world.claim(fixtures::leaf_77777());
    world.claim(fixtures::leaf_77777());
    // Nor does any other, there or not.
    world.claim_with(0, 4_294_967_295, account, 0, @0x0, vector[]);
    assert!(world.count_coins(account) == 0 && world.held() == fixtures::total_units());
    let epoch = world.take_epoch();
    assert!(!epoch.is_claimed(index));
    ts::return_shared(epoch);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENotClaimable)]
fun nothing_is_claimed_within_the_window() {
    let mut world = private_world::proposed(private_world::single());
    world.advance(world::minute_ms() - 1);
    world.claim(fixtures::leaf_single());
    world.end();
}

#[test]
fun a_claim_may_come_in_the_last_moment() {
    let mut world = private_world::claimable(private_world::single());
    world.advance(10 * world::minute_ms() - 1);
    world.claim(fixtures::leaf_single());
    assert!(world.held() == 0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENotClaimable)]
fun nothing_is_claimed_after_the_term() {
    let mut world = private_world::claimable(private_world::single());
    world.advance(10 * world::minute_ms());
    world.claim(fixtures::leaf_single());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENotClaimable)]
fun nothing_is_claimed_from_what_was_rejected() {
    let mut world = private_world::proposed(private_world::single());
    world.reject();
    world.advance(2 * world::minute_ms());
    world.claim(fixtures::leaf_single());
    world.end();
}

#[test]
/// Objecting, claiming and sweeping go on.
fun a_pause_keeps_nobodys_money() {
    let mut world = private_world::proposed(fixtures::statement_good());
    world.pause(0);
    world.object_to_epoch(operator(0), 0);
    world.advance(world::minute_ms());
    world.claim(fixtures::leaf_0());
    assert!(world.collect(world::owner(0)) == 15);
    world.advance(10 * world::minute_ms());
    world.sweep();
    world.end();
}

#[test]
/// The rules change after the proposal: claims have the term that they had, and the rest goes where it was to go.
fun the_rules_are_those_of_the_proposal() {
    let mut world = private_world::proposed(fixtures::statement_good());
    world.set_rules(0, 5 * world::minute_ms(), 1);
    world.object_to_epoch(operator(0), 0);
    world.advance(world::minute_ms());
    world.claim(fixtures::leaf_0());
    world.advance(10 * world::minute_ms());
    world.sweep();
    assert!(world.treasury() == TREASURY + fixtures::total_units() - 15);
    world.end();
}

// === Sweeping ===

#[test]
fun what_nobody_claimed_goes_to_the_treasury() {
    let mut world = private_world::claimable(fixtures::statement_good());
    world.claim(fixtures::leaf_0());
    world.advance(10 * world::minute_ms());
    world.sweep();
    assert!(world.epoch_state() == SWEPT);
    // 15 of them were claimed.
    assert!(world.held() == 0 && world.treasury() == TREASURY + fixtures::total_units() - 15);
    world.end();
}

#[test]
/// Beside the 20,000 that the protocol had of each receipt.
fun or_to_the_protocol() {
    let mut world = private_world::settled_with(1);
    world.propose_epoch(private_world::single());
    world.advance(11 * world::minute_ms());
    world.sweep();
    assert!(world.treasury() == TREASURY);
    assert!(world.collect(world::protocol()) == 40_000 + fixtures::total_units());
    world.end();
}

#[test]
fun nothing_may_be_left() {
    let mut world = private_world::settled_with(1);
    world.propose_epoch(private_world::single());
    world.advance(world::minute_ms());
    world.claim(fixtures::leaf_single());
    world.advance(10 * world::minute_ms());
    world.sweep();
    assert!(world.count_coins(world::protocol()) == 2);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENotSweepable)]
fun nothing_is_swept_within_the_claim_term() {
    let mut world = private_world::claimable(private_world::single());
    world.advance(10 * world::minute_ms() - 1);
    world.sweep();
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENotSweepable)]
fun an_epoch_is_swept_once() {
    let mut world = private_world::claimable(private_world::single());
    world.advance(10 * world::minute_ms());
    world.sweep();
    world.sweep();
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch::ENotSweepable)]
fun what_was_rejected_is_not_swept() {
    let mut world = private_world::proposed(private_world::single());
    world.reject();
    world.advance(20 * world::minute_ms());
    world.sweep();
    world.end();
}

// === Versions ===

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun an_epoch_of_another_version_pays_nothing() {
    let mut world = private_world::claimable(private_world::single());
    let mut epoch = world.take_epoch();
    epoch.set_version_for_testing(2);
    ts::return_shared(epoch);
    world.claim(fixtures::leaf_single());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_dao_of_another_version_pays_nothing() {
    let mut world = private_world::claimable(private_world::single());
    world.next(world::stranger());
    let mut dao = world.take_dao(0);
    dao.set_version_for_testing(2);
    ts::return_shared(dao);
    world.claim(fixtures::leaf_single());
    world.end();
}

/// What this does with a registry of another version.
fun with_another_registry(world: &mut World) {
    world.next(world::stranger());
    let mut registry = world.take_registry();
    registry.set_version_for_testing(2);
    ts::return_shared(registry);
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_registry_of_another_version_proposes_nothing() {
    let mut world = private_world::settled();
    with_another_registry(&mut world);
    world.propose_epoch(private_world::single());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_registry_of_another_version_proves_nothing() {
    let mut world = private_world::proposed(private_world::single());
    with_another_registry(&mut world);
    world.equivocate(fixtures::statement_good());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_registry_of_another_version_sweeps_nothing() {
    let mut world = private_world::claimable(private_world::single());
    world.advance(10 * world::minute_ms());
    with_another_registry(&mut world);
    world.sweep();
    world.end();
}

fun with_another_set(world: &mut World) {
    world.next(world::stranger());
    let mut set = world.take_holder_set(0);
    set.set_version_for_testing(2);
    ts::return_shared(set);
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_holder_set_of_another_version_countersigns_nothing() {
    let mut world = private_world::settled();
    with_another_set(&mut world);
    world.propose_epoch(private_world::single());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_holder_set_of_another_version_objects_to_nothing() {
    let mut world = private_world::proposed(private_world::single());
    with_another_set(&mut world);
    world.object_to_epoch(operator(0), 0);
    world.end();
}
