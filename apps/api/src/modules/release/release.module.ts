import { Module } from '@nestjs/common';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { PolicyHolderSetResolver } from './release.resolver.js';
import { HolderSetService } from './release.service.js';

@Module({ imports: [ProjectionModule], providers: [HolderSetService, PolicyHolderSetResolver] })
export class ReleaseModule {
  constructor(projection: ProjectionService, service: HolderSetService) {
    projection.register(service);
  }
}
