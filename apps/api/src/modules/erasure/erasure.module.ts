import { Module } from '@nestjs/common';
import { JobModule } from '../job/index.js';
import { ErasureResolver } from './erasure.resolver.js';
import { ErasureService } from './erasure.service.js';

@Module({ imports: [JobModule], providers: [ErasureService, ErasureResolver] })
export class ErasureModule {}
