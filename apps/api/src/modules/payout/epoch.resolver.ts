import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { refuse, type EpochId } from '@usufruct/kernel';
import { Public, requireViewer } from '../../platform/auth/index.js';
import { Hex32Scalar, PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoService, DaoType } from '../dao/index.js';
import { EpochService } from './epoch.service.js';
import {
  EpochClaimConnection,
  EpochConnection,
  EpochType,
  ReceiptPoolType,
  type EpochClaimType,
} from './epoch.types.js';

@Resolver(() => DaoType)
export class DaoEpochsResolver {
  constructor(private readonly service: EpochService) {}

  @ResolveField(() => EpochConnection, { description: 'Newest first, rejected ones included.' })
  epochs(
    @Parent() dao: DaoType,
    @Args() page: PageArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<EpochType>> {
    return this.service.ofDao(loaders, dao.daoId, page);
  }

  @ResolveField(() => ReceiptPoolType)
  receiptPool(@Parent() dao: DaoType, @Context() { loaders }: GraphqlContext): Promise<ReceiptPoolType> {
    return this.service.pool(loaders, dao.daoId);
  }
}

@Resolver(() => EpochType)
export class EpochResolver {
  constructor(
    private readonly service: EpochService,
    private readonly daos: DaoService,
  ) {}

  @Public()
  @Query(() => EpochType, { nullable: true })
  epoch(
    @Args('epochId', { type: () => Hex32Scalar }) epochId: EpochId,
    @Context() { loaders }: GraphqlContext,
  ): Promise<EpochType | null> {
    return this.service.epoch(loaders, epochId);
  }

  @ResolveField(() => EpochClaimConnection, { description: 'Newest first. For who is signed in.' })
  claims(
    @Parent() epoch: EpochType,
    @Args() page: PageArgs,
    @Context() { loaders, viewer }: GraphqlContext,
  ): Promise<Connection<EpochClaimType>> {
    requireViewer(viewer, 'read');
    return this.service.claims(loaders, epoch.epochId, page);
  }

  @ResolveField(() => DaoType)
  async dao(@Parent() epoch: EpochType, @Context() { loaders }: GraphqlContext): Promise<DaoType> {
    const dao = await this.daos.dao(loaders, epoch.daoId);
    if (dao === null) throw refuse('NOT_FOUND', { daoId: epoch.daoId });
    return dao;
  }
}
