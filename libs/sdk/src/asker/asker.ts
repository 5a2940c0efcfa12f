import {
  fromBase64,
  refuse,
  toHex32,
  utf8,
  UsufructError,
  ZERO_UNITS,
  type AmountUnits,
  type DatasetId,
  type Digest,
  type Hex32,
  type JobId,
  type QuestionId,
} from '@usufruct/kernel';
import { digestOf } from '@usufruct/crypto';
import { receiptDigest, zAmount, zHex32, zTimestampMs } from '@usufruct/protocol';
import { z } from 'zod';
import type { Asked, AskOptions } from '../jobs/ask.js';
import type { QuestionParams } from '../jobs/question-record.js';
import { orNull } from '../create.js';
import { readRecord, recordOnce, writeRecord } from '../journal.js';
import { decodeReceipt } from '../receipt/verify.js';
import { pause } from '../wait.js';
import { Budget, lesserLimit, type Spending } from './budget.js';
import type { AskerPorts } from './ports.js';
import { Sessions, type Slot } from './sessions.js';

export interface AskerOptions {
  /** Tells askers of one journal apart: two that run at the same time need two names. No `/`. */
  readonly name: string;
  /** What may be locked and paid together while this asker lives, questions of other processes that it goes on with too. */
  readonly maxSpendUnits: AmountUnits;
  /** For any one question, of several datasets for all of them together; null for what the limit above allows. */
  readonly maxPriceUnits?: AmountUnits | null;
  /** Funded at a time, or as many as the limit allows. Default 10. */
  readonly sessionQuestions?: number;
  /** Default 30 minutes, at most what the DAO allows. */
  readonly termMs?: number;
}
/** `key` names the question: it gives the same answer again, and is never paid a second time. */
export interface AskParams extends Omit<QuestionParams, 'stream'> {
  readonly datasetId: DatasetId;
  readonly purpose: string;
  readonly maxPriceUnits?: AmountUnits | null;
  /** Fewer than the asker's where a session is opened for it, so that other datasets have their share of the limit. */
  readonly sessionQuestions?: number;
  /** How long the answer is kept on this device for who asks with the key again. Default ten minutes. */
  readonly keepMs?: number;
}
/** An answer, and what it has cost. */
export interface PaidAnswer extends Asked {
  readonly datasetId: DatasetId;
  readonly jobId: JobId;
  /** The digest of its receipt, by which the chain knows it. */
  readonly receiptId: Digest;
  readonly evidenceDigest: Digest;
  /** Of this call: nothing where the answer was paid before. */
  readonly costUnits: AmountUnits;
  readonly isRepeat: boolean;
}
/** Where the receipt of an answer is found; holds no question and no answer, and is kept. */
const zKnownReceipt = z.object({
  receiptId: zHex32<Digest>(),
  jobId: zHex32<JobId>(),
  questionId: zHex32<QuestionId>(),
  datasetId: zHex32<DatasetId>(),
  priceUnits: zAmount,
  atMs: zTimestampMs,
});
export type KnownReceipt = z.output<typeof zKnownReceipt>;

/** `asker-question/<wallet>/<hash of its key>`: stored before it is asked, forgotten with the answer. Of askers of every name. */
const zRecord = z.object({
  askKey: z.string(),
  jobId: zHex32<JobId>(),
  body: zHex32<Digest>(),
  atMs: zTimestampMs,
  /** Null until there is an answer. */
  answered: z.object({ forgetAtMs: zTimestampMs }).nullable(),
});
type Noted = z.output<typeof zRecord>;

const CLOSE_WAIT_MS = 5_000;
const DEFAULT_QUESTIONS = 10;
const DEFAULT_TERM_MS = 30 * 60_000;
const DEFAULT_KEEP_MS = 10 * 60_000;
/** Longer than any session lasts: by then it is settled or refunded. */
const UNANSWERED_KEEP_MS = 24 * 60 * 60_000;
const SWEEP_EVERY_MS = 60_000;
/** The session is over, or is none of this device: another one may answer. */
const SESSION_OVER: readonly string[] = [
  'JOB_STATE',
  'JOB_EXPIRED',
  'QUESTION_LIMIT',
  'NOT_FOUND',
  'NO_USABLE_DATA',
  'DATA_WITHDRAWN',
];
/** Nobody knows whether a receipt will be settled, or one was that cannot be shown: its place in the session is used. */
const OUTCOME_UNKNOWN: readonly string[] = ['RECEIPT_INVALID', 'SETTLEMENT_UNKNOWN', 'INTERNAL'];

/**
 * Questions to any dataset within a limit on spending: sessions are funded when they are needed, renewed when they are
 * used up, and closed at the end, so that what is not spent comes back. For programs that ask for their user: the local
 * OpenAI endpoint, agents, scripts.
 *
 * A question is paid once however often it is asked with one key, also by a later process with the same journal: what the
 * chain has settled is not asked anew, also where the API hides the answer. What a session holds in its escrow is limited
 * on the chain, and counts against the limit of whoever funded it; a question that is gone on with in a session of another
 * process counts here with its price.
 */
export class Asker {
  private readonly budget: Budget;
  private readonly sessions: Sessions;
  private readonly running = new Map<string, { readonly body: Digest; readonly answer: Promise<PaidAnswer> }>();
  private sweptAtMs = 0;
  private sweeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly ports: AskerPorts,
    private readonly options: AskerOptions,
  ) {
    const { name, maxSpendUnits, sessionQuestions = DEFAULT_QUESTIONS, termMs = DEFAULT_TERM_MS } = options;
    if (name === '' || name.includes('/')) throw refuse('INVALID_ARGUMENT', { field: 'name' });
    this.budget = new Budget(maxSpendUnits);
    this.sessions = new Sessions(ports, this.budget, { name, sessionQuestions, termMs });
  }

  get maxPriceUnits(): AmountUnits | null {
    return this.options.maxPriceUnits ?? null;
  }
  get spending(): Spending {
    return this.budget.spending;
  }
  currentSession(datasetId: DatasetId, purpose: string): JobId | null {
    return this.sessions.current(datasetId, purpose);
  }

  /**
   * Ask, or give the answer of an earlier question with this key. The question is seen through to its end whatever
   * becomes of who waits: `options.signal` is not passed on by callers that want what was paid.
   * Refuses `IDEMPOTENCY_KEY_REUSED` for other words under a known key, `SPENDING_LIMIT` before anything is locked, and
   * what `JobSession.ask` and funding refuse.
   */
  async ask(params: AskParams, options: AskOptions = {}): Promise<PaidAnswer> {
    const { name, body } = nameOf(params);
    const running = this.running.get(name);
    if (running !== undefined) {
      if (running.body !== body) throw refuse('IDEMPOTENCY_KEY_REUSED', { field: 'key' });
      return repeated(await running.answer);
    }
    const answer = this.answerOf(this.recordKey(name), body, params, options).finally(() => this.running.delete(name));
    this.running.set(name, { body, answer });
    return answer;
  }

  /**
   * What `ask` would cost now: nothing where the answer is kept, or on its way. No promise: a price may rise before the
   * question is asked, so whoever relies on this gives it as the question's `maxPriceUnits`.
   */
  async priceNow(params: AskParams): Promise<AmountUnits> {
    // What was kept long enough is not given again by `ask` either.
    await this.sweepNowAndThen();
    const { name } = nameOf(params);
    if (this.running.has(name)) return ZERO_UNITS;
    const record = await readRecord(this.ports.journal, this.recordKey(name), zRecord);
    if (record !== null && record.answered !== null) return ZERO_UNITS;
    const begunUnits = record === null ? null : await this.priceOf(record);
    return begunUnits ?? this.sessions.priceNow({ ...params, maxPriceUnits: null });
  }

  /**
   * Before a question is asked of several datasets at once, each at a price that was asked for: what other sessions hold
   * and nobody asks for just now comes back where it is needed. Refuses `SPENDING_LIMIT` where the limit does not allow
   * all of them, and nothing of it was asked.
   */
  async makeRoom(params: readonly (AskParams & { readonly maxPriceUnits: AmountUnits })[]): Promise<void> {
    const isBeside = await Promise.all(params.map((one) => this.isBegunElsewhere(one)));
    const besideUnits = params.reduce((sum, { maxPriceUnits }, i) => (isBeside[i]! ? sum + maxPriceUnits : sum), 0n);
    const inOwn = params.filter((_, i) => !isBeside[i]!);
    return this.sessions.makeRoom(inOwn, besideUnits);
  }

  /** Receipts of this device, the newest first. */
  async receipts(): Promise<KnownReceipt[]> {
    const keys = await this.ports.journal.keys('asker-receipt/');
    const known = await Promise.all(keys.map((key) => readRecord(this.ports.journal, key, zKnownReceipt)));
    return known.filter((one) => one !== null).sort((a, b) => b.atMs - a.atMs);
  }

  async receipt(receiptId: Digest): Promise<KnownReceipt | null> {
    return readRecord(this.ports.journal, `asker-receipt/${receiptId}`, zKnownReceipt);
  }

  /** Before the first question: forget what an earlier process kept too long, and take back what it left in escrow. */
  async recover(): Promise<void> {
    await this.sweep();
    await this.sessions.closeExpired();
  }

  /** After the last one: close the sessions, so that what is not spent comes back. Waits a moment for open questions. */
  async close(waitMs = CLOSE_WAIT_MS): Promise<void> {
    const enough = new AbortController();
    const answers = Promise.allSettled([...this.running.values()].map(({ answer }) => answer));
    await Promise.race([answers, pause(waitMs, enough.signal)]).finally(() => enough.abort());
    await this.sweep();
    await this.sessions.close();
  }

  private async answerOf(recordKey: string, body: Digest, params: AskParams, options: AskOptions): Promise<PaidAnswer> {
    await this.sweepNowAndThen();
    const record = await readRecord(this.ports.journal, recordKey, zRecord);
    if (record !== null) {
      if (record.body !== body) throw refuse('IDEMPOTENCY_KEY_REUSED', { field: 'key' });
      const earlier = await this.continued(recordKey, record, params, options);
      if (earlier !== null) return earlier;
    }
    try {
      return await this.fresh(recordKey, body, params, options);
    } catch (error) {
      // A session can come to its end between our look at it and the question; another one is opened, once.
      if (!isSessionOver(error) || (error as UsufructError).code === 'NO_USABLE_DATA') throw error;
      return this.fresh(recordKey, body, params, options);
    }
  }

  /** Of a question that was asked and not seen answered: its session's, as long as it may be answered there. */
  private async priceOf({ jobId }: Noted): Promise<AmountUnits | null> {
    const job = await orNull(this.ports.session(jobId).onChain());
    const isOpen = job !== null && job.state === 'funded' && job.expiresAtMs > this.ports.clock.nowMs();
    return isOpen ? job.pricePerQuestionUnits : null;
  }

  /** Whether it would be gone on with, in a session that does not count here. */
  private async isBegunElsewhere(params: AskParams): Promise<boolean> {
    const record = await readRecord(this.ports.journal, this.recordKey(nameOf(params).name), zRecord);
    if (record === null || record.answered !== null) return false;
    return !this.sessions.isCounted(record.jobId, record.askKey) && (await this.priceOf(record)) !== null;
  }

  /**
   * Refuses `SPENDING_LIMIT` before anything is sent: to go on with it may be what has it paid, at a price that nobody
   * allows any more, out of an escrow that another process has locked and that does not count here.
   */
  private async requireAllowed(record: Noted, { maxPriceUnits }: AskParams): Promise<void> {
    const begunUnits = record.answered === null ? await this.priceOf(record) : null;
    if (begunUnits === null) return;
    const limit = lesserLimit(maxPriceUnits ?? null, this.maxPriceUnits);
    if (limit !== null && begunUnits > limit) throw refuse('SPENDING_LIMIT', { limit: 'max-price' });
    await this.sessions.goOn(record.jobId, record.askKey, begunUnits);
  }

  private recordKey(name: Digest): string {
    return `asker-question/${this.ports.owner}/${name}`;
  }

  /** What was asked before a process ended, or is asked again. Null where its session is over and it was not paid. */
  private async continued(
    recordKey: string,
    record: Noted,
    params: AskParams,
    options: AskOptions,
  ): Promise<PaidAnswer | null> {
    const { jobId, askKey, answered } = record;
    await this.requireAllowed(record, params);
    try {
      const asked = await this.ports.session(jobId).ask(questionOf(askKey, params), options);
      const paid = await this.remember(recordKey, record, params, asked);
      if (answered !== null) return repeated(paid);
      this.sessions.wentOn(askKey, paid.costUnits);
      return paid;
    } catch (error) {
      // As long as the record stays, it may still be paid, and counts.
      if (!isSessionOver(error) || answered !== null) throw error;
      if (await this.ports.isPaid(jobId, this.ports.questionIdOf(jobId, askKey))) throw error;
      this.sessions.wentOn(askKey, 0n);
      await this.ports.journal.delete(recordKey);
      return null;
    }
  }

  private async fresh(recordKey: string, body: Digest, params: AskParams, options: AskOptions): Promise<PaidAnswer> {
    const { datasetId, purpose, sessionQuestions } = params;
    const maxPriceUnits = lesserLimit(params.maxPriceUnits ?? null, this.maxPriceUnits);
    const slot = await this.sessions.acquire({ datasetId, purpose, maxPriceUnits, sessionQuestions });
    const askKey = toHex32<Hex32>(this.ports.random(32));
    const { jobId } = slot;
    const record: Noted = { askKey, jobId, body, atMs: this.ports.clock.nowMs(), answered: null };
    const noted = await this.notedOnce(recordKey, record, slot);
    if (noted.askKey !== askKey) {
      // Another process with this journal has begun to ask it meanwhile.
      await slot.end('unpaid');
      return this.answerOf(recordKey, body, params, options);
    }
    try {
      const asked = await slot.session.ask(questionOf(askKey, params), options);
      const paid = await this.remember(recordKey, record, params, asked);
      await slot.answered(paid.costUnits);
      return paid;
    } catch (error) {
      await this.failed(recordKey, slot, error);
      throw error;
    }
  }

  private async notedOnce(recordKey: string, record: Noted, slot: Slot): Promise<Noted> {
    try {
      return await recordOnce(this.ports.journal, recordKey, zRecord, () => record);
    } catch (error) {
      await slot.end('unpaid');
      throw error;
    }
  }

  private async failed(recordKey: string, slot: Slot, error: unknown): Promise<void> {
    const isUnknown =
      !(error instanceof UsufructError) || error.entry.retry === 'later' || OUTCOME_UNKNOWN.includes(error.code);
    if (isUnknown) return slot.end('unknown'); // the record stays: asking again goes on
    await this.ports.journal.delete(recordKey);
    await slot.end(isSessionOver(error) ? 'broken' : 'unpaid');
  }

  private async remember(recordKey: string, record: Noted, params: AskParams, asked: Asked): Promise<PaidAnswer> {
    const { journal, clock } = this.ports;
    const { questionId, evidence } = asked;
    const receipt = decodeReceipt(evidence.receipt);
    if (receipt === null) throw refuse('RECEIPT_INVALID', { checks: 'ENCODING' });
    const receiptId = receiptDigest(fromBase64(evidence.receipt));
    const { datasetId } = params;
    const { jobId } = record;
    if (record.answered === null) {
      const atMs = clock.nowMs();
      const known = { receiptId, jobId, questionId, datasetId, priceUnits: receipt.priceUnits, atMs };
      await writeRecord(journal, `asker-receipt/${receiptId}`, known);
      const forgetAtMs = atMs + (params.keepMs ?? DEFAULT_KEEP_MS);
      await writeRecord(journal, recordKey, { ...record, answered: { forgetAtMs } });
    }
    const { priceUnits: costUnits, evidenceDigest } = receipt;
    return { ...asked, datasetId, jobId, receiptId, evidenceDigest, costUnits, isRepeat: false };
  }

  /** Whoever comes while it is under way waits for it, too: what it forgets is not to be found half there. */
  private sweepNowAndThen(): Promise<void> {
    if (this.ports.clock.nowMs() - this.sweptAtMs < SWEEP_EVERY_MS) return this.sweeping;
    const sweeping = this.sweep();
    this.sweeping = sweeping.catch(() => undefined);
    return sweeping;
  }

  /** Answers that were kept long enough are forgotten, with the keys that open them. */
  private async sweep(): Promise<void> {
    const { journal, clock } = this.ports;
    this.sweptAtMs = clock.nowMs();
    for (const key of await journal.keys(`asker-question/${this.ports.owner}/`)) {
      const record = await readRecord(journal, key, zRecord);
      if (record === null) continue;
      const { jobId, askKey, atMs, answered } = record;
      if ((answered?.forgetAtMs ?? atMs + UNANSWERED_KEEP_MS) > this.sweptAtMs) continue;
      await this.ports.session(jobId).forget(this.ports.questionIdOf(jobId, askKey));
      await journal.delete(key);
    }
  }
}

/** By its key, and by all that it asks: the key of one question is not taken for another. */
function nameOf(params: AskParams): { readonly name: Digest; readonly body: Digest } {
  const { text, topK, generator, filter, attribution } = questionOf('', params);
  const asked = [params.datasetId, params.purpose, text, topK, generator, filter, attribution];
  const body = digestOf(utf8(JSON.stringify(asked.map((part) => part ?? null))));
  return { name: digestOf(utf8(params.key)), body };
}

function questionOf(key: string, params: AskParams): QuestionParams {
  const { text, topK, generator, filter, attribution } = params;
  return {
    key,
    text,
    ...(topK !== undefined && { topK }),
    ...(generator !== undefined && { generator }),
    ...(filter !== undefined && { filter }),
    ...(attribution !== undefined && { attribution }),
  };
}
const repeated = (paid: PaidAnswer): PaidAnswer => ({ ...paid, costUnits: 0n as AmountUnits, isRepeat: true });
const isSessionOver = (error: unknown): boolean => error instanceof UsufructError && SESSION_OVER.includes(error.code);
