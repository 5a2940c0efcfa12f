import {
  asAmount,
  refuse,
  toHex32,
  toUsufructError,
  type AmountUnits,
  type DatasetId,
  type Hex32,
  type JobId,
} from '@usufruct/kernel';
import { zHex32, type JobView } from '@usufruct/protocol';
import { z } from 'zod';
import { orNull } from '../create.js';
import { readRecord, recordOnce, writeRecord } from '../journal.js';
import { BegunQuestions } from './begun.js';
import type { Budget } from './budget.js';
import type { AskerPorts, AskerSession } from './ports.js';

/**
 * `asker/<wallet>/<name>/pending/<dataset>/<purpose>`: what is agreed, stored before it is funded.
 * `asker/<wallet>/<name>/session/<dataset>/<purpose>/<job>`: funded, and not closed by us.
 */
const zPending = z.object({
  key: z.string(),
  datasetId: zHex32<DatasetId>(),
  purpose: z.string(),
  maxQuestions: z.int(),
  termMs: z.int(),
});
const zFunded = z.object({ jobId: zHex32<JobId>() });

interface OpenSession {
  readonly recordKey: string;
  readonly session: AskerSession;
  readonly job: JobView;
  /** Questions given out, whether or not they are answered. */
  issued: number;
  inFlight: number;
  /** Of the price of answered questions, what their receipts did not ask for. */
  sparedUnits: bigint;
  /** No further question: it is over, used up or too dear. Closed when nothing is in flight. */
  isRetired: boolean;
}

export interface Slot {
  readonly session: AskerSession;
  readonly jobId: JobId;
  readonly priceUnits: AmountUnits;
  /** `unpaid`: it failed for good, and the place is free again. `broken`: so is the session. */
  end(outcome: 'unpaid' | 'unknown' | 'broken'): Promise<void>;
  /** By the receipt: where nothing was found, nothing is paid. */
  answered(costUnits: AmountUnits): Promise<void>;
}
export interface SessionTerms {
  /** Tells askers of one journal apart: two that run at the same time need two names. */
  readonly name: string;
  readonly sessionQuestions: number;
  readonly termMs: number;
}
export interface Wanted {
  readonly datasetId: DatasetId;
  readonly purpose: string;
  readonly maxPriceUnits: AmountUnits | null;
  readonly sessionQuestions?: number | undefined;
}

/** With what a question is to cost. */
export type Priced = Wanted & { readonly maxPriceUnits: AmountUnits };

const sessionIdOf = ({ datasetId, purpose }: Wanted): string => `${datasetId}/${purpose}`;

/** A session that ends sooner is not begun with: preparing a runner and answering take a moment. */
const LEAST_LEFT_MS = 45_000;

/** Funded sessions, one open at a time for each dataset and purpose; opened when a question needs one. */
export class Sessions {
  private readonly open = new Map<string, OpenSession>();
  private readonly queues = new Map<string, Promise<unknown>>();
  private lastTransaction: Promise<unknown> = Promise.resolve();
  private readonly retired = new Set<OpenSession>();
  /** What is locked for a session that is being funded, or that may have been: nobody has answered. */
  private readonly doubtful = new Map<string, bigint>();
  /** Of this process: what is in the journal besides was left by an earlier one. */
  private readonly own = new Set<JobId>();
  private readonly elsewhere: BegunQuestions;

  constructor(
    private readonly ports: AskerPorts,
    private readonly budget: Budget,
    private readonly terms: SessionTerms,
  ) {
    this.elsewhere = new BegunQuestions(budget);
  }

  /** A place in a session. Refuses `SPENDING_LIMIT`, and what funding a job refuses. One after the other per dataset. */
  acquire(wanted: Wanted): Promise<Slot> {
    const id = sessionIdOf(wanted);
    const before = this.queues.get(id) ?? Promise.resolve();
    const next = before.catch(() => undefined).then(() => this.place(id, wanted));
    this.queues.set(id, next);
    return next;
  }

  /** The session that a question of this dataset would go to now, if one is open. */
  current(datasetId: DatasetId, purpose: string): JobId | null {
    return this.open.get(`${datasetId}/${purpose}`)?.job.id ?? null;
  }

  /** What a question would cost now: by the open session that it would go to, or by the DAO's policy. */
  async priceNow(wanted: Wanted): Promise<AmountUnits> {
    const open = this.open.get(sessionIdOf(wanted));
    if (open !== undefined && this.isUsable(open, wanted)) return open.job.pricePerQuestionUnits;
    return (await this.ports.termsOf(wanted.datasetId)).priceUnits;
  }

  /** See `Asker.makeRoom`; `besideUnits` for what is asked in sessions of other processes. */
  makeRoom(wanted: readonly Priced[], besideUnits: bigint): Promise<void> {
    return this.inTurn(() => this.freeFor(wanted, besideUnits));
  }

  /** Whether what a question costs there is counted already: with the session, or by itself. */
  isCounted(jobId: JobId, askKey: string): boolean {
    return this.own.has(jobId) || this.elsewhere.has(askKey);
  }

  /** Before a question is gone on with that another process has begun. Refuses `SPENDING_LIMIT`. */
  goOn(jobId: JobId, askKey: string, priceUnits: AmountUnits): Promise<void> {
    return this.inTurn(async () => {
      if (this.isCounted(jobId, askKey)) return;
      await this.freeFor([], priceUnits);
      this.elsewhere.lock(askKey, jobId, priceUnits);
    });
  }

  /** Such a question was answered, for so much, or never will be, for nothing. */
  wentOn(askKey: string, paidUnits: bigint): void {
    this.elsewhere.end(askKey, paidUnits);
  }

  /** What is not spent comes back. Sessions with questions in flight stay, until their term ends. */
  async close(): Promise<void> {
    const sessions = [...this.open.values(), ...this.retired];
    this.open.clear();
    for (const session of sessions) await this.retire(session);
  }

  /**
   * Sessions that an earlier process of any name left and whose term is over: what was not spent comes back. One that
   * cannot be closed now stands in nobody's way, and is tried again by the next process.
   */
  async closeExpired(): Promise<void> {
    for (const key of await this.ports.journal.keys(`asker/${this.ports.owner}/`)) {
      if (!key.includes('/session/')) continue;
      const record = await readRecord(this.ports.journal, key, zFunded);
      if (record === null) continue;
      try {
        const job = await this.onChain(record.jobId);
        if (job !== null && job.state === 'funded') {
          if (job.expiresAtMs > this.ports.clock.nowMs()) continue;
          await this.inTurn(() => this.ports.session(record.jobId).close());
        }
        await this.ports.journal.delete(key);
      } catch {
        continue;
      }
    }
  }

  /** Null for a job of a chain that is no more: the local one can be begun anew. */
  private onChain(jobId: JobId): Promise<JobView | null> {
    return orNull(this.ports.session(jobId).onChain());
  }

  private async place(id: string, wanted: Wanted): Promise<Slot> {
    let session = this.open.get(id) ?? (await this.adopted(id));
    if (session !== null && !this.isUsable(session, wanted)) {
      this.open.delete(id);
      await this.retire(session);
      session = null;
    }
    session ??= await this.inTurn(() => this.fund(id, wanted));
    this.open.set(id, session);
    session.issued++;
    session.inFlight++;
    return this.slotOf(id, session);
  }

  private isUsable({ job, issued, isRetired }: OpenSession, { maxPriceUnits }: Wanted): boolean {
    const isCheap = maxPriceUnits === null || job.pricePerQuestionUnits <= maxPriceUnits;
    const leftMs = job.expiresAtMs - this.ports.clock.nowMs();
    return !isRetired && isCheap && issued < job.maxQuestions && leftMs > LEAST_LEFT_MS;
  }

  /** Go on with a session that an earlier process of this name left; it counts against this process's limit. */
  private async adopted(id: string): Promise<OpenSession | null> {
    let adopted: OpenSession | null = null;
    for (const recordKey of await this.ports.journal.keys(this.fundedKey(id, ''))) {
      const record = await readRecord(this.ports.journal, recordKey, zFunded);
      if (record === null || this.own.has(record.jobId)) continue;
      const job = await this.onChain(record.jobId);
      if (job !== null && job.state === 'funded') {
        const { pricePerQuestionUnits, maxQuestions, questionsSettled } = job;
        const countedUnits = this.elsewhere.unitsIn(job.id);
        const affordable = this.budget.affordable(pricePerQuestionUnits, maxQuestions, countedUnits);
        if (adopted === null && affordable === maxQuestions) {
          this.elsewhere.handOver(job.id);
          this.budget.lock(pricePerQuestionUnits * BigInt(maxQuestions));
          adopted = { ...this.opened(id, job), issued: questionsSettled };
          continue;
        }
        await this.inTurn(() => this.ports.session(record.jobId).close());
      }
      await this.ports.journal.delete(recordKey);
    }
    return adopted;
  }

  /** One transaction after the other for all datasets: two at once of one wallet would take each other's coins. */
  private inTurn<T>(transaction: () => Promise<T>): Promise<T> {
    const done = this.lastTransaction.then(transaction);
    this.lastTransaction = done.catch(() => undefined);
    return done;
  }

  private async fund(id: string, wanted: Wanted): Promise<OpenSession> {
    const { journal } = this.ports;
    const { datasetId, purpose, maxPriceUnits, sessionQuestions = Infinity } = wanted;
    const { priceUnits, maxTermMs } = await this.ports.termsOf(datasetId);
    if (maxPriceUnits !== null && priceUnits > maxPriceUnits) throw refuse('SPENDING_LIMIT', { limit: 'max-price' });
    await this.freeFor([{ ...wanted, maxPriceUnits: priceUnits }]);
    const wantedQuestions = Math.min(this.terms.sessionQuestions, sessionQuestions);
    const maxQuestions = this.budget.affordable(priceUnits, wantedQuestions, this.inDoubt(id));
    if (maxQuestions === 0) throw refuse('SPENDING_LIMIT', { limit: 'max-spend' });
    const pendingKey = `asker/${this.ports.owner}/${this.terms.name}/pending/${id}`;
    const agreed = await recordOnce(journal, pendingKey, zPending, () => ({
      key: `asker ${toHex32<Hex32>(this.ports.random(32))}`,
      datasetId,
      purpose,
      maxQuestions,
      termMs: Math.min(this.terms.termMs, maxTermMs),
    }));
    const escrowAtMostUnits = asAmount(priceUnits * BigInt(agreed.maxQuestions));
    if (escrowAtMostUnits > this.budget.leftUnits && this.inDoubt(id) === 0n) {
      // Agreed on by an earlier process that was allowed more. What that one may have locked goes back with its term.
      await journal.delete(pendingKey);
      return this.fund(id, wanted);
    }
    this.lockFor(id, escrowAtMostUnits);
    const job = await this.ports.fund({ ...agreed, escrowAtMostUnits }).catch(async (error: unknown) => {
      // Refused, so nothing was locked: the next question agrees anew. Else it may have been, and is gone on with.
      if (toUsufructError(error).entry.retry !== 'later') {
        this.lockFor(id, 0n);
        await journal.delete(pendingKey);
      }
      throw error;
    });
    const session = await this.begun(id, wanted, job);
    await journal.delete(pendingKey);
    this.doubtful.delete(id);
    return session ?? this.fund(id, wanted);
  }

  /** Null where an earlier try had agreed on it, and it is over by now, or was so under terms that no longer suit. */
  private async begun(id: string, { maxPriceUnits }: Wanted, job: JobView): Promise<OpenSession | null> {
    const { pricePerQuestionUnits, maxQuestions, state } = job;
    const escrowUnits = pricePerQuestionUnits * BigInt(maxQuestions);
    const isOurs = state === 'funded' && !this.own.has(job.id);
    const isCheap = maxPriceUnits === null || pricePerQuestionUnits <= maxPriceUnits;
    if (isOurs && isCheap && escrowUnits <= this.budget.leftUnits + this.inDoubt(id)) {
      this.lockFor(id, escrowUnits);
      await writeRecord(this.ports.journal, this.fundedKey(id, job.id), { jobId: job.id });
      return this.opened(id, job);
    }
    if (isOurs) await this.ports.session(job.id).close();
    this.lockFor(id, 0n);
    return null;
  }

  private inDoubt(id: string): bigint {
    return this.doubtful.get(id) ?? 0n;
  }

  /** In place of what an earlier try to fund it has locked. Refuses `SPENDING_LIMIT`. */
  private lockFor(id: string, units: bigint): void {
    this.budget.lock(units - this.inDoubt(id));
    this.doubtful.set(id, units);
  }

  private fundedKey(id: string, jobId: string): string {
    return `asker/${this.ports.owner}/${this.terms.name}/session/${id}/${jobId}`;
  }

  private opened(id: string, job: JobView): OpenSession {
    this.own.add(job.id);
    const recordKey = this.fundedKey(id, job.id);
    return {
      recordKey,
      session: this.ports.session(job.id),
      job,
      issued: 0,
      inFlight: 0,
      sparedUnits: 0n,
      isRetired: false,
    };
  }

  private slotOf(id: string, session: OpenSession): Slot {
    const { job } = session;
    return {
      session: session.session,
      jobId: job.id,
      priceUnits: job.pricePerQuestionUnits,
      answered: async (costUnits) => {
        session.inFlight--;
        session.sparedUnits += job.pricePerQuestionUnits - costUnits;
        if (session.isRetired) await this.closeIdle(session);
      },
      end: async (outcome) => {
        session.inFlight--;
        if (outcome === 'unpaid') session.issued--;
        if (outcome === 'broken') {
          if (this.open.get(id) === session) this.open.delete(id);
          await this.retire(session);
        } else if (session.isRetired) await this.closeIdle(session);
      },
    };
  }

  private retire(session: OpenSession): Promise<void> {
    session.isRetired = true;
    this.retired.add(session);
    return this.closeIdle(session);
  }

  private async closeIdle(session: OpenSession): Promise<void> {
    if (session.inFlight > 0 || !this.retired.delete(session)) return;
    await this.inTurn(() => this.closeNow(session));
  }

  /**
   * What is locked for questions that nobody asks just now is not missing for another dataset: its sessions are closed,
   * those first that are not wanted, until the limit allows one question to each, and `besideUnits`.
   */
  private async freeFor(wanted: readonly Priced[], besideUnits = 0n): Promise<void> {
    const byId = new Map(wanted.map((one) => [sessionIdOf(one), one]));
    const isMissing = (): boolean => {
      const toFund = [...byId].filter(([id, one]) => {
        const open = this.open.get(id);
        return open === undefined || !this.isUsable(open, one);
      });
      const left = toFund.reduce((sum, [id]) => sum + this.inDoubt(id), this.budget.leftUnits);
      return toFund.reduce((sum, [, one]) => sum + one.maxPriceUnits, besideUnits) > left;
    };
    const open = [...this.open].sort(([a], [b]) => Number(byId.has(a)) - Number(byId.has(b)));
    for (const [id, session] of open) {
      if (!isMissing()) return;
      if (session.inFlight > 0 || this.open.get(id) !== session) continue;
      this.open.delete(id);
      session.isRetired = true;
      await this.closeNow(session);
    }
    if (isMissing()) throw refuse('SPENDING_LIMIT', { limit: 'max-spend' });
  }

  /** In its turn. One that cannot be closed now is closed when its term is over, by a later process at the latest. */
  private async closeNow(session: OpenSession): Promise<void> {
    const { job, recordKey } = session;
    const unitsOf = (questions: number): bigint => job.pricePerQuestionUnits * BigInt(questions);
    try {
      const { questionsSettled } = await session.session.close();
      this.budget.settle(unitsOf(job.maxQuestions), unitsOf(questionsSettled) - session.sparedUnits);
      await this.ports.journal.delete(recordKey);
    } catch {
      this.retired.add(session);
    }
  }
}
