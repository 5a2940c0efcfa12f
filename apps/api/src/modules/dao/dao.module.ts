import { Module } from '@nestjs/common';
import type { DaoId, DatasetId } from '@usufruct/kernel';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { DaoProjector } from './dao.projector.js';
import { DaoRepository } from './dao.repository.js';
import { DaoResolver } from './dao.resolver.js';
import { DaoService } from './dao.service.js';
import { DatasetResolver } from './dataset.resolver.js';

@Module({
  imports: [ProjectionModule],
  providers: [DaoRepository, DaoService, DaoProjector, DaoResolver, DatasetResolver],
  exports: [DaoService],
})
export class DaoModule {
  constructor(projection: ProjectionService, projector: DaoProjector, nodes: NodeRegistry, service: DaoService) {
    projection.register(projector);
    nodes.register('Dao', ([id], { loaders }) => service.dao(loaders, id as DaoId));
    nodes.register('Dataset', ([id], { loaders }) => service.dataset(loaders, id as DatasetId));
  }
}
