import { Module } from '@nestjs/common';
import type { DaoId, RunnerId } from '@usufruct/kernel';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { DaoModule } from '../dao/index.js';
import { JobModule } from '../job/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { DaoRunnersResolver, JobRunnerResolver, RunnerResolver } from './attest.resolver.js';
import { AttestProjector } from './attest.projector.js';
import { AppraisalResolver } from './appraisal.resolver.js';
import { AppraisalService } from './appraisal.service.js';
import { AttestService } from './attest.service.js';

@Module({
  imports: [ProjectionModule, DaoModule, JobModule],
  providers: [
    AttestService,
    AppraisalService,
    AppraisalResolver,
    AttestProjector,
    RunnerResolver,
    DaoRunnersResolver,
    JobRunnerResolver,
  ],
})
export class AttestModule {
  constructor(projection: ProjectionService, projector: AttestProjector, nodes: NodeRegistry, service: AttestService) {
    projection.register(projector);
    nodes.register('Signer', ([daoId, signerId = '0x'], { loaders }) =>
      service.signer(loaders, daoId as DaoId, signerId),
    );
    nodes.register('Runner', ([daoId, runnerId], { loaders }) =>
      service.runner(loaders, daoId as DaoId, runnerId as RunnerId),
    );
  }
}
