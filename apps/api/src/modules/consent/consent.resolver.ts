import { Args, Context, Extensions, Int, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { GraphqlContext } from '../../platform/graphql/index.js';
import { ContributionType } from '../contribute/index.js';
import { DaoService, DatasetType } from '../dao/index.js';
import { ConsentService } from './consent.service.js';
import { GrantType, UsableCountArgs } from './consent.types.js';

@Resolver(() => ContributionType)
export class ContributionGrantsResolver {
  constructor(private readonly service: ConsentService) {}

  @ResolveField(() => [GrantType], { description: 'Oldest first, revoked and expired ones included.' })
  grants(@Parent() contribution: ContributionType, @Context() { loaders }: GraphqlContext): Promise<GrantType[]> {
    return this.service.grantsOf(loaders, contribution.contributionId);
  }
}

@Resolver(() => DatasetType)
export class DatasetUsabilityResolver {
  constructor(
    private readonly service: ConsentService,
    private readonly daos: DaoService,
  ) {}

  /** Decides over every contribution of the dataset, so it costs what two hundred plain fields do. */
  @Extensions({ cost: 200 })
  @ResolveField(() => Int, {
    description:
      "How many accepted contributions have a grant for this use at the DAO's current price, as the API sees it now (advice: holders decide).",
  })
  async usableContributionCount(
    @Parent() dataset: DatasetType,
    @Args() use: UsableCountArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<number> {
    const dao = await this.daos.daoView(loaders, dataset.daoId);
    const { pricePerQuestionUnits } = dao.policy;
    const { usable } = await this.service.usability(dao, dataset, { ...use, pricePerQuestionUnits });
    return usable.length;
  }
}
