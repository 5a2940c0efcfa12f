import { Module } from '@nestjs/common';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { HolderSetProjector } from './holder-set.projector.js';
import {
  DaoVerifiersResolver,
  HolderSetResolver,
  PolicyHolderSetResolver,
  VerifiersResolver,
} from './release.resolver.js';
import { HolderSetService } from './release.service.js';

@Module({
  imports: [ProjectionModule],
  providers: [
    HolderSetService,
    HolderSetProjector,
    PolicyHolderSetResolver,
    DaoVerifiersResolver,
    VerifiersResolver,
    HolderSetResolver,
  ],
})
export class ReleaseModule {
  constructor(
    projection: ProjectionService,
    projector: HolderSetProjector,
    nodes: NodeRegistry,
    service: HolderSetService,
  ) {
    projection.register(projector);
    nodes.register('HolderSet', ([id = '0x'], { loaders }) => service.find(loaders, id));
  }
}
