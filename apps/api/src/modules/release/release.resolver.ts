import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoPolicyType, DaoType } from '../dao/index.js';
import { HolderSetService } from './release.service.js';
import { HolderSetType, HolderSetVersionConnection, Verifiers, type HolderSetVersionType } from './release.types.js';

@Resolver(() => DaoPolicyType)
export class PolicyHolderSetResolver {
  constructor(private readonly service: HolderSetService) {}

  @ResolveField(() => HolderSetType)
  holderSet(@Parent() policy: DaoPolicyType, @Context() { loaders }: GraphqlContext): Promise<HolderSetType> {
    return this.service.load(loaders, policy.holderSetId);
  }
}

@Resolver(() => DaoType)
export class DaoVerifiersResolver {
  @ResolveField(() => Verifiers)
  verifiers(@Parent() { policy }: DaoType): Verifiers {
    return { holderSetId: policy.holderSetId, threshold: policy.verifierThreshold };
  }
}

@Resolver(() => Verifiers)
export class VerifiersResolver {
  constructor(private readonly service: HolderSetService) {}

  @ResolveField(() => HolderSetType)
  holderSet(@Parent() verifiers: Verifiers, @Context() { loaders }: GraphqlContext): Promise<HolderSetType> {
    return this.service.load(loaders, verifiers.holderSetId);
  }
}

@Resolver(() => HolderSetType)
export class HolderSetResolver {
  constructor(private readonly service: HolderSetService) {}

  @ResolveField(() => HolderSetVersionConnection, { description: 'Newest first.' })
  versions(
    @Parent() set: HolderSetType,
    @Args() page: PageArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<HolderSetVersionType>> {
    return this.service.versions(loaders, set.holderSetId, page);
  }
}
