import { Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { GraphqlContext } from '../../platform/graphql/index.js';
import { DaoPolicyType } from '../dao/index.js';
import { HolderSetService } from './release.service.js';
import { HolderSetType } from './release.types.js';

@Resolver(() => DaoPolicyType)
export class PolicyHolderSetResolver {
  constructor(private readonly service: HolderSetService) {}

  @ResolveField(() => HolderSetType)
  holderSet(@Parent() policy: DaoPolicyType, @Context() { loaders }: GraphqlContext): Promise<HolderSetType> {
    return this.service.load(loaders, policy.holderSetId);
  }
}
