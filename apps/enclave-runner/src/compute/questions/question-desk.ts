import { setImmediate as nextTurn } from 'node:timers/promises';
import { digestOf } from '@usufruct/crypto';
import {
  equalBytes,
  fromBase64,
  refuse,
  toBase64,
  toUsufructError,
  type JobId,
  type QuestionId,
  type UsufructError,
} from '@usufruct/kernel';
import type { AskAnswer, AskRequest, JobView, StreamLine } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import type { Settler } from '../../receipt/settler.js';
import type { AnswerRecord } from '../../receipt/store.js';
import type { Sessions } from '../session/sessions.js';
import { beginOpening, beginReading, computeAnswer, type AskedSession } from './compute-answer.js';
import { requireAuthorization } from './open-question.js';
import { StreamDesk } from './stream-desk.js';

/** How long a request is held before the asker is told to come back. */
const HOLD_MS = 20_000;
const REMEMBERED_FAILURES = 1_000;

interface UnderWay {
  readonly sealedQuestion: string;
  readonly answer: Promise<AskAnswer>;
}

/**
 * Questions in, sealed answers out, once for each question id however often it is sent: while it is computed all wait
 * for the same answer, and once it is stored it is given again, by this process or the next. The answer itself is
 * handed over only when its receipt is settled, so that nobody reads what was not paid for.
 */
export class QuestionDesk {
  readonly #underWay = new Map<string, UnderWay>();
  /** Of those under way, the ones whose answer is not stored yet. */
  readonly #computing = new Map<string, JobId>();
  readonly #failures = new Map<string, UsufructError>();
  readonly #streams: StreamDesk;

  constructor(
    private readonly context: RunnerContext,
    private readonly sessions: Sessions,
    private readonly settler: Settler,
    private readonly holdMs = HOLD_MS,
  ) {
    this.#streams = new StreamDesk(context.clock);
  }

  /**
   * Refuses `SIGNATURE_INVALID`, `QUESTION_LIMIT`, `IDEMPOTENCY_KEY_REUSED` (the id of another question),
   * `ATTESTATION_STALE`, and whatever kept the session from starting. Nothing is stored or charged then.
   */
  async ask(jobId: JobId, request: AskRequest): Promise<AskAnswer> {
    const { job, asked } = await this.#authorized(jobId, request);
    const key = keyOf(jobId, request.questionId);
    const stored = this.context.store.find(jobId, request.questionId);
    if (stored !== null) {
      this.#requireSameQuestion(stored, request);
      return answerOf(
        stored.state === 'settling' ? await this.#held(this.settler.settle(stored, false), stored) : stored,
      );
    }
    const underWay = this.#underWay.get(key) ?? this.#start(key, job, request, asked);
    if (underWay.sealedQuestion !== request.sealedQuestion) throw refuse('IDEMPOTENCY_KEY_REUSED');
    return this.#held(underWay.answer, computing(request.questionId));
  }

  get questionsUnderWay(): number {
    return this.#underWay.size;
  }

  /** What became of a question. Refuses `QUESTION_UNKNOWN`. */
  read(jobId: JobId, questionId: QuestionId): AskAnswer {
    const stored = this.context.store.find(jobId, questionId);
    if (stored !== null) return answerOf(stored);
    const key = keyOf(jobId, questionId);
    if (this.#underWay.has(key)) return computing(questionId);
    const failure = this.#failures.get(key);
    if (failure !== undefined) return { ...computing(questionId), state: 'failed', error: failure.toWire() };
    throw refuse('QUESTION_UNKNOWN');
  }

  /** The job as the chain has it now; of a session that runs, with all that the question will be decided by. */
  async #authorized(
    jobId: JobId,
    request: AskRequest,
  ): Promise<{ readonly job: JobView; readonly asked: AskedSession | null }> {
    const session = this.sessions.all().find((one) => one.job.id === jobId && one.state === 'running' && !one.isOver);
    if (session === undefined) {
      const job = await this.context.chain.job(jobId);
      await requireAuthorization(job, request);
      return { job, asked: null };
    }
    // The client key of a job is never another one.
    const reading = beginReading(this.context, session);
    reading.catch(() => undefined);
    // While the chain is asked: this thread goes on only when the request has gone out.
    await nextTurn();
    await requireAuthorization(session.job, request);
    const opening = beginOpening(this.context, session.job, request);
    const read = await reading;
    return { job: read.reading.standing.job, asked: { session, begun: { read, opening } } };
  }

  /** The answer in pieces, from the piece `after` on, once it is settled. Refuses `QUESTION_UNKNOWN`. */
  lines(jobId: JobId, questionId: QuestionId, after: number, signal: AbortSignal): AsyncGenerator<StreamLine, void> {
    const read = () => this.read(jobId, questionId);
    const never = new Promise<never>(() => undefined);
    const changed = () => this.#underWay.get(keyOf(jobId, questionId))?.answer ?? never;
    return this.#streams.lines(jobId, questionId, after, { read, changed }, signal);
  }

  #start(key: string, job: JobView, request: AskRequest, asked: AskedSession | null): UnderWay {
    this.#requireQuestionLeft(job);
    this.#failures.delete(key);
    const answer = this.#answer(key, job, request, asked).finally(() => this.#underWay.delete(key));
    // The request may have gone away by then: what went wrong is kept for whoever asks for it.
    answer.catch((cause: unknown) => this.#remember(key, toUsufructError(cause)));
    const underWay = { sealedQuestion: request.sealedQuestion, answer };
    this.#underWay.set(key, underWay);
    return underWay;
  }

  async #answer(key: string, job: JobView, request: AskRequest, asked: AskedSession | null): Promise<AskAnswer> {
    this.#computing.set(key, job.id);
    const stored = await this.#stored(job, request, asked).finally(() => this.#computing.delete(key));
    return answerOf(await this.settler.settle(stored, true));
  }

  async #stored(job: JobView, request: AskRequest, asked: AskedSession | null): Promise<AnswerRecord> {
    const { newAnswer, pieces } = await computeAnswer(this.context, asked ?? this.#opened(job), request);
    const stored = this.context.store.add(newAnswer);
    this.#streams.keep(stored, newAnswer.receipt, pieces);
    return stored;
  }

  #opened(job: JobView): AskedSession {
    return { session: this.sessions.open(job), begun: null };
  }

  /**
   * What is promised and not settled yet counts too: the escrow must cover all of it. Each question once: the chain may
   * have what is not noted here as settled yet, and of an earlier runner's what is not here at all. Where both are, more
   * may be promised than the escrow covers; the chain then refuses the last of it with the same code.
   */
  #requireQuestionLeft(job: JobView): void {
    const computing = [...this.#computing.values()].filter((jobId) => jobId === job.id).length;
    const spoken = Math.max(job.questionsSettled, this.context.store.answeredCount(job.id)) + computing;
    if (spoken >= job.maxQuestions) throw refuse('QUESTION_LIMIT', { maxQuestions: String(job.maxQuestions) });
  }

  /**
   * A client that repeats a question after a restart has to seal it to the new key, so other bytes under the same id
   * mean another question only while the key is the same.
   */
  #requireSameQuestion(stored: AnswerRecord, request: AskRequest): void {
    const isSameKey = equalBytes(stored.signerPublicKey, this.context.keys.signing.publicKey);
    const isSame = stored.sealedQuestionSha256 === digestOf(fromBase64(request.sealedQuestion));
    if (isSameKey && !isSame) throw refuse('IDEMPOTENCY_KEY_REUSED');
  }

  #remember(key: string, error: UsufructError): void {
    this.#failures.set(key, error);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > REMEMBERED_FAILURES && oldest !== undefined) this.#failures.delete(oldest);
    this.context.logger.warn('question.failed', { question: key, code: error.code });
  }

  async #held<T>(work: Promise<T>, meanwhile: T): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const held = new Promise<T>((resolve) => {
      timer = setTimeout(() => resolve(meanwhile), this.holdMs);
    });
    return Promise.race([work, held]).finally(() => clearTimeout(timer));
  }
}

const keyOf = (jobId: JobId, questionId: QuestionId): string => `${jobId}/${questionId}`;

const computing = (questionId: QuestionId): AskAnswer => ({
  questionId,
  state: 'computing',
  sealedAnswer: null,
  receipt: null,
  signature: null,
  settlement: null,
  error: null,
});

/**
 * Anybody may settle a receipt that he has. One whose uses are private is given to nobody before enough holders have
 * them and it is settled: set aside without them, its money could not be divided, nor that of any receipt after it.
 */
function answerOf(record: AnswerRecord): AskAnswer {
  const isSettled = record.state === 'settled';
  const isGiven = isSettled || record.settlement?.kind === 'direct';
  return {
    questionId: record.questionId,
    state: record.state,
    sealedAnswer: isSettled ? toBase64(record.sealedAnswer) : null,
    receipt: isGiven ? toBase64(record.receipt) : null,
    signature: isGiven ? toBase64(record.signature) : null,
    // None where another one has settled it first.
    settlement: isGiven && record.transaction !== null ? { transaction: record.transaction.digest } : null,
    error: record.error,
  };
}
