import { refuse, type JobId, type QuestionId } from '@usufruct/kernel';
import type { JobView } from '@usufruct/protocol';
import { attestRunner, inspectRunner, type AttestedRunner, type InspectedRunner } from '../attest.js';
import type { ClientContext } from '../context.js';
import { pause, retrying } from '../wait.js';
import { AttestedRunners } from './attested-runner.js';
import { isBeingPrepared, requireRunning } from './ready.js';
import { askQuestion, type Asked, type AskOptions } from './ask.js';
import { askStreaming, type AskEvent } from './ask-stream.js';
import { closeJob } from './fund.js';
import { JOB, JOB_EVENTS, type JobEvent, type JobProgress } from './operations.js';
import {
  forgetQuestion,
  isSameQuestion,
  knownQuestion,
  pendingQuestions,
  questionRecord,
  type QuestionParams,
} from './question-record.js';

export interface FollowJobOptions {
  /** Events with a larger number only; 0 for all. */
  readonly after?: number;
  readonly signal?: AbortSignal;
  readonly pollMs?: number;
}
export interface PendingQuestion {
  readonly questionId: QuestionId;
  readonly text: string;
}

const ATTEST_TIMEOUT_MS = 60_000;

export interface AttestOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** 32 bytes that the evidence must answer; our own where none are given. */
  readonly nonce?: Uint8Array;
}

/** A funded job on this device: it holds the client key that authorises questions. */
export class JobSession {
  /** Appraised once for many questions. */
  readonly runners: AttestedRunners;

  constructor(
    private readonly context: ClientContext,
    readonly jobId: JobId,
  ) {
    this.runners = new AttestedRunners(context, jobId);
  }

  /** As the API tells it: progress for people. */
  async progress(): Promise<JobProgress> {
    const { job } = await this.context.api.request(JOB, { jobId: this.jobId });
    if (job === null) throw refuse('NOT_FOUND', { object: 'job' });
    return job;
  }

  /** As the chain tells it: the escrow, and how many questions were paid. */
  onChain(): Promise<JobView> {
    return this.context.chain.job(this.jobId);
  }

  /**
   * Wait until a runner has taken the job, and appraise its evidence. `ask` does both by itself; this is for who wants
   * to see the evidence first. Refuses what `ask` refuses before anything is asked.
   */
  attest(options: AttestOptions = {}): Promise<AttestedRunner> {
    return this.onceRunning(options, () => attestRunner(this.context, this.jobId));
  }

  /** The same, for who wants to see every check whether or not it held; a bad runner is data and no refusal. */
  inspect(options: AttestOptions = {}): Promise<InspectedRunner> {
    return this.onceRunning(options, () => inspectRunner(this.context, this.jobId, options.nonce));
  }

  private onceRunning<T>(options: AttestOptions, look: () => Promise<T>): Promise<T> {
    const { timeoutMs = ATTEST_TIMEOUT_MS, nonce: _nonce, ...rest } = options;
    const params = { clock: this.context.clock, timeoutMs, isWorthRetrying: isBeingPrepared, ...rest };
    return retrying(params, async () => {
      await requireRunning(this.context, this.jobId);
      return look();
    });
  }

  /** Every event after `after`, in order, until the job has ended or the signal aborts. */
  async *follow(options: FollowJobOptions = {}): AsyncGenerator<JobEvent, void> {
    const { signal, pollMs = 500 } = options;
    const requestOptions = signal === undefined ? {} : { signal };
    for (let after = options.after ?? 0; ;) {
      const variables = { jobId: this.jobId, after };
      const { jobEventsPage: page } = await this.context.api.request(JOB_EVENTS, variables, requestOptions);
      yield* page.events;
      after = page.lastSeq;
      if (page.hasMore) continue;
      if (page.ended) return;
      await pause(pollMs, signal);
    }
  }

  /**
   * Ask one question, end to end encrypted: the runner is attested here, the question sealed to its key and authorised
   * with the job's client key, and the answer opened with a key that never leaves this device. A runner that restarts
   * meanwhile is attested again; the question keeps its id, so it is answered and paid once.
   *
   * The answer is returned only when every check of its receipt that can be made passed. It stays in the journal until
   * `forget`: asking again with the same key gives it again.
   * Refuses `ATTESTATION_REFUSED`, `RUNNER_NOT_REGISTERED`, `RECEIPT_INVALID`, `QUESTION_LIMIT`, `NO_USABLE_DATA`, ….
   */
  async ask(question: QuestionParams, options: AskOptions = {}): Promise<Asked> {
    const record = await questionRecord(this.context, this.jobId, question);
    if (!isSameQuestion(record, question)) throw refuse('IDEMPOTENCY_KEY_REUSED', { questionId: record.questionId });
    return askQuestion(this.context, this, record, options);
  }

  /**
   * The same, told as it happens: steps, then the sentences, then the answer with its receipt (`AskEvent`). No sentence
   * comes before it is paid for, and each comes once. Whoever stops reading may have asked all the same.
   * Refuses what `ask` refuses, and `STREAM_BROKEN`.
   */
  async *askStream(question: QuestionParams, options: AskOptions = {}): AsyncGenerator<AskEvent, Asked> {
    const record = await questionRecord(this.context, this.jobId, { stream: true, ...question });
    if (!isSameQuestion(record, question)) throw refuse('IDEMPOTENCY_KEY_REUSED', { questionId: record.questionId });
    return yield* askStreaming(this.context, this, record, options);
  }

  /** Questions whose answers were not read yet, for a client that was closed while it waited. */
  async pending(): Promise<PendingQuestion[]> {
    const records = await pendingQuestions(this.context, this.jobId);
    return records.map(({ questionId, text }) => ({ questionId, text }));
  }

  /** Go on with a pending question. */
  async resume(questionId: QuestionId, options: AskOptions = {}): Promise<Asked> {
    const record = await knownQuestion(this.context, this.jobId, questionId);
    if (record === null) throw refuse('NOT_FOUND', { object: 'pending question', questionId });
    return askQuestion(this.context, this, record, options);
  }

  /** The answer was read: forget the question and the key that opens its answer. */
  forget(questionId: QuestionId): Promise<void> {
    return forgetQuestion(this.context, this.jobId, questionId);
  }

  /** What is not spent comes back to the wallet; the client key is forgotten. */
  close(): Promise<JobView> {
    return closeJob(this.context, this.jobId);
  }
}
