import { Args, Context, Int, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { refuse, type ContributionId } from '@usufruct/kernel';
import { CurrentViewer, RequireScope, requireViewer, type Viewer } from '../../platform/auth/index.js';
import { Hex32Scalar, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoService, DatasetType } from '../dao/index.js';
import { ContributionService } from './contribute.service.js';
import {
  ContributionConnection,
  ContributionsArgs,
  ContributionType,
  DatasetContributionsArgs,
} from './contribute.types.js';

@Resolver(() => ContributionType)
export class ContributionResolver {
  constructor(
    private readonly service: ContributionService,
    private readonly daos: DaoService,
  ) {}

  @RequireScope('read')
  @Query(() => ContributionConnection, { description: "All filters are optional; without any, the viewer's own." })
  contributions(
    @CurrentViewer() viewer: Viewer,
    @Args() args: ContributionsArgs,
  ): Promise<Connection<ContributionType>> {
    return this.service.find(viewer.address, args);
  }

  @RequireScope('read')
  @Query(() => ContributionType, { nullable: true })
  contribution(
    @Args('contributionId', { type: () => Hex32Scalar }) contributionId: ContributionId,
    @Context() { loaders }: GraphqlContext,
  ): Promise<ContributionType | null> {
    return this.service.contribution(loaders, contributionId);
  }

  @ResolveField(() => DatasetType)
  async dataset(
    @Parent() contribution: ContributionType,
    @Context() { loaders }: GraphqlContext,
  ): Promise<DatasetType> {
    const dataset = await this.daos.dataset(loaders, contribution.datasetId);
    if (dataset === null) throw refuse('NOT_FOUND', { datasetId: contribution.datasetId });
    return dataset;
  }
}

@Resolver(() => DatasetType)
export class DatasetContributionsResolver {
  constructor(private readonly service: ContributionService) {}

  @ResolveField(() => Int)
  contributionCount(@Parent() dataset: DatasetType, @Context() { loaders }: GraphqlContext): Promise<number> {
    return this.service.count(loaders, dataset.datasetId);
  }

  /** Field resolvers are not behind the guard: a public dataset does not make its contributions public. */
  @ResolveField(() => ContributionConnection)
  async contributions(
    @Parent() dataset: DatasetType,
    @Args() args: DatasetContributionsArgs,
    @Context() { loaders, viewer }: GraphqlContext,
  ): Promise<Connection<ContributionType>> {
    requireViewer(viewer, 'read');
    return this.service.ofDataset(loaders, dataset.datasetId, args);
  }
}
