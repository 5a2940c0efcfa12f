import { Inject, Injectable } from '@nestjs/common';
import { fromBase64, refuse, type Address, type Clock, type JobId, type QuestionId } from '@usufruct/kernel';
import { parseAt, zAskRequest } from '@usufruct/protocol';
import { connectionFrom, pageOf, type Connection, type Loaders, type PageArgs } from '../../platform/graphql/index.js';
import { claimKey } from '../../platform/idempotency/index.js';
import { Prisma, PrismaService, toDate, type Database } from '../../platform/prisma/index.js';
import type { Question } from '../../platform/prisma/generated/client.js';
import { CLOCK } from '../../platform/tokens.js';
import { hasEnded, JobEvents, JobService, type JobType } from '../job/index.js';
import type { AskQuestionInput, QuestionType } from './compute.types.js';
import { QuestionRelay } from './question-relay.js';
import { isOpen, QuestionRepository, toQuestion } from './question.repository.js';

const SIGNATURE_BYTES = 64;

@Injectable()
export class QuestionService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly prisma: PrismaService,
    private readonly repository: QuestionRepository,
    private readonly relay: QuestionRelay,
    private readonly jobs: JobService,
    private readonly events: JobEvents,
  ) {}

  /**
   * Store the sealed question, then relay it. The same request again gives what is known by then; a new key with a
   * new sealing under the same id takes the place of one that failed.
   */
  async ask(requester: Address, input: AskQuestionInput): Promise<QuestionType> {
    const { jobId, questionId, sealedQuestion, authorization } = input;
    const request = parseAt(zAskRequest, { questionId, sealedQuestion, authorization }, 'askQuestion');
    if (fromBase64(request.authorization, 'authorization').length !== SIGNATURE_BYTES) {
      throw refuse('INVALID_ARGUMENT', { field: 'authorization', expected: `${SIGNATURE_BYTES} bytes` });
    }
    const job = await this.jobs.requireOwn(requester, jobId);
    const stored = await this.prisma.$transaction(async (tx) => {
      const claim = {
        owner: requester,
        key: input.idempotencyKey,
        operation: 'askQuestion',
        request: { jobId, ...request },
      };
      const isNew = await claimKey(tx, claim, this.clock.nowMs());
      return isNew ? this.store(tx, job, input) : null;
    });
    if (stored !== null) {
      this.events.announce(jobId);
      return toQuestion(await this.relay.ask(stored));
    }
    const known = await this.required(jobId, questionId);
    if (isOpen(known)) await this.relay.hurry(known);
    return toQuestion(known);
  }

  async question(requester: Address, jobId: JobId, questionId: QuestionId): Promise<QuestionType | null> {
    const row = await this.repository.find(jobId, questionId);
    return row === null || row.requester !== requester ? null : toQuestion(row);
  }

  async ofJob(loaders: Loaders, job: JobType, args: PageArgs): Promise<Connection<QuestionType>> {
    const page = pageOf('questions', args);
    const rows = await this.repository.loadOf(loaders, job.jobId, page);
    return connectionFrom('questions', page, rows, (row) => [row.ordinal], toQuestion);
  }

  private async store(tx: Database, job: JobType, input: AskQuestionInput): Promise<Question> {
    const { jobId, questionId, sealedQuestion, authorization } = input;
    requireAskable(job, this.clock.nowMs());
    const sealing = { sealedQuestion, authorization, state: 'computing', askedAt: toDate(this.clock.nowMs()) };
    const [added] = await tx.question.createManyAndReturn({
      data: [{ jobId, questionId, requester: job.requester, ...sealing }],
      skipDuplicates: true,
    });
    const row = added ?? (await this.sealAnew(tx, { jobId, questionId }, sealing));
    await this.relay.plan(tx, row);
    const dedupeKey = `question:${questionId}:asked:${row.attempt}`;
    await this.events.append(tx, { jobId, questionId, name: 'QuestionAsked', dedupeKey });
    return row;
  }

  /** In the place of one that failed. */
  private async sealAnew(
    tx: Database,
    { jobId, questionId }: Pick<AskQuestionInput, 'jobId' | 'questionId'>,
    sealing: Pick<Question, 'sealedQuestion' | 'authorization' | 'state' | 'askedAt'>,
  ): Promise<Question> {
    const where = { jobId_questionId: { jobId, questionId } };
    const before = await tx.question.findUniqueOrThrow({ where });
    if (isOpen(before) || before.state === 'settled' || before.settlementTransaction !== null) {
      throw refuse('ALREADY_EXISTS', { questionId });
    }
    const data = { ...sealing, attempt: { increment: 1 }, error: Prisma.DbNull, sealedAnswer: null };
    return tx.question.update({ where, data });
  }

  private async required(jobId: JobId, questionId: QuestionId): Promise<Question> {
    const row = await this.repository.find(jobId, questionId);
    if (row === null) throw new Error('a question whose key was claimed is gone');
    return row;
  }
}

/** Whether the escrow covers the question is the runner's and the chain's to say; here only what is plain. */
function requireAskable(job: JobType, nowMs: number): void {
  const { jobId, state } = job;
  if (job.fundedAtMs === null || job.expiresAtMs === null) throw refuse('PAYMENT_REQUIRED', { jobId });
  if (nowMs >= job.expiresAtMs || state === 'expired') throw refuse('JOB_EXPIRED', { jobId });
  if (hasEnded(state)) throw refuse('JOB_STATE', { jobId, state });
  if (job.questionsSettled >= job.maxQuestions) throw refuse('QUESTION_LIMIT', { jobId });
}
