import { fromWire, toUsufructError, refuse, type UsufructError } from '@usufruct/kernel';
import type { PreparedTransaction } from '@usufruct/chain';
import { LIMITS, receiptDigest, type ChainAction, type StatementSignature } from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { OpeningDelivery, type Away } from './delivery.js';
import { acknowledgementsOf, holdersNow } from './holders-now.js';
import type { AnswerRecord, Settlement } from './store.js';

/** A receipt, and how it is settled: with its uses, or with what holders signed who have its opening. */
export interface Settling {
  readonly receipt: Uint8Array;
  readonly signature: Uint8Array;
  readonly by: Extract<Settlement, { kind: 'direct' }> | { readonly acknowledgements: StatementSignature[] };
}

/** So many groups of answers are gone on with at once, those that wait for the same holders one after another. */
const LANES = 8;
/** How many answers a round looks at that are settled or have failed, for the holders that have not got them. */
const LATE_DELIVERIES = 200;
/** What the chain refuses of acknowledgements: they were good here, so what is read of the chain may be behind it. */
const OF_ACKNOWLEDGEMENTS: readonly string[] = ['FORBIDDEN', 'INVALID_ARGUMENT', 'SIGNATURE_INVALID', 'TOMBSTONED'];
/** When a receipt that is not on the chain by then can no longer come there, with time to spare. */
const SETTLEABLE_MS = LIMITS.receiptFreshnessMs + LIMITS.transactionTermMs;

/** Sign the transaction that settles a receipt. Nothing is sent. */
export const prepareSettlement = (
  { chain, wallet }: RunnerContext,
  { receipt, signature, by }: Settling,
): Promise<PreparedTransaction> => {
  const action: ChainAction =
    'acknowledgements' in by
      ? { kind: 'settlePrivately', receipt, signature, acknowledgements: by.acknowledgements }
      : { kind: 'settleReceipt', receipt, signature, usesSalt: by.usesSalt, uses: [...by.uses] };
  return chain.prepare([action], wallet);
};

/**
 * Settles stored answers on the chain: each once, however often the process dies. A transaction whose outcome is not
 * known is looked up by its digest and sent again as it is; another one, for the same receipt, is signed only when the
 * first can no longer happen. Where the uses are private, enough holders have them before the transaction is signed, and
 * it says so with their signatures: money that nobody can divide is never set aside. When the holders are others by then,
 * these are asked, and another transaction is signed: of the two the chain takes one.
 */
export class Settler {
  readonly #running = new Map<string, Promise<AnswerRecord>>();
  readonly #delivery: OpeningDelivery;
  /** Failed, and known not to have come on the chain in time. */
  readonly #over = new Set<string>();

  constructor(private readonly context: RunnerContext) {
    this.#delivery = new OpeningDelivery(context);
  }

  /**
   * Try to settle now; `isNew` when nothing can have been sent yet. Resolves with the record as it is afterwards,
   * which is `settling` still when the chain gave no answer: try again later. Never rejects for what the chain says.
   */
  settle(record: AnswerRecord, isNew: boolean, away: Away = new Set()): Promise<AnswerRecord> {
    const key = keyOf(record);
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = this.#settle(record, isNew, away).finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }

  /**
   * Go on with everything that is not settled, oldest first, and bring openings to holders that were away. Holders that
   * do not answer delay what waits for them, and nothing else.
   */
  async resume(): Promise<void> {
    const { store } = this.context;
    const lanes = lanesOf([...store.unsettled(), ...store.undelivered(LATE_DELIVERIES)]);
    const away: Away = new Set();
    const work = async (): Promise<void> => {
      for (let lane = lanes.shift(); lane !== undefined; lane = lanes.shift()) {
        for (const record of lane) await this.#goOn(record, away);
      }
    };
    await Promise.all(Array.from({ length: LANES }, work));
  }

  async #goOn({ jobId, questionId }: AnswerRecord, away: Away): Promise<void> {
    const record = this.context.store.find(jobId, questionId);
    if (record?.state === 'settling') await this.settle(record, false, away);
    else if (record?.state === 'settled') await this.#delivery.deliverRest(record, away);
    else if (record?.state === 'failed') await this.#reconsider(record, away);
  }

  /** A holder that has the receipt may have settled it after it failed here: then the other holders need it, too. */
  async #reconsider(record: AnswerRecord, away: Away): Promise<void> {
    const { store } = this.context;
    const key = keyOf(record);
    if (this.#over.has(key)) return;
    const isTooLate = this.#isTooLate(record);
    const isOnChain = await this.#isOnChain(record).catch(() => null);
    if (isOnChain === true) await this.settle(store.reopen(record), false, away);
    else if (isOnChain === false && isTooLate) this.#over.add(key);
  }

  async #isOnChain({ jobId, questionId, receipt }: AnswerRecord): Promise<boolean> {
    return (await this.context.chain.settledReceipt(jobId, questionId)) === receiptDigest(receipt);
  }

  async #settle(record: AnswerRecord, isNew: boolean, away: Away): Promise<AnswerRecord> {
    const { store } = this.context;
    if (record.state !== 'settling') return record;
    try {
      if (record.settlement?.kind !== 'private') await this.#sendOnce(record, isNew);
      // What is there, whoever sent it, is there with the acknowledgements of enough holders.
      else if (isNew || !(await this.#isOnChain(record))) await this.#settlePrivately(record, isNew, away);
      // As it was, but for that: what was stored a moment ago is not read again while its asker waits.
      if (store.markSettled(record) && isNew && record.settlement?.kind === 'direct') {
        return this.#told({ ...record, state: 'settled' });
      }
    } catch (cause) {
      await this.#noteRefusal(record, toUsufructError(cause));
    }
    return this.#told(store.find(record.jobId, record.questionId)!);
  }

  #told(record: AnswerRecord): AnswerRecord {
    const { jobId, questionId, state, transaction } = record;
    this.context.logger.info('receipt.settlement', { jobId, questionId, state, transaction: transaction?.digest });
    return record;
  }

  /** With acknowledgements of the holders of now; the transaction that is there as long as it has them. */
  async #settlePrivately(record: AnswerRecord, isNew: boolean, away: Away): Promise<void> {
    const { store, clock } = this.context;
    const { jobId, questionId, receipt, signature } = record;
    const holders = await holdersNow(this.context, jobId);
    await this.#delivery.deliver(record, holders, away);
    const { settlement, transaction } = store.find(jobId, questionId)!;
    if (settlement?.kind !== 'private') throw refuse('INTERNAL');
    if (transaction !== null && settlement.holders === holders.state) return this.#sendOnce(record, isNew);
    const acknowledgements = acknowledgementsOf(settlement.deliveries, holders);
    // Beforehand: a chain may try what it is to sign, and refuse it then.
    store.dropTransaction(record, holders.state);
    const prepared = await prepareSettlement(this.context, { receipt, signature, by: { acknowledgements } });
    await this.#sendOnce(store.replaceTransaction(record, prepared, clock.nowMs(), holders.state), true);
  }

  /** Resolves when the chain has settled this receipt; throws why it has not. */
  async #sendOnce({ transaction, preparedAtMs }: AnswerRecord, isNew: boolean): Promise<void> {
    const { chain, clock } = this.context;
    if (transaction === null) throw refuse('INTERNAL');
    const outcome = isNew ? null : await chain.transaction(transaction.digest);
    if (outcome?.status === 'succeeded') return;
    if (outcome?.status === 'failed')
      throw outcome.error === null ? refuse('INTERNAL') : fromWire(outcome.error, 'chain');
    const endsAtMs = preparedAtMs + LIMITS.transactionTermMs + LIMITS.clockSkewMs;
    if (clock.nowMs() > endsAtMs) throw refuse('TRANSACTION_EXPIRED');
    await chain.send(transaction);
  }

  async #noteRefusal(record: AnswerRecord, error: UsufructError): Promise<void> {
    const { store, chain } = this.context;
    const { jobId, questionId } = record;
    if (error.code === 'RECEIPT_CONSUMED') {
      const settled = await chain.settledReceipt(jobId, questionId).catch(() => null);
      if (settled === receiptDigest(record.receipt)) store.markSettled(record);
      else if (settled !== null) await this.#fail(record, error);
    } else if (error.code === 'TRANSACTION_EXPIRED') {
      await this.#prepareAgain(record).catch(() => undefined);
    } else if (error.entry.retry !== 'later') {
      // Other holders, too, have only as long as the receipt can be settled.
      if (this.#isTooLate(record) || !(await this.#isOfOtherHolders(record, error))) await this.#fail(record, error);
    }
  }

  #isTooLate({ issuedAtMs }: AnswerRecord): boolean {
    return this.context.clock.nowMs() > issuedAtMs + SETTLEABLE_MS;
  }

  /**
   * A holder's refusal names what it refuses, and anybody may read what became of a question: of private uses only the
   * code is kept. A private receipt that is, or may be, on the chain has not failed: its opening is still needed.
   */
  async #fail(record: AnswerRecord, error: UsufructError): Promise<void> {
    const { store } = this.context;
    if (record.settlement?.kind === 'direct') return store.markFailed(record, error.toWire());
    const isOnChain = await this.#isOnChain(record).catch(() => null);
    if (isOnChain === false) store.markFailed(record, refuse(error.code).toWire());
  }

  /**
   * Whether the holders whose acknowledgements were used, if any were, are not those of now, or nobody can say: then a
   * refusal says nothing about the receipt, and those of now are asked in the next round.
   */
  async #isOfOtherHolders({ jobId, questionId }: AnswerRecord, { code }: UsufructError): Promise<boolean> {
    const { settlement } = this.context.store.find(jobId, questionId)!;
    if (settlement?.kind !== 'private' || settlement.holders === null) return false;
    if (OF_ACKNOWLEDGEMENTS.includes(code)) return true;
    const now = await holdersNow(this.context, jobId).catch(() => null);
    return now === null || now.state !== settlement.holders;
  }

  /** A private one is signed in the next round, with the acknowledgements of that moment. */
  async #prepareAgain(record: AnswerRecord): Promise<void> {
    const { store, clock } = this.context;
    const { settlement, receipt, signature } = record;
    if (settlement === null) throw refuse('INTERNAL');
    if (settlement.kind === 'private') return store.dropTransaction(record);
    const transaction = await prepareSettlement(this.context, { receipt, signature, by: settlement });
    store.replaceTransaction(record, transaction, clock.nowMs());
  }
}

const keyOf = ({ jobId, questionId }: AnswerRecord): string => `${jobId}/${questionId}`;

/** One lane for each set of holders that answers wait for, and one for those that wait for none. */
function lanesOf(records: readonly AnswerRecord[]): AnswerRecord[][] {
  const lanes = Map.groupBy(records, ({ settlement }) => {
    const holders = settlement?.kind === 'private' ? settlement.deliveries.map(({ holderKey }) => holderKey) : [];
    return holders.toSorted().join();
  });
  return [...lanes.values()];
}
