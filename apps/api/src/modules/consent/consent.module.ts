import { Module } from '@nestjs/common';
import type { GrantId } from '@usufruct/kernel';
import { requireViewer } from '../../platform/auth/index.js';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { ContributeModule } from '../contribute/index.js';
import { DaoModule } from '../dao/index.js';
import { LeaseModule } from '../lease/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { GrantProjector } from './consent.projector.js';
import { GrantRepository } from './consent.repository.js';
import { ContributionGrantsResolver, DatasetUsabilityResolver } from './consent.resolver.js';
import { ConsentService } from './consent.service.js';

@Module({
  imports: [ProjectionModule, DaoModule, ContributeModule, LeaseModule],
  providers: [GrantRepository, GrantProjector, ConsentService, ContributionGrantsResolver, DatasetUsabilityResolver],
  exports: [ConsentService],
})
export class ConsentModule {
  constructor(projection: ProjectionService, projector: GrantProjector, nodes: NodeRegistry, service: ConsentService) {
    projection.register(projector);
    nodes.register('Grant', async ([id], { viewer }) => {
      requireViewer(viewer, 'read');
      return service.grant(id as GrantId);
    });
  }
}
