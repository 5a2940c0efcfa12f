import { Module } from '@nestjs/common';
import type { ContributionId } from '@usufruct/kernel';
import { requireViewer } from '../../platform/auth/index.js';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { DaoModule } from '../dao/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { ContributionProjector } from './contribute.projector.js';
import { ContributionRepository } from './contribute.repository.js';
import { ContributionResolver, DatasetContributionsResolver } from './contribute.resolver.js';
import { ContributionService } from './contribute.service.js';

@Module({
  imports: [ProjectionModule, DaoModule],
  providers: [
    ContributionRepository,
    ContributionService,
    ContributionProjector,
    ContributionResolver,
    DatasetContributionsResolver,
  ],
  exports: [ContributionService],
})
export class ContributeModule {
  constructor(
    projection: ProjectionService,
    projector: ContributionProjector,
    nodes: NodeRegistry,
    service: ContributionService,
  ) {
    projection.register(projector);
    nodes.register('Contribution', ([id], { loaders, viewer }) => {
      requireViewer(viewer, 'read');
      return service.contribution(loaders, id as ContributionId);
    });
  }
}
