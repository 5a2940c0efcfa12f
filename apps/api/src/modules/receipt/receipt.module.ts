import { Module } from '@nestjs/common';
import type { JobId, QuestionId } from '@usufruct/kernel';
import { requireViewer } from '../../platform/auth/index.js';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { ContributeModule } from '../contribute/index.js';
import { DaoModule } from '../dao/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { ReceiptProjector } from './receipt.projector.js';
import { ReceiptRepository } from './receipt.repository.js';
import {
  ContributionUsesResolver,
  JobReceiptsResolver,
  QuestionReceiptResolver,
  ReceiptResolver,
} from './receipt.resolver.js';
import { ReceiptService } from './receipt.service.js';

@Module({
  imports: [ProjectionModule, DaoModule, ContributeModule],
  providers: [
    ReceiptRepository,
    ReceiptProjector,
    ReceiptService,
    ReceiptResolver,
    JobReceiptsResolver,
    QuestionReceiptResolver,
    ContributionUsesResolver,
  ],
})
export class ReceiptModule {
  constructor(
    projection: ProjectionService,
    projector: ReceiptProjector,
    nodes: NodeRegistry,
    service: ReceiptService,
  ) {
    projection.register(projector);
    nodes.register('Receipt', ([jobId, questionId], { loaders, viewer }) =>
      service.receipt(loaders, requireViewer(viewer, 'read').address, jobId as JobId, questionId as QuestionId),
    );
  }
}
