import { Module } from '@nestjs/common';
import type { JobId } from '@usufruct/kernel';
import { requireViewer } from '../../platform/auth/index.js';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { ConsentModule } from '../consent/index.js';
import { DaoModule } from '../dao/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { JobDispatch } from './job-dispatch.js';
import { JobEvents } from './job-events.js';
import { JobKeeper } from './job-keeper.js';
import { jobOf, JobProjector } from './job.projector.js';
import { JobRepository } from './job.repository.js';
import { JobResolver } from './job.resolver.js';
import { JobService } from './job.service.js';
import { RunnerClient } from './runner-client.js';
import { RunnerLoads } from './runner-loads.js';

@Module({
  imports: [ProjectionModule, DaoModule, ConsentModule],
  providers: [
    JobRepository,
    JobEvents,
    JobProjector,
    JobKeeper,
    JobDispatch,
    JobService,
    RunnerClient,
    RunnerLoads,
    JobResolver,
  ],
  exports: [JobService, JobEvents, JobDispatch, RunnerClient],
})
export class JobModule {
  constructor(
    projection: ProjectionService,
    projector: JobProjector,
    events: JobEvents,
    nodes: NodeRegistry,
    service: JobService,
  ) {
    projection.register(projector);
    projection.onApplied((event) => {
      const jobId = jobOf(event);
      if (jobId !== null) events.announce(jobId);
    });
    nodes.register('Job', ([id], { loaders, viewer }) =>
      service.job(loaders, requireViewer(viewer, 'read').address, id as JobId),
    );
  }
}
