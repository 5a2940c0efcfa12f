import { chainInfoOf } from '@usufruct/chain';
import {
  parseJson,
  equalBytes,
  fromBase64,
  fromUtf8,
  refuse,
  UsufructError,
  type JobId,
  type QuestionId,
  type Verdict,
} from '@usufruct/kernel';
import { open } from '@usufruct/crypto';
import { answerInfo, NO_MODEL, parseAnswer, zAnswer, type Answer } from '@usufruct/protocol';
import { valueOrThrow } from '../api/graphql.js';
import type { ClientContext } from '../context.js';
import { collectEvidence } from '../receipt/collect.js';
import type { ReceiptEvidence } from '../receipt/evidence.js';
import type { RefusalEvidence } from '../receipt/refusal.js';
import { decodeReceipt, verifyReceipt } from '../receipt/verify.js';
import { pause } from '../wait.js';
import { ASK_QUESTION, QUESTION, type QuestionState } from './operations.js';
import type { AttestedRunners } from './attested-runner.js';
import { errorOf, isBeingPrepared } from './ready.js';
import { askedFor, newAttempt, type QuestionRecord } from './question-record.js';
import { tellRefusal } from './tell-refusal.js';

export const ASK_STEPS = ['waiting', 'attesting', 'asking', 'computing', 'settling', 'verifying', 'done'] as const;
export type AskStep = (typeof ASK_STEPS)[number];

export interface AskOptions {
  readonly onStep?: (step: AskStep) => void;
  /** After this the last error is thrown; asking again with the same key goes on. Default two minutes. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Told, before the refusal is thrown, what the runner has signed about it; a refusal that may pass is not signed. */
  readonly onRefusal?: (refusal: RefusalEvidence) => void;
}

/** An answer with everything that it was judged by. */
export interface Asked {
  readonly questionId: QuestionId;
  readonly answer: Answer;
  readonly evidence: ReceiptEvidence;
  /** Good: an answer whose receipt fails a check is never returned. */
  readonly verdict: Verdict;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const POLL_MS = 250;
const LONGEST_POLL_MS = 2_000;
/** A runner that restarts has new keys; one that restarts more often than this while we ask is broken. */
const MAX_ATTEMPTS = 5;
/** The runner lost, or never had, the key that the question was sealed to: seal it again, with the same id. */
const SEAL_AGAIN: readonly string[] = ['ATTESTATION_STALE', 'QUESTION_UNKNOWN'];

export interface AskedJob {
  readonly jobId: JobId;
  /** Shared by all questions of the job. */
  readonly runners: AttestedRunners;
}

/** Ask until there is a settled answer, and judge it. See `JobSession.ask`. `onSent` is told each time it is sent. */
export async function askQuestion(
  context: ClientContext,
  { jobId, runners }: AskedJob,
  record: QuestionRecord,
  options: AskOptions,
  onSent: (record: QuestionRecord) => void = () => undefined,
): Promise<Asked> {
  const flow = new QuestionFlow(context, { jobId, runners }, record, options, onSent);
  const state = await flow.settled().catch(async (cause: unknown) => {
    if (options.onRefusal !== undefined) await tellRefusal(context, jobId, flow.record, cause, options.onRefusal);
    throw cause;
  });
  options.onStep?.('verifying');
  const asked = await judge(context, jobId, flow.record, state);
  options.onStep?.('done');
  return asked;
}

class QuestionFlow {
  private readonly endMs: number;
  private isSent = false;
  private mustSeal: boolean;
  private step: AskStep | null = null;
  constructor(
    private readonly context: ClientContext,
    private readonly job: AskedJob,
    public record: QuestionRecord,
    private readonly options: AskOptions,
    private readonly onSent: (record: QuestionRecord) => void,
  ) {
    this.mustSeal = record.attempts.length === 0;
    this.endMs = context.clock.nowMs() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  }

  async settled(): Promise<QuestionState> {
    for (let pauseMs = POLL_MS; ; pauseMs = Math.min(1.5 * pauseMs, LONGEST_POLL_MS)) {
      let last: UsufructError = refuse('UPSTREAM_UNAVAILABLE', { upstream: 'runner' });
      try {
        const state = await this.advance();
        if (state.state === 'settled') return state;
        if (state.state === 'failed') throw this.failureOf(state);
        this.tell(state.state);
      } catch (error) {
        last = this.worthAnotherTry(error);
      }
      if (this.context.clock.nowMs() + pauseMs > this.endMs) throw last;
      await pause(pauseMs, this.options.signal);
    }
  }

  /** The next request: attest and seal where no attempt is good, send where it was not sent, else look. */
  private async advance(): Promise<QuestionState> {
    const { context, options } = this;
    const { jobId } = this.job;
    const { questionId } = this.record;
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    if (this.mustSeal) await this.seal();
    if (this.isSent) {
      const { question } = await context.api.request(QUESTION, { jobId, questionId }, signal);
      if (question !== null) return question;
    }
    const { runnerSigningKey: _key, ...attempt } = this.record.attempts.at(-1)!;
    this.tell('asking');
    this.onSent(this.record);
    const answer = await context.api.request(ASK_QUESTION, { input: { jobId, questionId, ...attempt } }, signal);
    const state = valueOrThrow(answer.askQuestion);
    this.isSent = true;
    return state;
  }

  private async seal(): Promise<void> {
    const { jobId, runners } = this.job;
    const claims = await runners.current((step) => this.tell(step));
    this.record = await newAttempt(this.context, jobId, this.record, claims);
    this.mustSeal = false;
    this.isSent = false;
  }

  private worthAnotherTry(error: unknown): UsufructError {
    if (!(error instanceof UsufructError)) throw error;
    if (SEAL_AGAIN.includes(error.code) && this.record.attempts.length < MAX_ATTEMPTS) {
      const sealed = this.record.attempts.at(-1);
      if (sealed !== undefined) this.job.runners.forget(sealed.runnerSigningKey);
      this.mustSeal = true;
      return error;
    }
    if (!isBeingPrepared(error)) throw error;
    return error;
  }

  /** What failed for a passing reason is sealed and sent anew: what was sent before keeps its failure. */
  private failureOf({ error }: QuestionState): UsufructError {
    if (error === null) return refuse('UPSTREAM_INVALID', { upstream: 'runner', field: 'error' });
    const failure = errorOf(error);
    if (failure.entry.retry === 'later' && this.record.attempts.length < MAX_ATTEMPTS) this.mustSeal = true;
    return failure;
  }

  private tell(step: AskStep): void {
    if (this.step !== step) this.options.onStep?.(step);
    this.step = step;
  }
}

/** Open the answer with the response key and judge its receipt. Refuses `RECEIPT_INVALID` naming the failed checks. */
async function judge(
  context: ClientContext,
  jobId: JobId,
  record: QuestionRecord,
  state: QuestionState,
): Promise<Asked> {
  const { questionId } = record;
  const { receipt, signature, sealedAnswer, settlement } = state;
  if (receipt === null || signature === null || sealedAnswer === null) {
    throw refuse('UPSTREAM_INVALID', { upstream: 'API', field: 'question' });
  }
  const answer = await openAnswer(context, jobId, record, receipt, sealedAnswer);
  const transaction = settlement?.transaction ?? null;
  const collected = await collectEvidence(context, { receipt, signature, transaction, answer });
  const evidence = { ...collected, asked: askedFor(record) };
  const verdict = await verifyReceipt(evidence);
  if (!verdict.ok) {
    const checks = verdict.checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
    throw refuse('RECEIPT_INVALID', { checks: checks.join(', ') });
  }
  requireModel(answer, receipt);
  return { questionId, answer, evidence, verdict };
}

/** Who is said to have written the answer is what the receipt says. */
function requireModel({ generator, model }: Answer, receipt: string): void {
  const isSame = decodeReceipt(receipt)?.modelHash === (model?.sha256 ?? NO_MODEL);
  if (!isSame || (generator === 'model') !== (model !== undefined))
    throw refuse('RECEIPT_INVALID', { checks: 'MODEL' });
}

async function openAnswer(
  context: ClientContext,
  jobId: JobId,
  { questionId, attempts, responsePrivateKey }: QuestionRecord,
  receipt: string,
  sealedAnswer: string,
): Promise<Answer> {
  const parsed = decodeReceipt(receipt);
  if (parsed === null || parsed.questionId !== questionId) {
    throw refuse('RECEIPT_INVALID', { checks: parsed === null ? 'ENCODING' : 'QUESTION' });
  }
  // Only a runner that we attested ourselves may answer, whoever else is registered on the chain.
  const { signerPublicKey: runnerSigningKey } = parsed;
  if (!attempts.some((attempt) => equalBytes(fromBase64(attempt.runnerSigningKey), runnerSigningKey))) {
    throw refuse('RECEIPT_INVALID', { checks: 'SIGNER_ATTESTED' });
  }
  const { chainId, packageId } = await chainInfoOf(context.chain);
  const bytes = await open({
    privateKey: fromBase64(responsePrivateKey),
    info: answerInfo({ chainId, packageId, jobId, questionId, runnerSigningKey }),
    aad: new Uint8Array(),
    sealed: fromBase64(sealedAnswer),
  });
  return parseAnswer(zAnswer, parseJson(fromUtf8(bytes, 'answer')), 'runner');
}
