import { fromWire, toUsufructError, refuse, type UsufructError } from '@usufruct/kernel';
import type { PreparedTransaction } from '@usufruct/chain';
import { LIMITS, receiptDigest, type ChainAction } from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { OpeningDelivery } from './delivery.js';
import type { AnswerRecord, Settlement } from './store.js';

/** A receipt, and how it is settled. */
export interface Settling {
  readonly receipt: Uint8Array;
  readonly signature: Uint8Array;
  readonly settlement: Settlement;
}

/** Sign the transaction that settles a receipt. Nothing is sent. */
export const prepareSettlement = (
  { chain, wallet }: RunnerContext,
  { receipt, signature, settlement }: Settling,
): Promise<PreparedTransaction> => {
  const { kind } = settlement;
  const action: ChainAction =
    kind === 'private'
      ? { kind: 'settlePrivately', receipt, signature }
      : { kind: 'settleReceipt', receipt, signature, usesSalt: settlement.usesSalt, uses: [...settlement.uses] };
  return chain.prepare([action], wallet);
};

/**
 * Settles stored answers on the chain: each once, however often the process dies. A transaction whose outcome is not
 * known is looked up by its digest and sent again as it is; another one, for the same receipt, is signed only when the
 * first can no longer happen. Where the uses are private, enough holders have them before the transaction is sent: money
 * that nobody can divide must never be set aside.
 */
export class Settler {
  readonly #running = new Map<string, Promise<AnswerRecord>>();
  readonly #delivery: OpeningDelivery;

  constructor(private readonly context: RunnerContext) {
    this.#delivery = new OpeningDelivery(context);
  }

  /**
   * Try to settle now; `isNew` when nothing can have been sent yet. Resolves with the record as it is afterwards,
   * which is `settling` still when the chain gave no answer: try again later. Never rejects for what the chain says.
   */
  settle(record: AnswerRecord, isNew: boolean): Promise<AnswerRecord> {
    const key = `${record.jobId}/${record.questionId}`;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = this.#settle(record, isNew).finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }

  /** Go on with everything that is not settled, oldest first. */
  async resume(): Promise<void> {
    for (const record of this.context.store.unsettled()) await this.settle(record, false);
  }

  async #settle(record: AnswerRecord, isNew: boolean): Promise<AnswerRecord> {
    const { store, logger } = this.context;
    if (record.state !== 'settling') return record;
    try {
      await this.#delivery.deliver(record);
      await this.#sendOnce(record, isNew);
      store.markSettled(record);
    } catch (cause) {
      await this.#noteRefusal(record, toUsufructError(cause));
    }
    const after = store.find(record.jobId, record.questionId)!;
    const { jobId, questionId, state } = after;
    logger.info('receipt.settlement', { jobId, questionId, state, transaction: after.transaction.digest });
    return after;
  }

  /** Resolves when the chain has settled this receipt; throws why it has not. */
  async #sendOnce(record: AnswerRecord, isNew: boolean): Promise<void> {
    const { chain, clock } = this.context;
    const outcome = isNew ? null : await chain.transaction(record.transaction.digest);
    if (outcome?.status === 'succeeded') return;
    if (outcome?.status === 'failed')
      throw outcome.error === null ? refuse('INTERNAL') : fromWire(outcome.error, 'chain');
    const endsAtMs = record.preparedAtMs + LIMITS.transactionTermMs + LIMITS.clockSkewMs;
    if (clock.nowMs() > endsAtMs) throw refuse('TRANSACTION_EXPIRED');
    await chain.send(record.transaction);
  }

  async #noteRefusal(record: AnswerRecord, error: UsufructError): Promise<void> {
    const { store, chain } = this.context;
    if (error.code === 'RECEIPT_CONSUMED') {
      const settled = await chain.settledReceipt(record.jobId, record.questionId).catch(() => null);
      if (settled === receiptDigest(record.receipt)) store.markSettled(record);
      else if (settled !== null) this.#fail(record, error);
    } else if (error.code === 'TRANSACTION_EXPIRED') {
      await this.#prepareAgain(record).catch(() => undefined);
    } else if (error.entry.retry !== 'later') {
      this.#fail(record, error);
    }
  }

  /** A holder's refusal names what it refuses, and anybody may read what became of a question: uses that are private. */
  #fail(record: AnswerRecord, error: UsufructError): void {
    const isPublic = record.settlement?.kind === 'direct';
    this.context.store.markFailed(record, (isPublic ? error : refuse(error.code)).toWire());
  }

  async #prepareAgain(record: AnswerRecord): Promise<void> {
    const { store, clock } = this.context;
    const { settlement, receipt, signature } = record;
    if (settlement === null) throw refuse('INTERNAL');
    const transaction = await prepareSettlement(this.context, { receipt, signature, settlement });
    store.replaceTransaction(record, transaction, clock.nowMs());
  }
}
