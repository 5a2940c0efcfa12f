import { UNCLAIMED_TO, VOTING_KINDS, PAYOUT_MODES, type Governance, type PayoutRules } from '@usufruct/protocol';
import type { Play } from '../play/actor.js';
import { MINUTE_MS } from '../play/cast.js';
import * as move from '../play/move-text.js';

const DAY_MS = 24 * 60 * MINUTE_MS;
/** Ways to make rules that both sides refuse. */
export const RULES_TWISTS = [
  'no quorum',
  'high quorum',
  'low approval',
  'high approval',
  'short voting',
  'long voting',
  'long timelock',
  'short execution',
  'long challenge',
  'short claim term',
  'long claim term',
];

/** Short enough that a scenario sees the end of a proposal. */
export function governanceOf({ random, needs }: Play, twist: string | null): Governance {
  const chosen: Governance = {
    voting: random.chance(0.6) ? 'member' : 'contribution',
    quorumBps: random.pick([1, 2_000, 3_334, 5_000, 10_000]),
    approvalBps: random.pick([5_001, 6_667, 10_000]),
    votingMs: random.pick([1_000, MINUTE_MS, 5 * MINUTE_MS]),
    timelockMs: random.pick([0, 1, 2 * MINUTE_MS]),
    executionMs: random.pick([1_000, 10 * MINUTE_MS]),
    policyByVoteOnly: needs.policyByVoteOnly ?? random.chance(0.15),
  };
  // Where something has to be voted for, it has to pass, and in time.
  const passing = { voting: 'member', quorumBps: 1, approvalBps: 5_001, executionMs: 10 * MINUTE_MS } as const;
  const governance = needs.effects === undefined ? chosen : { ...chosen, ...passing, policyByVoteOnly: false };
  const changes: Readonly<Record<string, Partial<Governance>>> = {
    'no quorum': { quorumBps: 0 },
    'high quorum': { quorumBps: 10_001 },
    'low approval': { approvalBps: 5_000 },
    'high approval': { approvalBps: 10_001 },
    'short voting': { votingMs: 999 },
    'long voting': { votingMs: 90 * DAY_MS + 1 },
    'long timelock': { timelockMs: 90 * DAY_MS + 1 },
    'short execution': { executionMs: 999 },
  };
  return { ...governance, ...changes[twist ?? ''] };
}

export function payoutRulesOf({ random, needs }: Play, twist: string | null): PayoutRules {
  const rules: PayoutRules = {
    mode: needs.mode ?? (random.chance(0.65) ? 'direct' : 'epoch'),
    challengeMs: random.pick([0, MINUTE_MS, 10 * MINUTE_MS]),
    claimTermMs: random.pick([1_000, 5 * MINUTE_MS]),
    unclaimedTo: random.pick(UNCLAIMED_TO),
  };
  const changes: Readonly<Record<string, Partial<PayoutRules>>> = {
    'long challenge': { challengeMs: 90 * DAY_MS + 1 },
    'short claim term': { claimTermMs: 999 },
    'long claim term': { claimTermMs: 3 * 365 * DAY_MS + 1 },
  };
  return { ...rules, ...changes[twist ?? ''] };
}

export function governanceText(governance: Governance): string {
  const { voting, quorumBps, approvalBps, votingMs, timelockMs, executionMs, policyByVoteOnly } = governance;
  const numbers = [VOTING_KINDS.indexOf(voting), quorumBps, approvalBps, votingMs, timelockMs, executionMs];
  return `governance::new(${numbers.map(move.number).join(', ')}, ${move.flag(policyByVoteOnly)})`;
}

export function payoutRulesText({ mode, challengeMs, claimTermMs, unclaimedTo }: PayoutRules): string {
  const numbers = [PAYOUT_MODES.indexOf(mode), challengeMs, claimTermMs, UNCLAIMED_TO.indexOf(unclaimedTo)];
  return `payout_rules::new(${numbers.map(move.number).join(', ')})`;
}

/** The abort for each refusal of such rules. */
export const RULES_REFUSALS: Readonly<Record<string, readonly string[]>> = {
  'INVALID_ARGUMENT governance.quorumBps': ['governance::EQuorum'],
  'INVALID_ARGUMENT governance.approvalBps': ['governance::EApproval'],
  'INVALID_ARGUMENT governance.votingMs': ['governance::ETerm'],
  'INVALID_ARGUMENT governance.timelockMs': ['governance::ETerm'],
  'INVALID_ARGUMENT governance.executionMs': ['governance::ETerm'],
  'INVALID_ARGUMENT payoutRules.challengeMs': ['payout_rules::EChallengeTerm'],
  'INVALID_ARGUMENT payoutRules.claimTermMs': ['payout_rules::EClaimTerm'],
};
