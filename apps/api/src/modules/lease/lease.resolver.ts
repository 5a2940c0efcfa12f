import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { DaoId } from '@usufruct/kernel';
import { CurrentViewer, RequireScope, requireViewer, type Viewer } from '../../platform/auth/index.js';
import { Hex32Scalar, type GraphqlContext } from '../../platform/graphql/index.js';
import { ContributionType } from '../contribute/index.js';
import { DaoType } from '../dao/index.js';
import { KeeperWallet } from './keeper-wallet.js';
import { LeaseService } from './lease.service.js';
import {
  ContributionStorageType,
  DaoStorageType,
  InviteLeaseKeeperResult,
  LeaseWarningType,
  type LeaseKeeperInvited,
} from './lease.types.js';

@Resolver(() => ContributionType)
export class ContributionStorageResolver {
  constructor(private readonly service: LeaseService) {}

  @ResolveField(() => ContributionStorageType)
  storage(
    @Parent() { contributionId }: ContributionType,
    @Context() { loaders }: GraphqlContext,
  ): Promise<ContributionStorageType> {
    return this.service.storage(loaders, contributionId);
  }
}

@Resolver(() => DaoType)
export class DaoStorageResolver {
  constructor(private readonly service: LeaseService) {}

  @ResolveField(() => DaoStorageType, { description: 'For who is signed in.' })
  storage(@Parent() dao: DaoType, @Context() { loaders, viewer }: GraphqlContext): Promise<DaoStorageType> {
    requireViewer(viewer, 'read');
    return this.service.daoStorage(loaders, dao.daoId);
  }
}

@Resolver()
export class LeaseResolver {
  constructor(
    private readonly service: LeaseService,
    private readonly keeper: KeeperWallet,
  ) {}

  @RequireScope('read')
  @Query(() => [LeaseWarningType], { description: "Of the viewer's own contributions, while something can be done." })
  leaseWarnings(@CurrentViewer() viewer: Viewer): Promise<LeaseWarningType[]> {
    return this.service.warnings(viewer.address);
  }

  @RequireScope('describe')
  @Mutation(() => InviteLeaseKeeperResult, { description: 'The keeper applies for membership; the DAO decides.' })
  async inviteLeaseKeeper(
    @CurrentViewer() viewer: Viewer,
    @Args('daoId', { type: () => Hex32Scalar }) daoId: DaoId,
    @Context() { loaders }: GraphqlContext,
  ): Promise<LeaseKeeperInvited> {
    await this.service.invite(loaders, viewer.address, daoId);
    return { __typename: 'LeaseKeeperInvited', keeper: this.keeper.address };
  }
}
