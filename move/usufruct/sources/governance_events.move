/// Events of governance; the rules are those of `events`.
module usufruct::governance_events;

use sui::event;
use usufruct::{governance::Governance, payout_rules::PayoutRules};

public struct DaoUnpaused has copy, drop {
    dao_id: address,
}

public struct ProposalCreated has copy, drop {
    object: ID,
    proposal_id: address,
    dao_id: address,
    number: u64,
    proposer: address,
    /// The serialised `Effect`: the bytes of the protocol library's `ProposalEffectBcs`.
    effect: vector<u8>,
    description_hash: address,
    governance: Governance,
    member_count: u64,
    total_votes: u64,
    created_at_ms: u64,
    voting_ends_at_ms: u64,
    executable_from_ms: u64,
    executable_until_ms: u64,
}

public struct VoteCast has copy, drop {
    proposal_id: address,
    voter: address,
    /// 0 yes, 1 no, 2 abstain.
    choice: u8,
    votes: u64,
}

/// After the events of what it did.
public struct ProposalExecuted has copy, drop {
    proposal_id: address,
    dao_id: address,
    executed_at_ms: u64,
}

public struct GovernanceSet has copy, drop {
    dao_id: address,
    governance: Governance,
}

public struct PayoutRulesSet has copy, drop {
    dao_id: address,
    payout_rules: PayoutRules,
}

public struct TreasurySpent has copy, drop {
    dao_id: address,
    to: address,
    amount_units: u64,
}

public(package) fun dao_unpaused(dao_id: address) {
    event::emit(DaoUnpaused { dao_id });
}

public(package) fun proposal_created(
    object: ID,
    proposal_id: address,
    dao_id: address,
    number: u64,
    proposer: address,
    effect: vector<u8>,
    description_hash: address,
    governance: Governance,
    member_count: u64,
    total_votes: u64,
    created_at_ms: u64,
    voting_ends_at_ms: u64,
    executable_from_ms: u64,
    executable_until_ms: u64,
) {
    event::emit(ProposalCreated {
        object,
        proposal_id,
        dao_id,
        number,
        proposer,
        effect,
        description_hash,
        governance,
        member_count,
        total_votes,
        created_at_ms,
        voting_ends_at_ms,
        executable_from_ms,
        executable_until_ms,
    });
}

public(package) fun vote_cast(proposal_id: address, voter: address, choice: u8, votes: u64) {
    event::emit(VoteCast { proposal_id, voter, choice, votes });
}

public(package) fun proposal_executed(proposal_id: address, dao_id: address, executed_at_ms: u64) {
    event::emit(ProposalExecuted { proposal_id, dao_id, executed_at_ms });
}

public(package) fun governance_set(dao_id: address, governance: Governance) {
    event::emit(GovernanceSet { dao_id, governance });
}

public(package) fun payout_rules_set(dao_id: address, payout_rules: PayoutRules) {
    event::emit(PayoutRulesSet { dao_id, payout_rules });
}

public(package) fun treasury_spent(dao_id: address, to: address, amount_units: u64) {
    event::emit(TreasurySpent { dao_id, to, amount_units });
}
