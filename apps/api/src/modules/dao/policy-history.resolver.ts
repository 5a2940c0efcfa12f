import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoType } from './dao.types.js';
import { PolicyHistoryService } from './policy-history.service.js';
import {
  MeasurementType,
  PolicyChangeUnion,
  PolicyVersionConnection,
  PolicyVersionType,
  type PolicyChangeType,
} from './policy-history.types.js';

@Resolver(() => DaoType)
export class DaoPolicyHistoryResolver {
  constructor(private readonly service: PolicyHistoryService) {}

  @ResolveField(() => PolicyVersionConnection, { description: 'Every version of the policy, newest first.' })
  policyHistory(
    @Parent() dao: DaoType,
    @Args() page: PageArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<PolicyVersionType>> {
    return this.service.versions(loaders, dao.daoId, page);
  }

  @ResolveField(() => [MeasurementType], { description: 'Those that are approved, then those that were.' })
  measurements(@Parent() dao: DaoType, @Context() { loaders }: GraphqlContext): Promise<MeasurementType[]> {
    return this.service.measurements(loaders, dao.daoId);
  }
}

@Resolver(() => PolicyVersionType)
export class PolicyVersionResolver {
  constructor(private readonly service: PolicyHistoryService) {}

  @ResolveField(() => [PolicyChangeUnion], { description: 'To the version before; empty for the first.' })
  changes(@Parent() version: PolicyVersionType, @Context() { loaders }: GraphqlContext): Promise<PolicyChangeType[]> {
    return this.service.changes(loaders, version);
  }
}
