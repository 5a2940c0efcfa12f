import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { refuse, type AmountUnits, type Hex32 } from '@usufruct/kernel';
import { CurrentViewer, RequireScope, requireViewer, type Viewer } from '../../platform/auth/index.js';
import { Amount, Hex32Scalar, PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoService } from './dao.service.js';
import { DaoType } from './dao.types.js';
import { MembershipService } from './membership.service.js';
import {
  ApplicationConnection,
  ApplicationsArgs,
  ApplicationType,
  DescribeApplicationInput,
  DescribeApplicationResult,
  MemberConnection,
  MemberType,
} from './membership.types.js';

@Resolver(() => DaoType)
export class DaoMembershipResolver {
  constructor(private readonly service: MembershipService) {}

  @ResolveField(() => MemberConnection, { description: 'In order of joining; the founder is the first.' })
  members(
    @Parent() dao: DaoType,
    @Args() page: PageArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<MemberType>> {
    return this.service.members(loaders, dao.daoId, page);
  }

  @ResolveField(() => MemberType, { nullable: true })
  member(
    @Parent() dao: DaoType,
    @Args('address', { type: () => Hex32Scalar }) address: Hex32,
    @Context() { loaders }: GraphqlContext,
  ): Promise<MemberType | null> {
    return this.service.member(loaders, dao.daoId, address);
  }

  @ResolveField(() => ApplicationConnection, { description: 'Newest first.' })
  applications(
    @Parent() dao: DaoType,
    @Args() args: ApplicationsArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<ApplicationType>> {
    return this.service.applications(loaders, dao.daoId, args);
  }
}

@Resolver(() => MemberType)
export class MemberResolver {
  constructor(
    private readonly service: MembershipService,
    private readonly daos: DaoService,
  ) {}

  @RequireScope('read')
  @Query(() => MemberConnection, { description: 'The DAOs that the viewer is a member of, newest first.' })
  memberships(@CurrentViewer() viewer: Viewer, @Args() page: PageArgs): Promise<Connection<MemberType>> {
    return this.service.memberships(viewer.address, page);
  }

  @ResolveField(() => Amount, {
    description:
      'All that the DAO has paid the member as a contributor: its votes, where votes go by contribution. For who is signed in.',
  })
  earnedUnits(@Parent() member: MemberType, @Context() { viewer }: GraphqlContext): AmountUnits {
    requireViewer(viewer, 'read');
    return member.earnedUnits;
  }

  @ResolveField(() => DaoType)
  async dao(@Parent() member: MemberType, @Context() { loaders }: GraphqlContext): Promise<DaoType> {
    const dao = await this.daos.dao(loaders, member.daoId);
    if (dao === null) throw refuse('NOT_FOUND', { daoId: member.daoId });
    return dao;
  }
}

@Resolver(() => ApplicationType)
export class ApplicationResolver {
  constructor(private readonly service: MembershipService) {}

  @RequireScope('describe')
  @Mutation(() => DescribeApplicationResult, {
    description:
      "By the applicant, for the members to read. The statement must hash to the chain's statementHash (protocol: metadataDigest of the title `membership` and the statement).",
  })
  describeApplication(
    @CurrentViewer() viewer: Viewer,
    @Args('input') input: DescribeApplicationInput,
  ): Promise<ApplicationType> {
    return this.service.describe(viewer.address, input);
  }

  @ResolveField(() => String, {
    nullable: true,
    description: 'What the applicant said, for itself and for members; null for others, and until it has said it here.',
  })
  statement(
    @Parent() application: ApplicationType,
    @Context() { loaders, viewer }: GraphqlContext,
  ): Promise<string | null> {
    return this.service.statement(loaders, viewer ?? null, application);
  }
}
