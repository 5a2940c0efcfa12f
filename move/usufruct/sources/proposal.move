/// Proposals: a member proposes one effect, those who were members by then vote, and whoever likes executes it once the
/// timelock has passed. A proposal keeps the rules of governance under which it was made. A pause stops none of it:
/// unpausing is for votes alone.
module usufruct::proposal;

use std::bcs;
use sui::{clock::Clock, table::{Self, Table}};
use usufruct::{
    checks,
    data_dao::Dao,
    dataset::Dataset,
    digest,
    effect::Effect,
    governance::Governance,
    governance_events as events,
    holder_set::HolderSet
};

/// The proposal is another DAO's.
const EWrongDao: u64 = 1400;
/// The choice is none that there is.
const EVoteChoice: u64 = 1401;
/// Voting has ended.
const EVotingEnded: u64 = 1402;
/// The voter was no member when the proposal was made, or had earned nothing where that is what counts.
const ENoVote: u64 = 1403;
/// A vote is final.
const EAlreadyVoted: u64 = 1404;
/// The proposal was executed.
const EExecuted: u64 = 1405;
/// Voting goes on.
const EStillVoting: u64 = 1406;
/// Too few voted, or too few of them for it.
const ENotPassed: u64 = 1407;
/// The timelock has not passed.
const ETimelocked: u64 = 1408;
/// It was not executed in time.
const ELapsed: u64 = 1409;

const YES: u8 = 0;
const NO: u8 = 1;
const ABSTAIN: u8 = 2;

const WHOLE_BPS: u128 = 10_000;

public struct Proposal has key {
    id: UID,
    version: u64,
    proposal_id: address,
    dao_id: address,
    /// From 1, in the DAO.
    number: u64,
    proposer: address,
    effect: Effect,
    description_hash: address,
    /// As it was when the proposal was made.
    governance: Governance,
    /// Members who may vote: those of an ordinal below this.
    member_count: u64,
    /// All votes there were when the proposal was made.
    total_votes: u64,
    yes_votes: u64,
    no_votes: u64,
    abstain_votes: u64,
    voting_ends_at_ms: u64,
    executable_from_ms: u64,
    executable_until_ms: u64,
    executed_at_ms: Option<u64>,
    /// Who has voted, and what.
    choices: Table<address, u8>,
}

/// By a member. Voting begins at once. `description_hash` commits to the reasons given elsewhere.
public fun propose<T>(
    dao: &mut Dao<T>,
    salt: address,
    effect: Effect,
    description_hash: address,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    dao.assert_version();
    let proposer = ctx.sender();
    dao.assert_member(proposer);
    let dao_id = dao.dao_id();
    let proposal_id = digest::derive_id(b"proposal", dao_id.to_bytes(), proposer, salt);
    dao.take_id(proposal_id);
    let mut governance = *dao.governance();
    // Until somebody has earned something, nobody could vote: a DAO that is paused by then would stay so for ever.
    if (dao.earned_units() == 0) governance = governance.by_member();
    let total_votes = if (governance.is_by_contribution()) dao.earned_units()
    else dao.member_count();
    let created_at_ms = clock.timestamp_ms();
    let voting_ends_at_ms = created_at_ms + governance.voting_ms();
    let executable_from_ms = voting_ends_at_ms + governance.timelock_ms();
    let proposal = Proposal {
        id: object::new(ctx),
        version: checks::version(),
        proposal_id,
        dao_id,
        number: dao.count_proposal(),
        proposer,
        effect,
        description_hash,
        governance,
        member_count: dao.member_count(),
        total_votes,
        yes_votes: 0,
        no_votes: 0,
        abstain_votes: 0,
        voting_ends_at_ms,
        executable_from_ms,
        executable_until_ms: executable_from_ms + governance.execution_ms(),
        executed_at_ms: option::none(),
        choices: table::new(ctx),
    };
    events::proposal_created(
        proposal.id.to_inner(),
        proposal_id,
        dao_id,
        proposal.number,
        proposer,
        bcs::to_bytes(&effect),
        description_hash,
        governance,
        proposal.member_count,
        total_votes,
        created_at_ms,
        voting_ends_at_ms,
        executable_from_ms,
        proposal.executable_until_ms,
    );
    transfer::share_object(proposal);
}

/// Once each, by those who were members when the proposal was made. 0 yes, 1 no, 2 abstain.
public fun vote<T>(
    self: &mut Proposal,
    dao: &Dao<T>,
    choice: u8,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    self.assert_of(dao);
    assert!(choice <= ABSTAIN, EVoteChoice);
    assert!(clock.timestamp_ms() < self.voting_ends_at_ms, EVotingEnded);
    let voter = ctx.sender();
    assert!(dao.is_member(voter) && dao.ordinal_of(voter) < self.member_count, ENoVote);
    assert!(!self.choices.contains(voter), EAlreadyVoted);
    let votes = if (self.governance.is_by_contribution()) dao.earned_before(voter, self.number)
    else 1;
    assert!(votes > 0, ENoVote);
    self.choices.add(voter, choice);
    if (choice == YES) self.yes_votes = self.yes_votes + votes
    else if (choice == NO) self.no_votes = self.no_votes + votes
    else self.abstain_votes = self.abstain_votes + votes;
    events::vote_cast(self.proposal_id, voter, choice, votes);
}

/// By anyone, once, after the timelock and before the time to execute has passed. `holder_set` is the one that the
/// DAO's policy names once the effect has been applied.
public fun execute<T>(
    self: &mut Proposal,
    dao: &mut Dao<T>,
    holder_set: &HolderSet,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let effect = self.begin(dao, clock);
    effect.apply(dao, holder_set, clock, ctx);
    self.finish();
}

/// The same, for the effects on a dataset: its retirement, and licences on it.
public fun execute_on_dataset<T>(
    self: &mut Proposal,
    dao: &Dao<T>,
    dataset: &mut Dataset,
    clock: &Clock,
) {
    let effect = self.begin(dao, clock);
    effect.apply_to_dataset(self.proposal_id, dao, dataset, clock);
    self.finish();
}

/// Enough voted, and enough of them for it. In u128: a product of votes and basis points is above u64.
public fun is_passed(self: &Proposal): bool {
    let (yes, no) = (self.yes_votes as u128, self.no_votes as u128);
    let cast = yes + no + (self.abstain_votes as u128);
    let quorum = (self.governance.quorum_bps() as u128) * (self.total_votes as u128);
    let approval = (self.governance.approval_bps() as u128) * (yes + no);
    yes > 0 && cast * WHOLE_BPS >= quorum && yes * WHOLE_BPS >= approval
}

// === Views ===

public fun proposal_id(self: &Proposal): address {
    self.proposal_id
}

public fun dao_id(self: &Proposal): address {
    self.dao_id
}

public fun number(self: &Proposal): u64 {
    self.number
}

public fun proposer(self: &Proposal): address {
    self.proposer
}

public fun effect(self: &Proposal): &Effect {
    &self.effect
}

public fun description_hash(self: &Proposal): address {
    self.description_hash
}

public fun governance(self: &Proposal): &Governance {
    &self.governance
}

public fun member_count(self: &Proposal): u64 {
    self.member_count
}

public fun total_votes(self: &Proposal): u64 {
    self.total_votes
}

/// Yes, no, abstain.
public fun votes(self: &Proposal): (u64, u64, u64) {
    (self.yes_votes, self.no_votes, self.abstain_votes)
}

public fun voting_ends_at_ms(self: &Proposal): u64 {
    self.voting_ends_at_ms
}

public fun executable_from_ms(self: &Proposal): u64 {
    self.executable_from_ms
}

public fun executable_until_ms(self: &Proposal): u64 {
    self.executable_until_ms
}

public fun is_executed(self: &Proposal): bool {
    self.executed_at_ms.is_some()
}

/// None until it is executed.
public fun executed_at_ms(self: &Proposal): Option<u64> {
    self.executed_at_ms
}

public fun has_voted(self: &Proposal, voter: address): bool {
    self.choices.contains(voter)
}

// === Execution ===

/// The effect of a proposal that can be executed now; it cannot a second time.
fun begin<T>(self: &mut Proposal, dao: &Dao<T>, clock: &Clock): Effect {
    self.assert_of(dao);
    let now_ms = clock.timestamp_ms();
    assert!(!self.is_executed(), EExecuted);
    assert!(now_ms >= self.voting_ends_at_ms, EStillVoting);
    assert!(self.is_passed(), ENotPassed);
    assert!(now_ms >= self.executable_from_ms, ETimelocked);
    assert!(now_ms < self.executable_until_ms, ELapsed);
    self.executed_at_ms.fill(now_ms);
    self.effect
}

/// After the events of what it did.
fun finish(self: &Proposal) {
    events::proposal_executed(self.proposal_id, self.dao_id, *self.executed_at_ms.borrow());
}

fun assert_of<T>(self: &Proposal, dao: &Dao<T>) {
    checks::assert_version(self.version);
    dao.assert_version();
    assert!(self.dao_id == dao.dao_id(), EWrongDao);
}

#[test_only]
public(package) fun set_version_for_testing(self: &mut Proposal, version: u64) {
    self.version = version;
}
