import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { DaoId, JobId } from '@usufruct/kernel';
import { CurrentViewer, Public, RequireScope, type Viewer } from '../../platform/auth/index.js';
import { Base64, Hex32Scalar, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoType } from '../dao/index.js';
import { JobType } from '../job/index.js';
import { AttestService } from './attest.service.js';
import { AttestationAnswer, RunnerType, SignerType, type Attestation } from './attest.types.js';

@Resolver(() => RunnerType)
export class RunnerResolver {
  constructor(private readonly service: AttestService) {}

  @Public()
  @Query(() => [RunnerType])
  runners(
    @Args('daoId', { type: () => Hex32Scalar }) daoId: DaoId,
    @Context() { loaders }: GraphqlContext,
  ): Promise<RunnerType[]> {
    return this.service.runnersOf(loaders, daoId);
  }

  @ResolveField(() => Boolean, {
    description: "Not expired now, and registered under the DAO's current appraisal policy.",
  })
  current(@Parent() runner: RunnerType, @Context() { loaders }: GraphqlContext): Promise<boolean> {
    return this.service.isCurrent(loaders, runner);
  }

  @RequireScope('ask')
  @Query(() => AttestationAnswer)
  attestation(
    @CurrentViewer() viewer: Viewer,
    @Args('jobId', { type: () => Hex32Scalar }) jobId: JobId,
    @Args('nonce', { type: () => Base64 }) nonce: string,
  ): Promise<Attestation> {
    return this.service.attestation(viewer.address, jobId, nonce);
  }
}

@Resolver(() => DaoType)
export class DaoRunnersResolver {
  constructor(private readonly service: AttestService) {}

  @ResolveField(() => [RunnerType])
  runners(@Parent() dao: DaoType, @Context() { loaders }: GraphqlContext): Promise<RunnerType[]> {
    return this.service.runnersOf(loaders, dao.daoId);
  }

  @ResolveField(() => [SignerType], { description: 'Who signs receipts without being a runner.' })
  signers(@Parent() dao: DaoType, @Context() { loaders }: GraphqlContext): Promise<SignerType[]> {
    return this.service.signersOf(loaders, dao.daoId);
  }
}

@Resolver(() => JobType)
export class JobRunnerResolver {
  constructor(private readonly service: AttestService) {}

  @ResolveField(() => RunnerType, { nullable: true })
  async runner(@Parent() job: JobType, @Context() { loaders }: GraphqlContext): Promise<RunnerType | null> {
    return job.runnerId === null ? null : this.service.runnerOfDataset(loaders, job.datasetId, job.runnerId);
  }
}
