import { digestOf } from '@usufruct/crypto';
import {
  fromBase64,
  fromWire,
  toUsufructError,
  type Digest,
  type ErrorCode,
  type JobId,
  type QuestionId,
  type UsufructError,
} from '@usufruct/kernel';
import { NO_EVIDENCE, type AskAnswer, type AskRequest, type JobView } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { signRefusal, type SignedRefusal } from '../../receipt/sign-refusal.js';
import type { Sessions } from '../session/sessions.js';
import { requireAuthorization } from './open-question.js';
import type { QuestionDesk } from './question-desk.js';

const REMEMBERED = 1_000;
/**
 * Not said of the question, or not for good: whoever asks is to seal it anew, to sign it, to use another id, or to have
 * the job taken up first.
 */
const NOT_OF_THE_QUESTION: readonly ErrorCode[] = [
  'ATTESTATION_STALE',
  'SIGNATURE_INVALID',
  'IDEMPOTENCY_KEY_REUSED',
  'JOB_STATE',
  'NOT_FOUND',
];

/** A question that was authorised and has no answer yet. */
interface Asked {
  readonly job: JobView;
  readonly sealedQuestionSha256: Digest;
}

/**
 * The desk, as it is asked over HTTP: what it refuses for good the asker gets signed, as a question that failed. What
 * may pass, or is not said of the question, is an error as ever. Only what the job's client key has signed is answered
 * so: nobody else makes the runner sign anything.
 */
export class Refusals {
  readonly #asked = new Map<string, Asked>();
  readonly #signed = new Map<string, SignedRefusal>();

  constructor(
    private readonly context: RunnerContext,
    private readonly sessions: Pick<Sessions, 'all'>,
    private readonly desk: Pick<QuestionDesk, 'ask' | 'read'>,
  ) {}

  /** As the desk's, but for what is refused for good. */
  async ask(jobId: JobId, request: AskRequest): Promise<AskAnswer> {
    try {
      const answer = await this.desk.ask(jobId, request);
      if (answer.state === 'computing') await this.#note(jobId, request);
      return answer;
    } catch (cause) {
      const error = toUsufructError(cause);
      if (!isOfTheQuestion(error) || !(await this.#note(jobId, request))) throw error;
      return this.#refused(jobId, request.questionId, error);
    }
  }

  /** As the desk's; a question that was refused in the meantime comes with what was signed. */
  async read(jobId: JobId, questionId: QuestionId): Promise<AskAnswer> {
    const answer = this.desk.read(jobId, questionId);
    // One whose settlement failed has a receipt, and is in the desk's store.
    if (answer.state !== 'failed' || answer.receipt !== null || answer.error === null) return answer;
    const error = fromWire(answer.error, 'runner');
    return isOfTheQuestion(error) ? this.#refused(jobId, questionId, error) : answer;
  }

  /** Whether the job's client key has signed it. */
  async #note(jobId: JobId, request: AskRequest): Promise<boolean> {
    try {
      const job = await this.context.chain.job(jobId);
      await requireAuthorization(job, request);
      const sealedQuestionSha256 = digestOf(fromBase64(request.sealedQuestion));
      keep(this.#asked, keyOf(jobId, request.questionId), { job, sealedQuestionSha256 });
      return true;
    } catch {
      return false;
    }
  }

  async #refused(jobId: JobId, questionId: QuestionId, error: UsufructError): Promise<AskAnswer> {
    const failed: AskAnswer = {
      questionId,
      state: 'failed',
      sealedAnswer: null,
      receipt: null,
      signature: null,
      settlement: null,
      error: error.toWire(),
    };
    const asked = this.#asked.get(keyOf(jobId, questionId));
    return asked === undefined ? failed : { ...failed, ...(await this.#sign(asked, questionId, error)) };
  }

  /** Once for one sealing and one code: asking again is no way to have the runner sign. */
  async #sign({ job, sealedQuestionSha256 }: Asked, questionId: QuestionId, { code }: UsufructError) {
    const key = `${keyOf(job.id, questionId)}/${sealedQuestionSha256}/${code}`;
    const known = this.#signed.get(key);
    if (known !== undefined) return known;
    const evidenceDigest = await this.#evidenceOf(job.id);
    const signed = await signRefusal(this.context, { job, questionId, sealedQuestionSha256, evidenceDigest, code });
    keep(this.#signed, key, signed);
    return signed;
  }

  async #evidenceOf(jobId: JobId): Promise<Digest> {
    const session = this.sessions.all().find(({ job, state }) => job.id === jobId && state === 'running');
    return session === undefined
      ? NO_EVIDENCE
      : session.use().then(
          (one) => one.evidenceDigest,
          () => NO_EVIDENCE,
        );
  }
}

const isOfTheQuestion = ({ code, entry }: UsufructError): boolean =>
  entry.retry !== 'later' && !NOT_OF_THE_QUESTION.includes(code);

const keyOf = (jobId: JobId, questionId: QuestionId): string => `${jobId}/${questionId}`;

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED && oldest !== undefined) map.delete(oldest);
}
