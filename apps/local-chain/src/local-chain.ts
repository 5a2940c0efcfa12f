import { UsufructError, type Clock, type Digest, type TimestampMs } from '@usufruct/kernel';
import { transactionDigest, type ChainInfo, type LocalTransaction } from '@usufruct/protocol';
import { authenticate, decodeTransaction, requireInTime } from './admission.js';
import { localChainInfo } from './chain-info.js';
import { apply } from './machine/apply.js';
import type { Store } from './store/store.js';

/** A page of events is cut here even when more are asked for. */
const PAGE_CHARS = 4 * 1024 ** 2;

/**
 * The local ledger: one transaction after the other, each recorded with its outcome under its digest before anybody
 * hears of it. A stand-in for Sui: it is one process that everybody has to believe.
 */
export class LocalChain {
  readonly info: ChainInfo;
  readonly #waiting = new Set<() => void>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    readonly store: Store,
    readonly clock: Clock,
  ) {
    this.info = localChainInfo(store.chainId);
  }

  /**
   * Execute a transaction once and return its `TransactionOutcome` as JSON, now and whenever it is sent again. A
   * transaction that breaks a rule is recorded as failed; one that is malformed, unsigned or late is refused by an
   * error and leaves no trace.
   */
  async submit(bytes: Uint8Array, signature: string): Promise<string> {
    const transaction = decodeTransaction(bytes);
    const digest = transactionDigest(bytes);
    const recorded = this.store.outcome(digest);
    if (recorded !== undefined) return recorded;
    await authenticate(this.info.chainId, { transaction, digest, signature });
    return this.#inTurn(async () => this.store.outcome(digest) ?? (await this.#execute(digest, transaction)));
  }

  /** Events after a position, as JSON; waits up to `waitMs` for the first one, or until the signal aborts. */
  async events(after: number, options: { limit: number; waitMs: number; signal: AbortSignal }): Promise<string[]> {
    const { limit, waitMs, signal } = options;
    if (this.store.lastSeq <= after && waitMs > 0 && !signal.aborted) await this.#nextCommit(waitMs, signal);
    return signal.aborted ? [] : this.store.events(after, limit, PAGE_CHARS);
  }

  /** Finish what was begun, then close the store. */
  async close(): Promise<void> {
    await this.#inTurn(async () => this.store.close());
  }

  async #execute(digest: Digest, transaction: LocalTransaction): Promise<string> {
    const { store, info } = this;
    const atMs = Math.max(this.clock.nowMs(), store.lastAtMs) as TimestampMs;
    requireInTime(transaction, atMs);
    const { sender } = transaction;
    const kept = { digest, sender, atMs };
    try {
      const { changes, events } = await apply(store, transaction, { chain: info, nowMs: atMs });
      store.commit({ ...kept, changes, events, error: null });
    } catch (error) {
      if (!(error instanceof UsufructError)) throw error;
      store.commit({ ...kept, changes: [], events: [], error: { code: error.code, details: error.details } });
    }
    const waiting = [...this.#waiting];
    // Whoever sent it is answered first.
    setImmediate(() => {
      for (const wake of waiting) wake();
    });
    return store.outcome(digest)!;
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(run);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  #nextCommit(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      signal.addEventListener('abort', done);
      this.#waiting.add(done);
    });
  }
}
