/// How a DAO decides. Serialises to the bytes of the protocol library's `GovernanceBcs`.
module usufruct::governance;

/// The kind of voting is none that there is.
const EVotingKind: u64 = 1500;
/// The quorum is zero or above ten thousand basis points.
const EQuorum: u64 = 1501;
/// The approval is no majority, or above ten thousand basis points.
const EApproval: u64 = 1502;
/// Voting or execution is shorter than a second or longer than 90 days, or the timelock is longer than that.
const ETerm: u64 = 1503;

/// Each member has one vote.
const BY_MEMBER: u8 = 0;
/// Each unit that a member has earned as a contributor is one vote.
const BY_CONTRIBUTION: u8 = 1;

const WHOLE_BPS: u16 = 10_000;
const LEAST_APPROVAL_BPS: u16 = 5_001;
/// Of voting and of the time to execute: a proposal that nobody can vote on or execute decides nothing.
const LEAST_TERM_MS: u64 = 1_000;
/// 90 days.
const MOST_TERM_MS: u64 = 7_776_000_000;

public struct Governance has copy, drop, store {
    voting: u8,
    /// The least part of all votes that must be cast (yes, no or abstain).
    quorum_bps: u16,
    /// The least part of yes among yes and no.
    approval_bps: u16,
    voting_ms: u64,
    /// From the end of voting until it can be executed.
    timelock_ms: u64,
    /// How long it can then be executed.
    execution_ms: u64,
    /// No role sets the policy, only votes do.
    policy_by_vote_only: bool,
}

public fun new(
    voting: u8,
    quorum_bps: u16,
    approval_bps: u16,
    voting_ms: u64,
    timelock_ms: u64,
    execution_ms: u64,
    policy_by_vote_only: bool,
): Governance {
    assert!(voting == BY_MEMBER || voting == BY_CONTRIBUTION, EVotingKind);
    assert!(quorum_bps > 0 && quorum_bps <= WHOLE_BPS, EQuorum);
    assert!(approval_bps >= LEAST_APPROVAL_BPS && approval_bps <= WHOLE_BPS, EApproval);
    assert!(voting_ms >= LEAST_TERM_MS && voting_ms <= MOST_TERM_MS, ETerm);
    assert!(timelock_ms <= MOST_TERM_MS, ETerm);
    assert!(execution_ms >= LEAST_TERM_MS && execution_ms <= MOST_TERM_MS, ETerm);
    Governance {
        voting,
        quorum_bps,
        approval_bps,
        voting_ms,
        timelock_ms,
        execution_ms,
        policy_by_vote_only,
    }
}

/// 0 by member, 1 by contribution.
public fun voting(self: &Governance): u8 {
    self.voting
}

public fun is_by_contribution(self: &Governance): bool {
    self.voting == BY_CONTRIBUTION
}

/// The same with one vote for each member.
public(package) fun by_member(mut self: Governance): Governance {
    self.voting = BY_MEMBER;
    self
}

public fun quorum_bps(self: &Governance): u16 {
    self.quorum_bps
}

public fun approval_bps(self: &Governance): u16 {
    self.approval_bps
}

public fun voting_ms(self: &Governance): u64 {
    self.voting_ms
}

public fun timelock_ms(self: &Governance): u64 {
    self.timelock_ms
}

public fun execution_ms(self: &Governance): u64 {
    self.execution_ms
}

public fun policy_by_vote_only(self: &Governance): bool {
    self.policy_by_vote_only
}
