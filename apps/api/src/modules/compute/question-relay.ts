import { Inject, Injectable } from '@nestjs/common';
import type { ChainReader } from '@usufruct/chain';
import {
  asId,
  asTimestampMs,
  fromWire,
  refuse,
  UsufructError,
  type Clock,
  type JobId,
  type QuestionId,
  type TimestampMs,
} from '@usufruct/kernel';
import { parseAnswer, zHex32, type AskAnswer } from '@usufruct/protocol';
import { z } from 'zod';
import { OutboxService } from '../../platform/outbox/index.js';
import { PrismaService, type Database } from '../../platform/prisma/index.js';
import type { Question } from '../../platform/prisma/generated/client.js';
import { CHAIN, CLOCK } from '../../platform/tokens.js';
import { JobDispatch, JobEvents, RunnerClient } from '../job/index.js';
import { isOpen, QuestionRepository } from './question.repository.js';

const FOLLOW_QUESTION = 'question.follow';
const zPayload = z.object({
  jobId: zHex32<JobId>(),
  questionId: zHex32<QuestionId>(),
  failures: z.string().regex(/^\d{1,6}$/),
});
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
const LOOK_AFTER_MS = 3_000;

/** Nobody answered, or the answer did not arrive: the question may have been carried out. */
const UNKNOWN_OUTCOME = [
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_INVALID',
  'RUNNER_UNAVAILABLE',
  'CHAIN_UNAVAILABLE',
  'INTERNAL',
];
/** A runner that has nothing to say about a question. */
const UNKNOWN_THERE = ['QUESTION_UNKNOWN', 'NOT_FOUND'];
/** The runner has not (or no longer) this job in its memory; it takes it up and the question comes again. */
const NOT_READY = ['JOB_STATE', 'NOT_FOUND'];

interface Told {
  readonly answers: readonly AskAnswer[];
  /** Of runners. */
  readonly reached: number;
  readonly unreachable: UsufructError | undefined;
}

/**
 * Carries a stored question to the runner and its answer back. What is sent twice is answered once: the runner knows
 * a question by its id, and the chain pays each question once.
 */
@Injectable()
export class QuestionRelay {
  constructor(
    @Inject(CHAIN) private readonly chain: ChainReader,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly prisma: PrismaService,
    private readonly repository: QuestionRepository,
    private readonly dispatch: JobDispatch,
    private readonly runners: RunnerClient,
    private readonly events: JobEvents,
    private readonly outbox: OutboxService,
  ) {
    outbox.register(FOLLOW_QUESTION, (payload, signal) => this.follow(payload, signal));
    outbox.onStart(() => this.resume());
  }

  /**
   * In the transaction that stores the question: should this process or the database die before the answer is kept,
   * somebody looks after it.
   */
  async plan(tx: Database, row: Question): Promise<void> {
    await this.add(tx, row, 0, asTimestampMs(this.clock.nowMs() + LOOK_AFTER_MS));
  }

  /** Look after an open question now. */
  async hurry(row: Question): Promise<void> {
    await this.add(this.prisma, row, 0, this.clock.nowMs());
  }

  /**
   * Ask once. Throws the runner's refusal, after recording it. When the outcome is not known, the answer is not settled yet,
   * or the chain has another runner's, the question stays open and is followed in the background.
   */
  async ask(row: Question): Promise<Question> {
    try {
      const latest = await this.keep(row, await this.askRunner(row));
      if (latest.state === 'failed') throw fromWire(latest.error, 'runner');
      return latest;
    } catch (error) {
      if (error instanceof UsufructError && isDefinite(error) && !(await this.isPaidElsewhere(row, error))) {
        await this.refused(row, error);
        throw error;
      }
      await this.later(row, 0);
      return row;
    }
  }

  private async resume(): Promise<void> {
    for (const row of await this.repository.open()) await this.hurry(row);
  }

  private async follow(payload: unknown, signal: AbortSignal): Promise<void> {
    const { jobId, questionId, failures } = parseAnswer(zPayload, payload, 'outbox');
    const row = await this.repository.find(jobId, questionId);
    if (row === null || !isOpen(row)) return;
    try {
      await this.keep(row, await this.lookUp(row, signal));
    } catch (error) {
      if (error instanceof UsufructError && isDefinite(error) && !(await this.isPaidElsewhere(row, error))) {
        return this.refused(row, error);
      }
      if (await this.isOver(jobId)) return this.refused(row, refuse('JOB_EXPIRED', { jobId }));
      await this.later(row, Number(failures) + 1);
    }
  }

  /**
   * What became of it: every runner is asked that may have it, the likeliest first, then the chain; only what none knows
   * is sent again. What is paid and lies with a runner that does not answer is waited for.
   */
  private async lookUp(row: Question, signal: AbortSignal): Promise<AskAnswer> {
    const { jobId, questionId } = idsOf(row);
    const { answers, unreachable, reached } = await this.everywhere(row, signal);
    const live = answers.find(({ state }) => state === 'settled') ?? answers.find(({ state }) => state !== 'failed');
    const told = live ?? answers[0];
    if (told !== undefined) return told;
    if (reached === 0) throw unreachable ?? refuse('RUNNER_UNAVAILABLE', { jobId });
    const settled = await this.chain.settledReceipt(jobId, questionId);
    if (settled !== null && unreachable !== undefined) throw refuse('RUNNER_UNAVAILABLE', { jobId }, unreachable);
    // Paid, and the runner that sealed the answer has lost it: nothing may be asked under this id again.
    if (settled !== null) throw refuse('RECEIPT_CONSUMED', { jobId, questionId });
    return this.askRunner(row, signal);
  }

  private async everywhere(row: Question, signal?: AbortSignal): Promise<Told> {
    const { jobId, questionId } = idsOf(row);
    const answers: AskAnswer[] = [];
    let reached = 0;
    let unreachable: UsufructError | undefined;
    for (const url of await this.dispatch.runnersOf(jobId)) {
      try {
        answers.push(await this.runners.question(url, jobId, questionId, signal));
        reached += 1;
      } catch (error) {
        if (!(error instanceof UsufructError)) throw error;
        if (UNKNOWN_THERE.includes(error.code)) reached += 1;
        // What one refuses to say, another may know: it is as if it had not answered, and counts where none has.
        else if (unreachable === undefined || isDefinite(unreachable)) unreachable = error;
      }
    }
    return { answers, reached, unreachable };
  }

  private askRunner(row: Question, signal?: AbortSignal): Promise<AskAnswer> {
    const { jobId, questionId } = idsOf(row);
    const request = { questionId, sealedQuestion: row.sealedQuestion, authorization: row.authorization };
    const use = async (url: string): Promise<AskAnswer> => {
      try {
        return await this.runners.ask(url, jobId, request, signal);
      } catch (error) {
        if (!(error instanceof UsufructError) || !NOT_READY.includes(error.code)) throw error;
        await this.runners.startJob(url, jobId, signal);
        await this.dispatch.hurry(jobId);
        return this.runners.ask(url, jobId, request, signal);
      }
    };
    // What is paid has its answer with the runner that settled it: no other one is to work it out for nothing.
    return this.dispatch.atRunner(jobId, use, async () => {
      const settled = await this.chain.settledReceipt(jobId, questionId);
      if (settled !== null) throw refuse('RUNNER_UNAVAILABLE', { jobId, questionId });
    });
  }

  private async keep(row: Question, told: AskAnswer): Promise<Question> {
    const latest = await this.repository.keepAnswer(row, await this.orPaidElsewhere(row, told));
    if (latest.state === 'failed') await this.noteFailure(row, fromWire(latest.error, 'runner'));
    else if (isOpen(latest)) await this.later(latest, 0);
    return latest;
  }

  /**
   * Two runners had it, because the first one seemed to be gone: the chain took one receipt, and the answer is the one of
   * whoever signed it. Refuses `RUNNER_UNAVAILABLE` while that may be one that does not answer.
   */
  private async orPaidElsewhere(row: Question, told: AskAnswer): Promise<AskAnswer> {
    if (told.state !== 'failed') return told;
    const error = fromWire(told.error, 'runner');
    if (error.code !== 'RECEIPT_CONSUMED' && !(await this.isPaidElsewhere(row, error))) return told;
    const { answers, unreachable } = await this.everywhere(row);
    const paid = answers.find(({ state }) => state === 'settled') ?? answers.find(({ state }) => state === 'settling');
    if (paid === undefined && unreachable !== undefined) throw refuse('RUNNER_UNAVAILABLE', idsOf(row), unreachable);
    return paid ?? told;
  }

  /** What one runner refuses may be paid to another, which seemed to be gone. */
  private async isPaidElsewhere(row: Question, { code }: UsufructError): Promise<boolean> {
    if (code === 'RECEIPT_CONSUMED') return false;
    const { jobId, questionId } = idsOf(row);
    // Where the chain does not answer, its event comes later.
    return (await this.chain.settledReceipt(jobId, questionId).catch(() => null)) !== null;
  }

  private async refused(row: Question, error: UsufructError): Promise<void> {
    await this.repository.keepRefusal(row, error.toWire());
    await this.noteFailure(row, error);
  }

  private async noteFailure(row: Question, error: UsufructError): Promise<void> {
    const { jobId, questionId } = idsOf(row);
    const dedupeKey = `question:${questionId}:failed:${row.attempt}`;
    await this.events.record({ jobId, questionId, name: 'QuestionFailed', dedupeKey, error: error.toWire() });
  }

  private later(row: Question, failures: number): Promise<void> {
    return this.add(this.prisma, row, failures, this.retryAt(failures));
  }

  private async add(db: Database, row: Question, failures: number, runAtMs: TimestampMs): Promise<void> {
    const { jobId, questionId } = idsOf(row);
    await this.outbox.add(db, {
      task: FOLLOW_QUESTION,
      payload: { jobId, questionId, failures: String(failures) },
      key: `question:${jobId}:${questionId}`,
      runAtMs,
    });
  }

  private retryAt(failures: number): TimestampMs {
    return asTimestampMs(this.clock.nowMs() + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10)));
  }

  private async isOver(jobId: JobId): Promise<boolean> {
    try {
      return (await this.chain.job(jobId)).state !== 'funded';
    } catch {
      return false; // the chain does not answer either: nothing is known yet
    }
  }
}

const isDefinite = (error: UsufructError): boolean => !UNKNOWN_OUTCOME.includes(error.code);
const idsOf = (row: Question): { jobId: JobId; questionId: QuestionId } => ({
  jobId: asId(row.jobId, 'jobId'),
  questionId: asId(row.questionId, 'questionId'),
});
