import { refuse, toUsufructError, type Digest, type Hex32, type UsufructError } from '@usufruct/kernel';
import type { ChainEvent } from '@usufruct/protocol';
import type { SuiEventSource, SuiEventTransaction } from './event-source.js';
import type { SuiEventStore } from './event-store.js';
import { takeEvent } from './event-table.js';
import { KeptEvents } from './kept-events.js';
import { ObjectIndex } from './object-index.js';

/**
 * The package's events, numbered from 1 in the order of the ledger. That order, the package and the coin are the same
 * for everybody, so every process comes to the same numbers on its own, and a position kept in a database stays good
 * after a restart. With a store, what was read is kept, and the next process goes on from there; without one, the
 * history is read from its beginning once a process. A node that has forgotten the beginning is refused as long as
 * nothing is kept, because the opening of the registry is then missing.
 *
 * Refuses `CHAIN_EVENTS_BROKEN`, from then on for every call, at the first sign of a gap or reorder: a transaction
 * that is not after the last one, an event about something whose creation was not seen, a counter that jumps. It
 * cannot see that a node keeps back whole transactions that leave no such trace.
 */
export class EventIndex {
  readonly objects: ObjectIndex;
  readonly #events: ChainEvent[] = [];
  readonly #byTransaction = new Map<Digest, readonly ChainEvent[]>();
  readonly #kept: KeptEvents | null;
  #isLoaded = false;
  #resumeAt: bigint | null = null;
  #cursor: string | null = null;
  #last: SuiEventTransaction | null = null;
  #running: Promise<void> | null = null;
  #broken: UsufructError | null = null;

  constructor(
    private readonly source: SuiEventSource,
    private readonly coinType: string,
    packageIds: readonly Hex32[],
    store: SuiEventStore | null = null,
  ) {
    this.objects = new ObjectIndex(packageIds);
    this.#kept = store === null ? null : new KeptEvents(store, packageIds);
  }

  /** Read on to the end of what there is. Whoever asks while it runs gets what began after they asked. */
  async sync(): Promise<void> {
    const before = this.#running;
    if (before !== null) await before.catch(() => undefined);
    this.#running ??= this.#read().finally(() => (this.#running = null));
    await this.#running;
  }

  /** Events with `seq > after`, at most `limit`, of what has been read. */
  after(after: number, limit: number): ChainEvent[] {
    return this.#events.slice(after, after + limit);
  }

  /** The events of a transaction, or null when it is not among what has been read. */
  ofTransaction(digest: Digest): readonly ChainEvent[] | null {
    return this.#byTransaction.get(digest) ?? null;
  }

  async #read(): Promise<void> {
    if (this.#broken !== null) throw this.#broken;
    if (!this.#isLoaded) await this.#load();
    for (let more = true; more;) {
      const page = await this.source.page(this.#cursor, this.#resumeAt);
      await this.#orBreak(async () => {
        for (const transaction of page.transactions) this.#takeNew(transaction);
        this.#cursor = page.cursor;
        if (!page.more) this.#kept?.requireConfirmed(page.coveredCheckpoint);
        await this.#kept?.save();
      });
      more = page.more;
    }
  }

  async #load(): Promise<void> {
    const keeper = this.#kept;
    if (keeper !== null) {
      await this.#orBreak(async () => {
        const { kept, resumeAt } = await keeper.load();
        for (const transaction of kept) this.#take(transaction);
        this.#resumeAt = resumeAt;
      });
    }
    this.#isLoaded = true;
  }

  /** Where a history is broken it stays so: what was taken in halfway cannot be taken in again. */
  async #orBreak(take: () => Promise<void>): Promise<void> {
    try {
      await take();
    } catch (error) {
      const refusal = toUsufructError(error);
      if (refusal.code !== 'CHAIN_UNAVAILABLE') this.#broken = refusal;
      throw refusal;
    }
  }

  #takeNew(transaction: SuiEventTransaction): void {
    if (this.#kept?.confirms(transaction)) {
      // With its place, which is not kept.
      this.#last = transaction;
      return;
    }
    this.#take(transaction);
    this.#kept?.add(transaction);
  }

  #take(transaction: SuiEventTransaction): void {
    requireAfter(this.#last, transaction);
    const { digest, atMs } = transaction;
    if (this.#byTransaction.has(digest)) throw broken('a transaction comes twice');
    this.#last = transaction;
    const events: ChainEvent[] = [];
    for (const { name, bytes, sender } of transaction.events) {
      const data = takeEvent(name, bytes, this.objects, this.coinType);
      if (data === null) continue;
      events.push({ seq: this.#events.length + events.length + 1, transaction: digest, sender, atMs, data });
    }
    this.#events.push(...events);
    this.#byTransaction.set(digest, events);
  }
}

function requireAfter(last: SuiEventTransaction | null, next: SuiEventTransaction): void {
  if (last === null) return;
  if (next.checkpoint < last.checkpoint) throw broken('a checkpoint comes after a later one');
  if (next.checkpoint > last.checkpoint || last.indexInCheckpoint === null || next.indexInCheckpoint === null) return;
  if (next.indexInCheckpoint <= last.indexInCheckpoint) throw broken('transactions of a checkpoint are out of order');
}

const broken = (reason: string) => refuse('CHAIN_EVENTS_BROKEN', { reason });
