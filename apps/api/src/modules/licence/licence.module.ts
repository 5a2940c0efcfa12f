import { Module } from '@nestjs/common';
import type { LicenceId } from '@usufruct/kernel';
import { requireViewer } from '../../platform/auth/index.js';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { LicenceProjector } from './licence.projector.js';
import { DaoLicencesResolver, LicenceResolver } from './licence.resolver.js';
import { LicenceService } from './licence.service.js';

@Module({
  imports: [ProjectionModule],
  providers: [LicenceProjector, LicenceService, DaoLicencesResolver, LicenceResolver],
})
export class LicenceModule {
  constructor(
    projection: ProjectionService,
    projector: LicenceProjector,
    nodes: NodeRegistry,
    service: LicenceService,
  ) {
    projection.register(projector);
    nodes.register('LicenceOffer', ([id], { loaders }) => service.offer(loaders, id as LicenceId));
    nodes.register('Licence', ([id], { viewer }) => {
      requireViewer(viewer, 'read');
      return service.licence(id as LicenceId);
    });
  }
}
