import { Injectable } from '@nestjs/common';
import { isPassed, type ChainEvent, type ProposalView } from '@usufruct/protocol';
import { toColumn, toDate, toJson, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';
import { toProposalView } from './proposal.mapper.js';

@Injectable()
export class ProposalProjector implements Projector {
  readonly tables = ['proposal', 'vote'];

  async apply(tx: Database, event: ChainEvent): Promise<void> {
    const { data, transaction } = event;
    if (data.type === 'ProposalCreated') await created(tx, event, data.proposal);
    else if (data.type === 'VoteCast') await voted(tx, event, data);
    else if (data.type === 'ProposalExecuted') {
      await tx.proposal.update({
        where: { id: data.proposalId },
        data: { executedAt: toDate(data.executedAtMs), executedIn: transaction },
      });
    }
  }
}

async function created(tx: Database, { seq }: ChainEvent, proposal: ProposalView): Promise<void> {
  const { id, daoId, number, proposer, descriptionHash, voting, quorumBps, approvalBps, memberCount } = proposal;
  await tx.proposal.create({
    data: {
      id,
      daoId,
      number,
      proposer,
      effect: toJson(proposal.effect),
      descriptionHash,
      voting,
      quorumBps,
      approvalBps,
      memberCount,
      totalVotes: toColumn(proposal.totalVotes),
      yesVotes: toColumn(proposal.yesVotes),
      noVotes: toColumn(proposal.noVotes),
      abstainVotes: toColumn(proposal.abstainVotes),
      passed: isPassed(proposal),
      createdAt: toDate(proposal.createdAtMs),
      votingEndsAt: toDate(proposal.votingEndsAtMs),
      executableFrom: toDate(proposal.executableFromMs),
      executableUntil: toDate(proposal.executableUntilMs),
      eventSeq: seq,
    },
  });
}

type Cast = Extract<ChainEvent['data'], { type: 'VoteCast' }>;

async function voted(tx: Database, { seq, atMs, transaction }: ChainEvent, cast: Cast): Promise<void> {
  const { proposalId, voter, choice, votes } = cast;
  const castAt = toDate(atMs);
  await tx.vote.create({
    data: { proposalId, voter, choice, votes: toColumn(votes), transaction, castAt, eventSeq: seq },
  });
  const before = toProposalView(await tx.proposal.findUniqueOrThrow({ where: { id: proposalId } }));
  const count = `${choice}Votes` as const;
  const after = { ...before, [count]: before[count] + votes };
  await tx.proposal.update({
    where: { id: proposalId },
    data: { [count]: toColumn(after[count]), passed: isPassed(after) },
  });
}
