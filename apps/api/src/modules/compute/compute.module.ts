import { Module } from '@nestjs/common';
import type { JobId, QuestionId } from '@usufruct/kernel';
import { requireViewer } from '../../platform/auth/index.js';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { JobModule } from '../job/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { AnswerStreamController } from './answer-stream.controller.js';
import { AnswerStreams } from './answer-streams.js';
import { QuestionRelay } from './question-relay.js';
import { QuestionProjector } from './question.projector.js';
import { QuestionRepository } from './question.repository.js';
import { JobQuestionsResolver, QuestionResolver } from './question.resolver.js';
import { QuestionService } from './question.service.js';
import { WalkNoticeResolver, WalkNoticeService } from './walk-notices.js';

@Module({
  imports: [ProjectionModule, JobModule],
  controllers: [AnswerStreamController],
  providers: [
    QuestionRepository,
    QuestionRelay,
    QuestionService,
    AnswerStreams,
    QuestionProjector,
    QuestionResolver,
    JobQuestionsResolver,
    WalkNoticeService,
    WalkNoticeResolver,
  ],
})
export class ComputeModule {
  constructor(
    projection: ProjectionService,
    projector: QuestionProjector,
    nodes: NodeRegistry,
    service: QuestionService,
  ) {
    projection.register(projector);
    nodes.register('Question', ([jobId, questionId], { viewer }) =>
      service.question(requireViewer(viewer, 'read').address, jobId as JobId, questionId as QuestionId),
    );
  }
}
