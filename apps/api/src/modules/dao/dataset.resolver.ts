import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, ArgsType, Field } from '@nestjs/graphql';
import { refuse, type DaoId, type DatasetId } from '@usufruct/kernel';
import { CurrentViewer, Public, RequireScope, type Viewer } from '../../platform/auth/index.js';
import { Hex32Scalar, PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoService } from './dao.service.js';
import { DaoType, DatasetConnection, DatasetType, DescribeDatasetInput, DescribeDatasetResult } from './dao.types.js';

@ArgsType()
class DatasetsArgs extends PageArgs {
  @Field(() => Hex32Scalar, { nullable: true })
  daoId?: DaoId | null;
}

@Resolver(() => DatasetType)
export class DatasetResolver {
  constructor(private readonly service: DaoService) {}

  @Public()
  @Query(() => DatasetConnection)
  datasets(@Args() args: DatasetsArgs, @Context() { loaders }: GraphqlContext): Promise<Connection<DatasetType>> {
    return this.service.datasets(loaders, args.daoId ?? null, args);
  }

  @Public()
  @Query(() => DatasetType, { nullable: true })
  dataset(
    @Args('datasetId', { type: () => Hex32Scalar }) datasetId: DatasetId,
    @Context() { loaders }: GraphqlContext,
  ): Promise<DatasetType | null> {
    return this.service.dataset(loaders, datasetId);
  }

  @RequireScope('describe')
  @Mutation(() => DescribeDatasetResult, { description: 'By a member.' })
  describeDataset(
    @CurrentViewer() viewer: Viewer,
    @Args('input') input: DescribeDatasetInput,
    @Context() { loaders }: GraphqlContext,
  ): Promise<DatasetType> {
    return this.service.describeDataset(loaders, viewer.address, input);
  }

  @ResolveField(() => String, { nullable: true })
  async title(@Parent() dataset: DatasetType, @Context() { loaders }: GraphqlContext): Promise<string | null> {
    return (await this.service.metadata(loaders, dataset.metadataHash))?.title ?? null;
  }

  @ResolveField(() => String, { nullable: true })
  async description(@Parent() dataset: DatasetType, @Context() { loaders }: GraphqlContext): Promise<string | null> {
    return (await this.service.metadata(loaders, dataset.metadataHash))?.description ?? null;
  }

  @ResolveField(() => DaoType)
  async dao(@Parent() dataset: DatasetType, @Context() { loaders }: GraphqlContext): Promise<DaoType> {
    const dao = await this.service.dao(loaders, dataset.daoId);
    if (dao === null) throw refuse('NOT_FOUND', { daoId: dataset.daoId });
    return dao;
  }
}
