import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { DaoId } from '@usufruct/kernel';
import { CurrentViewer, Public, RequireScope, type Viewer } from '../../platform/auth/index.js';
import { Hex32Scalar, PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoService } from './dao.service.js';
import {
  DaoConnection,
  DaoType,
  DatasetConnection,
  DatasetType,
  DescribeDaoInput,
  DescribeDaoResult,
} from './dao.types.js';

@Resolver(() => DaoType)
export class DaoResolver {
  constructor(private readonly service: DaoService) {}

  @Public()
  @Query(() => DaoConnection)
  daos(@Args() page: PageArgs): Promise<Connection<DaoType>> {
    return this.service.daos(page);
  }

  @Public()
  @Query(() => DaoType, { nullable: true })
  dao(
    @Args('daoId', { type: () => Hex32Scalar }) daoId: DaoId,
    @Context() { loaders }: GraphqlContext,
  ): Promise<DaoType | null> {
    return this.service.dao(loaders, daoId);
  }

  @RequireScope('describe')
  @Mutation(() => DescribeDaoResult, {
    description: "By a member. Title and description must hash to the chain's metadataHash (protocol: metadataDigest).",
  })
  describeDao(
    @CurrentViewer() viewer: Viewer,
    @Args('input') input: DescribeDaoInput,
    @Context() { loaders }: GraphqlContext,
  ): Promise<DaoType> {
    return this.service.describeDao(loaders, viewer.address, input);
  }

  @ResolveField(() => String, {
    nullable: true,
    description: 'Null until a member has described the DAO; its digest equals metadataHash.',
  })
  async title(@Parent() dao: DaoType, @Context() { loaders }: GraphqlContext): Promise<string | null> {
    return (await this.service.metadata(loaders, dao.metadataHash))?.title ?? null;
  }

  @ResolveField(() => String, { nullable: true })
  async description(@Parent() dao: DaoType, @Context() { loaders }: GraphqlContext): Promise<string | null> {
    return (await this.service.metadata(loaders, dao.metadataHash))?.description ?? null;
  }

  @ResolveField(() => DatasetConnection)
  datasets(
    @Parent() dao: DaoType,
    @Args() page: PageArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<DatasetType>> {
    return this.service.datasets(loaders, dao.daoId, page);
  }
}
