import { LIMITS, type Governance, type PayoutRules } from '@usufruct/protocol';
import type { EffectRule } from './effect-rule.js';
import { requireInteger } from './guards.js';
import { mustFind } from './room.js';

/** More yes than no, at least. */
const LEAST_APPROVAL_BPS = 5_001;
const WHOLE_BPS = 10_000;

export function requireGovernance(governance: Governance): void {
  const { quorumBps, approvalBps, votingMs, timelockMs, executionMs } = governance;
  const { governanceTermLeastMs, governanceTermMs } = LIMITS;
  requireInteger(quorumBps, 1, WHOLE_BPS, 'governance.quorumBps');
  requireInteger(approvalBps, LEAST_APPROVAL_BPS, WHOLE_BPS, 'governance.approvalBps');
  requireInteger(votingMs, governanceTermLeastMs, governanceTermMs, 'governance.votingMs');
  requireInteger(timelockMs, 0, governanceTermMs, 'governance.timelockMs');
  requireInteger(executionMs, governanceTermLeastMs, governanceTermMs, 'governance.executionMs');
}

export function requirePayoutRules({ challengeMs, claimTermMs }: PayoutRules): void {
  const { governanceTermLeastMs, governanceTermMs, claimTermMs: mostClaimTermMs } = LIMITS;
  requireInteger(challengeMs, 0, governanceTermMs, 'payoutRules.challengeMs');
  requireInteger(claimTermMs, governanceTermLeastMs, mostClaimTermMs, 'payoutRules.claimTermMs');
}

export const setGovernance: EffectRule<'setGovernance'> = {
  check: ({ governance }) => requireGovernance(governance),
  apply: (room, { daoId }, { governance }) => {
    room.draft.write('dao', daoId, { ...mustFind(room, 'dao', daoId), governance });
    room.emit({ type: 'GovernanceSet', daoId, governance });
  },
};

export const setPayoutRules: EffectRule<'setPayoutRules'> = {
  check: ({ payoutRules }) => requirePayoutRules(payoutRules),
  apply: (room, { daoId }, { payoutRules }) => {
    room.draft.write('dao', daoId, { ...mustFind(room, 'dao', daoId), payoutRules });
    room.emit({ type: 'PayoutRulesSet', daoId, payoutRules });
  },
};
