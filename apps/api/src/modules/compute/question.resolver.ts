import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { JobId, QuestionId } from '@usufruct/kernel';
import { CurrentViewer, RequireScope, type Viewer } from '../../platform/auth/index.js';
import { Hex32Scalar, PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { JobType } from '../job/index.js';
import { AskQuestionInput, AskQuestionResult, QuestionConnection, QuestionType } from './compute.types.js';
import { QuestionService } from './question.service.js';

@Resolver(() => QuestionType)
export class QuestionResolver {
  constructor(private readonly service: QuestionService) {}

  @RequireScope('ask')
  @Mutation(() => AskQuestionResult, {
    description: `Relay a sealed question. Answers when the runner does, or with state computing when that takes long: then poll
question. ATTESTATION_STALE: fetch fresh evidence, seal again, send with the same questionId and a new key.`,
  })
  askQuestion(@CurrentViewer() viewer: Viewer, @Args('input') input: AskQuestionInput): Promise<QuestionType> {
    return this.service.ask(viewer.address, input);
  }

  @RequireScope('read')
  @Query(() => QuestionType, { nullable: true })
  question(
    @CurrentViewer() viewer: Viewer,
    @Args('jobId', { type: () => Hex32Scalar }) jobId: JobId,
    @Args('questionId', { type: () => Hex32Scalar }) questionId: QuestionId,
  ): Promise<QuestionType | null> {
    return this.service.question(viewer.address, jobId, questionId);
  }
}

@Resolver(() => JobType)
export class JobQuestionsResolver {
  constructor(private readonly service: QuestionService) {}

  @ResolveField(() => QuestionConnection)
  questions(
    @Parent() job: JobType,
    @Args() page: PageArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<QuestionType>> {
    return this.service.ofJob(loaders, job, page);
  }
}
