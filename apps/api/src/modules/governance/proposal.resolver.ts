import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { refuse, type Hex32, type ProposalId } from '@usufruct/kernel';
import { CurrentViewer, Public, RequireScope, type Viewer } from '../../platform/auth/index.js';
import { Hex32Scalar, PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoService, DaoType, PolicyChangeUnion, type PolicyChangeType } from '../dao/index.js';
import { ProposalService } from './proposal.service.js';
import {
  DescribeProposalInput,
  DescribeProposalResult,
  ProposalConnection,
  ProposalsArgs,
  ProposalType,
  VoteConnection,
  VoteType,
} from './proposal.types.js';

@Resolver(() => DaoType)
export class DaoProposalsResolver {
  constructor(private readonly service: ProposalService) {}

  @ResolveField(() => ProposalConnection, { description: 'Newest first.' })
  proposals(
    @Parent() dao: DaoType,
    @Args() args: ProposalsArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<ProposalType>> {
    return this.service.ofDao(loaders, dao.daoId, args);
  }
}

@Resolver(() => ProposalType)
export class ProposalResolver {
  constructor(
    private readonly service: ProposalService,
    private readonly daos: DaoService,
  ) {}

  @Public()
  @Query(() => ProposalType, { nullable: true })
  proposal(
    @Args('proposalId', { type: () => Hex32Scalar }) proposalId: ProposalId,
    @Context() { loaders }: GraphqlContext,
  ): Promise<ProposalType | null> {
    return this.service.proposal(loaders, proposalId);
  }

  @RequireScope('describe')
  @Mutation(() => DescribeProposalResult, {
    description:
      "By the proposer. Title and description must hash to the chain's descriptionHash (protocol: metadataDigest).",
  })
  describeProposal(
    @CurrentViewer() viewer: Viewer,
    @Args('input') input: DescribeProposalInput,
  ): Promise<ProposalType> {
    return this.service.describe(viewer.address, input);
  }

  @ResolveField(() => String, {
    nullable: true,
    description: 'Null until the proposer has given its reasons here; their digest equals descriptionHash.',
  })
  async title(@Parent() proposal: ProposalType, @Context() { loaders }: GraphqlContext): Promise<string | null> {
    return (await this.service.words(loaders, proposal))?.title ?? null;
  }

  @ResolveField(() => String, { nullable: true })
  async description(@Parent() proposal: ProposalType, @Context() { loaders }: GraphqlContext): Promise<string | null> {
    return (await this.service.words(loaders, proposal))?.description ?? null;
  }

  @ResolveField(() => [PolicyChangeUnion], {
    description:
      'What executing it now would change of the policy; empty for what is not about the policy, and once executed.',
  })
  changes(@Parent() proposal: ProposalType, @Context() { loaders }: GraphqlContext): Promise<PolicyChangeType[]> {
    return this.service.changes(loaders, proposal);
  }

  @ResolveField(() => VoteConnection, { description: 'In the order in which they were cast.' })
  votes(
    @Parent() proposal: ProposalType,
    @Args() page: PageArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<VoteType>> {
    return this.service.votes(loaders, proposal.proposalId, page);
  }

  @ResolveField(() => VoteType, { nullable: true })
  voteOf(
    @Parent() proposal: ProposalType,
    @Args('voter', { type: () => Hex32Scalar }) voter: Hex32,
    @Context() { loaders }: GraphqlContext,
  ): Promise<VoteType | null> {
    return this.service.voteOf(loaders, proposal.proposalId, voter);
  }

  @ResolveField(() => DaoType)
  async dao(@Parent() proposal: ProposalType, @Context() { loaders }: GraphqlContext): Promise<DaoType> {
    const dao = await this.daos.dao(loaders, proposal.daoId);
    if (dao === null) throw refuse('NOT_FOUND', { daoId: proposal.daoId });
    return dao;
  }
}
