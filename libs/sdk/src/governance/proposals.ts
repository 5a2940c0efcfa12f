import { refuse, type DaoId, type ProposalId, type TimestampMs } from '@usufruct/kernel';
import {
  deriveId,
  metadataDigest,
  proposalState,
  requireMetadata,
  tallyOf,
  VOTE_CHOICES,
  type Metadata,
  type ProposalEffect,
  type ProposalState,
  type ProposalView,
  type Tally,
  type VoteChoice,
} from '@usufruct/protocol';
import { z } from 'zod';
import { actOnce } from '../act.js';
import { operation, REFUSAL_FIELDS, resultOf } from '../api/graphql.js';
import type { ClientContext } from '../context.js';
import { createOnce } from '../create.js';
import { describe } from '../describe.js';
import { readRecord, writeRecord } from '../journal.js';
import { executeOnce } from '../transactions.js';

export interface ProposalStatus {
  readonly proposal: ProposalView;
  readonly state: ProposalState;
  readonly tally: Tally;
}

/** Where a proposal stands at a moment. */
export const statusOf = (proposal: ProposalView, nowMs: TimestampMs): ProposalStatus => ({
  proposal,
  state: proposalState(proposal, nowMs),
  tally: tallyOf(proposal),
});

export interface ProposeParams extends Metadata {
  /** The journal's name for it: the same key never makes a second proposal. */
  readonly key: string;
  readonly daoId: DaoId;
  readonly effect: ProposalEffect;
}

const DESCRIBE_PROPOSAL = operation<{ input: Metadata & { proposalId: ProposalId } }>()(
  `mutation DescribeProposal($input: DescribeProposalInput!) { result: describeProposal(input: $input) {
    __typename ... on Proposal { title } ${REFUSAL_FIELDS} } }`,
  z.object({ result: resultOf(z.object({ title: z.string().nullable() })) }),
);

/**
 * By a member. Voting begins at once, under the rules that the DAO has now; the chain keeps the words' digest, and the
 * API is told the words. When that fails the proposal stands: the same key tells them again.
 */
export async function propose(context: ClientContext, params: ProposeParams): Promise<ProposalStatus> {
  const { key, daoId, effect, title, description } = params;
  requireMetadata(params);
  const proposal = await createOnce({
    context,
    key: `proposal/${key}`,
    read: (salt) => context.chain.proposal(deriveId<ProposalId>('proposal', daoId, context.signer.address, salt)),
    action: (salt) => ({
      kind: 'propose',
      salt,
      daoId,
      effect,
      descriptionHash: metadataDigest({ title, description }),
    }),
  });
  await describe(context, DESCRIBE_PROPOSAL, { proposalId: proposal.id, title, description });
  return statusOf(proposal, context.clock.nowMs());
}

export async function proposalStatus(context: ClientContext, proposalId: ProposalId): Promise<ProposalStatus> {
  return statusOf(await context.chain.proposal(proposalId), context.clock.nowMs());
}

/** Newest first. */
export async function listProposals(context: ClientContext, daoId: DaoId): Promise<ProposalStatus[]> {
  const proposals = await context.chain.proposalsOf(daoId);
  const nowMs = context.clock.nowMs();
  return proposals.sort((a, b) => b.number - a.number).map((proposal) => statusOf(proposal, nowMs));
}

const zVoted = z.object({ choice: z.enum(VOTE_CHOICES) });
const voteKey = (context: ClientContext, proposalId: ProposalId): string =>
  `vote/${proposalId}/${context.signer.address}`;

/** What this client has voted; null when it has not, or voted from elsewhere. */
export async function votedHere(context: ClientContext, proposalId: ProposalId): Promise<VoteChoice | null> {
  return (await readRecord(context.journal, voteKey(context, proposalId), zVoted))?.choice ?? null;
}

/**
 * Vote, once and for good. The chain does not say how somebody voted, so the journal remembers it: the same vote again
 * changes nothing. Refuses `ALREADY_VOTED`, `NO_VOTE` for who had none when it was made, `PROPOSAL_STATE`.
 */
export async function vote(
  context: ClientContext,
  proposalId: ProposalId,
  choice: VoteChoice,
): Promise<ProposalStatus> {
  const { journal } = context;
  const key = voteKey(context, proposalId);
  const voted = await readRecord(journal, key, zVoted);
  if (voted !== null && voted.choice !== choice) throw refuse('ALREADY_VOTED', { choice: voted.choice });
  if (voted === null) {
    const transactionKey = `${key}/${choice}/transaction`;
    await executeOnce({ ...context, key: transactionKey, actions: [{ kind: 'vote', proposalId, choice }] });
    await writeRecord(journal, key, { choice });
    await journal.delete(transactionKey);
  }
  return proposalStatus(context, proposalId);
}

/** By anyone, between the end of the timelock and the end of the time to execute. Refuses `PROPOSAL_STATE`. */
export async function executeProposal(context: ClientContext, proposalId: ProposalId): Promise<ProposalStatus> {
  const executed = await actOnce({
    context,
    key: `execute/${proposalId}`,
    action: { kind: 'executeProposal', proposalId },
    read: () => context.chain.proposal(proposalId),
    isDone: ({ executedAtMs }) => executedAtMs !== null,
  });
  return statusOf(executed, context.clock.nowMs());
}
