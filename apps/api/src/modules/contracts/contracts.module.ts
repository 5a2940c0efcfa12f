import { Module } from '@nestjs/common';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { UpgradeProjector } from './upgrade.projector.js';
import { UpgradeResolver } from './upgrade.resolver.js';
import { UpgradeService } from './upgrade.service.js';

/** The contracts' own code: who may change it, and when. */
@Module({
  imports: [ProjectionModule],
  providers: [UpgradeProjector, UpgradeService, UpgradeResolver],
})
export class ContractsModule {
  constructor(projection: ProjectionService, projector: UpgradeProjector) {
    projection.register(projector);
  }
}
