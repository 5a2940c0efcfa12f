import { Inject } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import type { ChainReader } from '@usufruct/chain';
import { Public } from '../../platform/auth/index.js';
import { CHAIN } from '../../platform/tokens.js';
import { ProjectionService } from './projection.service.js';
import { ChainInfoType } from './projection.types.js';

@Resolver()
export class ProjectionResolver {
  constructor(
    @Inject(CHAIN) private readonly chain: ChainReader,
    private readonly projection: ProjectionService,
  ) {}

  @Public()
  @Query(() => ChainInfoType)
  async chainInfo(): Promise<ChainInfoType> {
    return { ...(await this.chain.info()), projectedSeq: await this.projection.appliedSeq() };
  }
}
