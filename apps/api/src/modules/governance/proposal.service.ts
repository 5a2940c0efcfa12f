import { Inject, Injectable } from '@nestjs/common';
import { refuse, type Address, type Clock, type DaoId, type Hex32, type ProposalId } from '@usufruct/kernel';
import { policyAfter, policyDiff, type Metadata } from '@usufruct/protocol';
import { connectionFrom, pageOf, type Connection, type Loaders, type PageArgs } from '../../platform/graphql/index.js';
import { CLOCK } from '../../platform/tokens.js';
import { DaoService, toPolicyChange, type PolicyChangeType } from '../dao/index.js';
import { ProjectionService } from '../projection/index.js';
import { toProposal, toVote } from './proposal.mapper.js';
import { ProposalRepository } from './proposal.repository.js';
import type { DescribeProposalInput, ProposalsArgs, ProposalType, VoteType } from './proposal.types.js';

@Injectable()
export class ProposalService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly repository: ProposalRepository,
    private readonly daos: DaoService,
    private readonly projection: ProjectionService,
  ) {}

  async proposal(loaders: Loaders, id: ProposalId): Promise<ProposalType | null> {
    const row = await this.repository.load(loaders, id);
    return row === null ? null : toProposal(row, this.clock.nowMs());
  }

  /** Newest first. */
  async ofDao(loaders: Loaders, daoId: DaoId, args: ProposalsArgs): Promise<Connection<ProposalType>> {
    const page = pageOf('proposals', args);
    const nowMs = this.clock.nowMs();
    const state = args.state ?? null;
    const rows = await this.repository.loadOf(loaders, daoId, state === null ? null : { is: state, nowMs }, page);
    return connectionFrom(
      'proposals',
      page,
      rows,
      (row) => [row.eventSeq],
      (row) => toProposal(row, nowMs),
    );
  }

  async votes(loaders: Loaders, id: ProposalId, args: PageArgs): Promise<Connection<VoteType>> {
    const page = pageOf('votes', args);
    const rows = await this.repository.loadVotes(loaders, id, page);
    return connectionFrom('votes', page, rows, (row) => [row.eventSeq], toVote);
  }
  async voteOf(loaders: Loaders, id: ProposalId, voter: Hex32): Promise<VoteType | null> {
    const row = await this.repository.loadVoteOf(loaders, id, voter);
    return row === null ? null : toVote(row);
  }

  /** What executing it now would change of the policy: nothing once it was executed, or when it leaves it alone. */
  async changes(loaders: Loaders, { view, daoId }: ProposalType): Promise<PolicyChangeType[]> {
    const { effect } = view;
    if (view.executedAtMs !== null || effect.kind === 'registerSigner') return [];
    const { policy } = await this.daos.daoView(loaders, daoId);
    const after = policyAfter(policy, effect);
    return after === null ? [] : policyDiff(policy, after).map(toPolicyChange);
  }

  words(loaders: Loaders, { descriptionHash }: ProposalType): Promise<Metadata | null> {
    return this.daos.metadata(loaders, descriptionHash);
  }
  async describe(caller: Address, input: DescribeProposalInput): Promise<ProposalType> {
    const { proposalId, title, description } = input;
    const row = await this.projection.waitFor(() => this.repository.proposal(proposalId));
    if (row === null) throw refuse('NOT_FOUND', { proposalId });
    if (caller !== row.proposer) throw refuse('FORBIDDEN', { needs: 'the proposer' });
    await this.daos.keepWords(row.descriptionHash, { title, description });
    return toProposal(row, this.clock.nowMs());
  }
}
