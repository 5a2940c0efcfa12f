import { Injectable } from '@nestjs/common';
import type { DaoId, Hex32, ProposalId, TimestampMs } from '@usufruct/kernel';
import type { ProposalState } from '@usufruct/protocol';
import { byKey, pageByEvent, type Loaders, type Page } from '../../platform/graphql/index.js';
import { Prisma, PrismaService, toDate } from '../../platform/prisma/index.js';
import type { Proposal, Vote } from '../../platform/prisma/generated/client.js';

@Injectable()
export class ProposalRepository {
  constructor(private readonly prisma: PrismaService) {}

  proposal(id: ProposalId): Promise<Proposal | null> {
    return this.prisma.proposal.findUnique({ where: { id } });
  }
  load(loaders: Loaders, id: ProposalId): Promise<Proposal | null> {
    return loaders.load('proposal', id, async (ids) =>
      byKey(await this.prisma.proposal.findMany({ where: { id: { in: [...ids] } } }), (row) => row.id),
    );
  }
  /** Newest first. */
  loadOf(
    loaders: Loaders,
    daoId: DaoId,
    state: { readonly is: ProposalState; readonly nowMs: TimestampMs } | null,
    page: Page,
  ): Promise<Proposal[]> {
    const where = state === null ? undefined : { name: state.is, condition: inState(state.is, toDate(state.nowMs)) };
    return pageByEvent(loaders, this.prisma, {
      list: { table: 'proposal', parent: 'dao_id', order: 'desc', where },
      parent: daoId,
      page,
      rows: (where) => this.prisma.proposal.findMany({ where }),
      parentOf: (row) => row.daoId,
    });
  }

  /** In the order in which they were cast. */
  loadVotes(loaders: Loaders, proposalId: ProposalId, page: Page): Promise<Vote[]> {
    return pageByEvent(loaders, this.prisma, {
      list: { table: 'vote', parent: 'proposal_id', order: 'asc' },
      parent: proposalId,
      page,
      rows: (where) => this.prisma.vote.findMany({ where }),
      parentOf: (row) => row.proposalId,
    });
  }
  loadVoteOf(loaders: Loaders, proposalId: ProposalId, voter: Hex32): Promise<Vote | null> {
    return loaders.load(`vote-of:${voter}`, proposalId, async (ids) =>
      byKey(
        await this.prisma.vote.findMany({ where: { voter, proposalId: { in: [...ids] } } }),
        (row) => row.proposalId,
      ),
    );
  }
}

/** The protocol's `proposalState`, asked of the table. */
function inState(state: ProposalState, now: Date): Prisma.Sql {
  const open = Prisma.sql`executed_at is null`;
  switch (state) {
    case 'executed':
      return Prisma.sql`executed_at is not null`;
    case 'voting':
      return Prisma.sql`${open} and voting_ends_at > ${now}`;
    case 'rejected':
      return Prisma.sql`${open} and voting_ends_at <= ${now} and not passed`;
    case 'timelocked':
      return Prisma.sql`${open} and voting_ends_at <= ${now} and passed and executable_from > ${now}`;
    case 'executable':
      return Prisma.sql`${open} and voting_ends_at <= ${now} and passed and executable_from <= ${now} and executable_until > ${now}`;
    case 'lapsed':
      return Prisma.sql`${open} and passed and executable_from <= ${now} and executable_until <= ${now}`;
  }
}
