import { asId, type TimestampMs } from '@usufruct/kernel';
import {
  parseAnswer,
  proposalState,
  roleNames,
  tallyOf,
  VOTE_CHOICES,
  zProposalView,
  type ProposalView,
} from '@usufruct/protocol';
import { z } from 'zod';
import { globalId } from '../../platform/graphql/index.js';
import { toBigint, toMs, toMsOrNull } from '../../platform/prisma/index.js';
import type { Proposal, Vote } from '../../platform/prisma/generated/client.js';
import { effectTypeOf, type ProposalEffectType } from './proposal-effect.types.js';
import { summaryOf } from './proposal-summary.js';
import type { ProposalType, VoteType } from './proposal.types.js';

const zChoice = z.enum(VOTE_CHOICES);

/** The row as the chain's view of it. */
export const toProposalView = (row: Proposal): ProposalView =>
  parseAnswer(
    zProposalView,
    {
      ...row,
      totalVotes: row.totalVotes.toFixed(0),
      yesVotes: row.yesVotes.toFixed(0),
      noVotes: row.noVotes.toFixed(0),
      abstainVotes: row.abstainVotes.toFixed(0),
      createdAtMs: toMs(row.createdAt),
      votingEndsAtMs: toMs(row.votingEndsAt),
      executableFromMs: toMs(row.executableFrom),
      executableUntilMs: toMs(row.executableUntil),
      executedAtMs: toMsOrNull(row.executedAt),
    },
    'projection',
  );

export function toProposal(row: Proposal, nowMs: TimestampMs): ProposalType {
  const view = toProposalView(row);
  const { id: proposalId, effect, ...proposal } = view;
  const { yesVotes, noVotes, abstainVotes, totalVotes } = view;
  return {
    ...proposal,
    __typename: 'Proposal',
    id: globalId('Proposal', proposalId),
    view,
    proposalId,
    effect: toEffect(effect),
    summary: summaryOf(effect),
    state: proposalState(view, nowMs),
    tally: { yesVotes, noVotes, abstainVotes, totalVotes, ...tallyOf(view) },
    executedIn: row.executedIn === null ? null : asId(row.executedIn, 'executedIn'),
  };
}

function toEffect(effect: ProposalView['effect']): ProposalEffectType {
  const { kind, ...payload } = effect;
  const __typename = effectTypeOf(kind);
  if (effect.kind === 'setRoles') return { __typename, member: effect.member, roles: roleNames(effect.roles) };
  if (effect.kind === 'unpause') return { __typename, paused: false };
  return { __typename, ...payload };
}

export const toVote = (row: Vote): VoteType => ({
  voter: asId(row.voter, 'voter'),
  choice: parseAnswer(zChoice, row.choice, 'projection'),
  votes: toBigint(row.votes),
  transaction: asId(row.transaction, 'transaction'),
  castAtMs: toMs(row.castAt),
});
