import { refuse, toBase64 } from '@usufruct/kernel';
import { ProposalEffectBcs, toWireJson, VOTE_CHOICES, zProposalEffect, type ProposalView } from '@usufruct/protocol';
import type { EventRows } from './row.js';
import { named } from './wire-values.js';

/** An effect as views write it: the same value, with bytes as base64. */
export function effectView(bytes: Uint8Array): ProposalView['effect'] {
  const effect = ProposalEffectBcs.parse(bytes);
  return effect.kind === 'registerSigner'
    ? zProposalEffect.parse(JSON.parse(toWireJson({ ...effect, publicKeys: effect.publicKeys.map(toBase64) })))
    : zProposalEffect.parse(JSON.parse(toWireJson(effect)));
}

export const GOVERNANCE_ROWS: EventRows<
  | 'DaoUnpaused'
  | 'ProposalCreated'
  | 'VoteCast'
  | 'ProposalExecuted'
  | 'GovernanceSet'
  | 'PayoutRulesSet'
  | 'TreasurySpent'
> = {
  DaoUnpaused: {
    dao: (event) => event.dao_id,
    data: (event) => ({ type: 'DaoUnpaused', daoId: event.dao_id }),
  },
  ProposalCreated: {
    dao: (event) => event.dao_id,
    learn: (event, index) => {
      const { proposals } = index.daos.known(event.dao_id);
      proposals.push(event.proposal_id);
      if (event.number !== proposals.length) throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'a proposal is missing' });
      index.proposals.add(event.proposal_id, {
        object: event.object,
        daoId: event.dao_id,
        createdAtMs: event.created_at_ms,
      });
    },
    data: (event) => ({
      type: 'ProposalCreated',
      proposal: {
        id: event.proposal_id,
        daoId: event.dao_id,
        number: event.number,
        proposer: event.proposer,
        effect: effectView(event.effect),
        descriptionHash: event.description_hash,
        voting: event.governance.voting,
        quorumBps: event.governance.quorumBps,
        approvalBps: event.governance.approvalBps,
        memberCount: event.member_count,
        totalVotes: event.total_votes,
        yesVotes: 0n,
        noVotes: 0n,
        abstainVotes: 0n,
        createdAtMs: event.created_at_ms,
        votingEndsAtMs: event.voting_ends_at_ms,
        executableFromMs: event.executable_from_ms,
        executableUntilMs: event.executable_until_ms,
        executedAtMs: null,
      },
    }),
  },
  VoteCast: {
    dao: (event, index) => index.proposals.known(event.proposal_id).daoId,
    data: (event) => ({
      type: 'VoteCast',
      proposalId: event.proposal_id,
      voter: event.voter,
      choice: named(VOTE_CHOICES, event.choice, 'choice of a vote'),
      votes: event.votes,
    }),
  },
  ProposalExecuted: {
    dao: (event) => event.dao_id,
    learn: (event, index) => void index.proposals.known(event.proposal_id),
    data: (event) => ({
      type: 'ProposalExecuted',
      proposalId: event.proposal_id,
      daoId: event.dao_id,
      executedAtMs: event.executed_at_ms,
    }),
  },
  GovernanceSet: {
    dao: (event) => event.dao_id,
    data: (event) => ({ type: 'GovernanceSet', daoId: event.dao_id, governance: { ...event.governance } }),
  },
  PayoutRulesSet: {
    dao: (event) => event.dao_id,
    data: (event) => ({ type: 'PayoutRulesSet', daoId: event.dao_id, payoutRules: { ...event.payout_rules } }),
  },
  TreasurySpent: {
    dao: (event) => event.dao_id,
    data: (event) => ({
      type: 'TreasurySpent',
      daoId: event.dao_id,
      to: event.to,
      amountUnits: event.amount_units,
    }),
  },
};
