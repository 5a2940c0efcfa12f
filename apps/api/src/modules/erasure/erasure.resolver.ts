import { Args, Mutation, Resolver } from '@nestjs/graphql';
import type { ContributionId } from '@usufruct/kernel';
import { CurrentViewer, RequireScope, type Viewer } from '../../platform/auth/index.js';
import { Hex32Scalar } from '../../platform/graphql/index.js';
import { ErasureService } from './erasure.service.js';
import { EraseAtRunnersResult, type RunnerErasures } from './erasure.types.js';

@Resolver()
export class ErasureResolver {
  constructor(private readonly service: ErasureService) {}

  @RequireScope('describe')
  @Mutation(() => EraseAtRunnersResult, {
    description: 'By its owner, after retiring it on the chain: runners drop it from open sessions. Repeatable.',
  })
  eraseAtRunners(
    @CurrentViewer() viewer: Viewer,
    @Args('contributionId', { type: () => Hex32Scalar }) contributionId: ContributionId,
  ): Promise<RunnerErasures> {
    return this.service.eraseAtRunners(viewer.address, contributionId);
  }
}
