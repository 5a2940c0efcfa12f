import { Module } from '@nestjs/common';
import { ProjectionResolver } from './projection.resolver.js';
import { ProjectionService } from './projection.service.js';

@Module({
  providers: [ProjectionService, ProjectionResolver],
  exports: [ProjectionService],
})
export class ProjectionModule {}
