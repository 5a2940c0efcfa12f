#[test_only]
module usufruct::proposal_tests;

use sui::test_scenario as ts;
use usufruct::{effect, fixtures, governance, governance_fixtures, world::{Self, World}};

const YES: u8 = 0;
const NO: u8 = 1;
const ABSTAIN: u8 = 2;

/// By the founder, of four members, to set another price.
fun proposed(): World {
    let mut world = world::filled();
    world.propose(world::founder(), world::salt(), effect::set_price(9));
    world
}

/// Founder and contributors vote so, in this order; then the timelock passes, and a stranger executes it.
fun decided(world: &mut World, choices: vector<u8>) {
    let voters = vector[world::founder(), world::owner(0), world::owner(1), world::owner(2)];
    let mut i = 0;
    while (i < choices.length()) {
        world.vote(voters[i], 0, choices[i]);
        i = i + 1;
    };
    world.advance(3 * world::minute_ms());
    world.execute(0);
}

/// A quorum of half, an approval of 66.67 %: of four members two are enough, and two of three yes are not.
fun strict(choices: vector<u8>) {
    let mut world = world::filled_with(world::governance_of(0, 5_000, 6_667, false));
    world.propose(world::founder(), world::salt(), effect::set_price(9));
    decided(&mut world, choices);
    world.end();
}

#[test]
fun a_proposal_is_voted_on_waits_and_is_executed() {
    let mut world = proposed();
    world.next(world::stranger());
    let proposal = world.take_proposal(0);
    assert!(proposal.proposal_id() == governance_fixtures::proposal_id());
    assert!(proposal.dao_id() == fixtures::dao_id() && proposal.number() == 1);
    assert!(proposal.proposer() == world::founder() && proposal.description_hash() == @0xde5c);
    assert!(proposal.effect() == &effect::set_price(9));
    assert!(proposal.governance() == &world::governance());
    assert!(proposal.member_count() == 4 && proposal.total_votes() == 4);
    let (now_ms, minute_ms) = (world::now_ms(), world::minute_ms());
    assert!(proposal.voting_ends_at_ms() == now_ms + minute_ms);
    assert!(proposal.executable_from_ms() == now_ms + 3 * minute_ms);
    assert!(proposal.executable_until_ms() == now_ms + 6 * minute_ms);
    ts::return_shared(proposal);
    world.vote(world::founder(), 0, YES);
    world.vote(world::owner(0), 0, YES);
    world.vote(world::owner(1), 0, NO);
    world.advance(minute_ms - 1);
    world.vote(world::owner(2), 0, ABSTAIN);
    world.next(world::stranger());
    let proposal = world.take_proposal(0);
    let (yes, no, abstain) = proposal.votes();
    assert!(yes == 2 && no == 1 && abstain == 1 && proposal.is_passed());
    assert!(proposal.has_voted(world::owner(2)) && !proposal.has_voted(world::stranger()));
    assert!(!proposal.is_executed());
    ts::return_shared(proposal);
    world.advance(2 * minute_ms + 1);
    world.execute(0);
    world.next(world::stranger());
    let (dao, proposal) = (world.take_dao(0), world.take_proposal(0));
    assert!(dao.policy().price_per_question_units() == 9 && dao.policy_version() == 2);
    assert!(proposal.is_executed());
    assert!(proposal.executed_at_ms() == option::some(world::now_ms() + 3 * world::minute_ms()));
    ts::return_shared(proposal);
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::ERoleRequired)]
fun a_stranger_proposes_nothing() {
    let mut world = world::filled();
    world.propose(world::stranger(), world::salt(), effect::set_price(9));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::data_dao::EIdTaken)]
fun a_proposal_is_made_once() {
    let mut world = proposed();
    world.propose(world::founder(), world::salt(), effect::set_price(9));
    world.end();
}

#[test]
fun two_members_may_use_one_salt() {
    let mut world = proposed();
    world.propose(world::owner(0), world::salt(), effect::set_price(9));
    world.next(world::stranger());
    let proposal = world.take_proposal(1);
    assert!(proposal.number() == 2);
    ts::return_shared(proposal);
    world.end();
}

// === Voting ===

#[test, expected_failure(abort_code = usufruct::proposal::EVoteChoice)]
fun there_are_three_choices() {
    let mut world = proposed();
    world.vote(world::founder(), 0, 3);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::proposal::EVotingEnded)]
fun voting_ends() {
    let mut world = proposed();
    world.advance(world::minute_ms());
    world.vote(world::founder(), 0, YES);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::proposal::ENoVote)]
fun a_stranger_does_not_vote() {
    let mut world = proposed();
    world.vote(world::stranger(), 0, YES);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::proposal::ENoVote)]
fun nobody_joins_to_vote() {
    let mut world = proposed();
    world.apply(world::stranger());
    world.decide_application(world::founder(), world::stranger(), true);
    world.vote(world::stranger(), 0, YES);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::proposal::EAlreadyVoted)]
fun a_vote_is_final() {
    let mut world = proposed();
    world.vote(world::founder(), 0, YES);
    world.vote(world::founder(), 0, NO);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::proposal::EWrongDao)]
fun a_vote_is_of_the_members_of_its_dao() {
    let mut world = proposed();
    world.create_dao(@0x2, world::policy());
    world.vote_in(1, world::founder(), 0, YES);
    world.end();
}

#[test]
/// Receipt 1 pays three equal uses 233,334, 233,334 and 233,333 of 700,001; receipt 2 pays the first 525,001 (525,000.75)
/// and the third 175,000 (175,000.25), after the first proposal was made.
fun votes_by_contribution_count_what_was_earned_before() {
    let mut world = world::ready_with(world::governance_with(1, false));
    world.advance(world::minute_ms());
    world.settle(fixtures::receipt_first());
    world.propose(world::founder(), world::salt(), effect::set_price(9));
    world.settle(fixtures::receipt_second());
    world.propose(world::founder(), @0x2, effect::set_price(8));
    world.vote(world::owner(0), 0, YES);
    world.vote(world::owner(1), 0, NO);
    world.vote(world::owner(2), 0, ABSTAIN);
    world.vote(world::owner(0), 1, YES);
    world.vote(world::owner(1), 1, NO);
    world.vote(world::owner(2), 1, ABSTAIN);
    world.next(world::stranger());
    let (first, second) = (world.take_proposal(0), world.take_proposal(1));
    assert!(first.total_votes() == 700_001 && second.total_votes() == 1_400_002);
    let (yes, no, abstain) = first.votes();
    assert!(yes == 233_334 && no == 233_334 && abstain == 233_333);
    let (yes, no, abstain) = second.votes();
    assert!(yes == 233_334 + 525_001 && no == 233_334 && abstain == 233_333 + 175_000);
    assert!(!first.is_passed() && second.is_passed());
    ts::return_shared(first);
    ts::return_shared(second);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::proposal::ENoVote)]
fun who_earned_nothing_has_no_vote_by_contribution() {
    let mut world = world::ready_with(world::governance_with(1, false));
    world.advance(world::minute_ms());
    world.settle(fixtures::receipt_first());
    world.propose(world::founder(), world::salt(), effect::set_price(9));
    world.vote(world::founder(), 0, YES);
    world.end();
}

#[test]
/// One of four members votes: a quarter of the votes, not all of none.
fun members_vote_until_somebody_has_earned_something() {
    let mut world = world::ready_with(world::governance_with(1, false));
    world.propose(world::founder(), world::salt(), effect::set_price(9));
    world.vote(world::founder(), 0, YES);
    world.next(world::stranger());
    let proposal = world.take_proposal(0);
    assert!(proposal.governance().voting() == 0 && proposal.total_votes() == 4);
    let (yes, _, _) = proposal.votes();
    assert!(yes == 1);
    ts::return_shared(proposal);
    world.end();
}

// === Passing ===

#[test]
/// Cast 2 of 4 = 50 %; yes 2 of 2.
fun a_quorum_is_met() {
    strict(vector[YES, YES]);
}

#[test]
/// Abstentions count for the quorum and not for the approval.
fun who_abstains_votes() {
    strict(vector[YES, ABSTAIN]);
}

#[test]
/// 3 of 4 yes: 75 %.
fun enough_are_for_it() {
    strict(vector[YES, YES, YES, NO]);
}

#[test, expected_failure(abort_code = usufruct::proposal::ENotPassed)]
/// Cast 1 of 4 = 25 %.
fun a_quorum_is_missed() {
    strict(vector[YES]);
}

#[test, expected_failure(abort_code = usufruct::proposal::ENotPassed)]
/// 2 of 3: 66.66…, not 66.67.
fun too_few_are_for_it() {
    strict(vector[YES, YES, NO]);
}

#[test, expected_failure(abort_code = usufruct::proposal::ENotPassed)]
fun nobody_is_for_it() {
    strict(vector[ABSTAIN, ABSTAIN]);
}

#[test, expected_failure(abort_code = usufruct::proposal::ENotPassed)]
fun nobody_voted() {
    strict(vector[]);
}

#[test]
/// All four must vote: who is against it has.
fun who_is_against_it_votes() {
    let mut world = world::filled_with(world::governance_of(0, 10_000, 5_001, false));
    world.propose(world::founder(), world::salt(), effect::set_price(9));
    decided(&mut world, vector[YES, YES, YES, NO]);
    world.end();
}

#[test]
/// Both limits are met exactly.
fun all_must_vote_and_agree() {
    let mut world = world::filled_with(world::governance_of(0, 10_000, 10_000, false));
    world.propose(world::founder(), world::salt(), effect::set_price(9));
    decided(&mut world, vector[YES, YES, YES, YES]);
    world.end();
}

// === Executing ===

#[test, expected_failure(abort_code = usufruct::proposal::EStillVoting)]
fun voting_must_have_ended() {
    let mut world = proposed();
    world.vote(world::founder(), 0, YES);
    world.advance(world::minute_ms() - 1);
    world.execute(0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::proposal::ETimelocked)]
fun the_timelock_must_have_passed() {
    let mut world = proposed();
    world.vote(world::founder(), 0, YES);
    world.advance(3 * world::minute_ms() - 1);
    world.execute(0);
    world.end();
}

#[test]
fun without_a_timelock_the_end_of_voting_is_the_first_moment() {
    let minute_ms = world::minute_ms();
    let governance = governance::new(0, 2_000, 5_001, minute_ms, 0, minute_ms, false);
    let mut world = world::filled_with(governance);
    world.propose(world::founder(), world::salt(), effect::set_price(9));
    world.vote(world::founder(), 0, YES);
    world.advance(minute_ms);
    world.execute(0);
    world.end();
}

#[test]
fun the_last_moment_is_in_time() {
    let mut world = proposed();
    world.vote(world::founder(), 0, YES);
    world.advance(6 * world::minute_ms() - 1);
    world.execute(0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::proposal::ELapsed)]
fun a_proposal_lapses() {
    let mut world = proposed();
    world.vote(world::founder(), 0, YES);
    world.advance(6 * world::minute_ms());
    world.execute(0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::proposal::EExecuted)]
fun a_proposal_is_executed_once() {
    let mut world = proposed();
    decided(&mut world, vector[YES]);
    world.execute(0);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::proposal::EWrongDao)]
fun a_proposal_changes_its_own_dao() {
    let mut world = proposed();
    world.vote(world::founder(), 0, YES);
    world.create_dao(@0x2, world::policy());
    world.advance(3 * world::minute_ms());
    world.execute_with(1, 0, 0);
    world.end();
}

#[test]
/// Two of four are a quorum of a fifth, and not of all: the second proposal raised it for later ones only.
fun a_proposal_keeps_the_rules_under_which_it_was_made() {
    let mut world = proposed();
    let governance = world::governance_of(0, 10_000, 10_000, false);
    world.propose(world::founder(), @0x2, effect::set_governance(governance));
    world.vote(world::founder(), 0, YES);
    world.vote(world::founder(), 1, YES);
    world.advance(3 * world::minute_ms());
    world.execute(1);
    world.execute(0);
    let dao = world.take_dao(0);
    assert!(dao.governance() == &governance && dao.policy_version() == 2);
    ts::return_shared(dao);
    world.end();
}

#[test]
/// Neither has seen what the other changes, and both count.
fun proposals_on_different_things_both_count() {
    let mut world = proposed();
    let purposes = vector[world::text(b"dpv:Marketing")];
    world.propose(world::owner(0), @0x2, effect::set_purposes(purposes));
    world.vote(world::founder(), 0, YES);
    world.vote(world::founder(), 1, YES);
    world.advance(3 * world::minute_ms());
    world.execute(1);
    world.execute(0);
    world.next(world::stranger());
    let dao = world.take_dao(0);
    assert!(dao.policy().price_per_question_units() == 9 && dao.policy_version() == 3);
    assert!(dao.policy().allows_purpose(&purposes[0]));
    assert!(!dao.policy().allows_purpose(&world::text(b"DUO:0000042")));
    ts::return_shared(dao);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_proposal_of_another_version_is_refused() {
    let mut world = proposed();
    let mut proposal = world.take_proposal(0);
    proposal.set_version_for_testing(2);
    ts::return_shared(proposal);
    world.vote(world::founder(), 0, YES);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_dao_of_another_version_takes_no_proposal() {
    let mut world = world::filled();
    let mut dao = world.take_dao(0);
    dao.set_version_for_testing(2);
    ts::return_shared(dao);
    world.propose(world::founder(), world::salt(), effect::set_price(9));
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_dao_of_another_version_counts_no_vote() {
    let mut world = proposed();
    let mut dao = world.take_dao(0);
    dao.set_version_for_testing(2);
    ts::return_shared(dao);
    world.vote(world::founder(), 0, YES);
    world.end();
}
