import { Query, Resolver } from '@nestjs/graphql';
import { Public } from '../../platform/auth/index.js';
import { ChainIdentity } from '../../platform/chain/index.js';
import { ProjectionService } from './projection.service.js';
import { ChainInfoType } from './projection.types.js';

@Resolver()
export class ProjectionResolver {
  constructor(
    private readonly chain: ChainIdentity,
    private readonly projection: ProjectionService,
  ) {}

  @Public()
  @Query(() => ChainInfoType)
  async chainInfo(): Promise<ChainInfoType> {
    return { ...(await this.chain.info()), projectedSeq: await this.projection.appliedSeq() };
  }
}
