import { bcs } from '@mysten/bcs';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  concatBytes,
  equalBytes,
  refuse,
  UsufructError,
  utf8,
  type Address,
  type Digest,
  type Hex32,
  type TimestampMs,
} from '@usufruct/kernel';
import { byteVector, bytes32, u64, u64Number } from '@usufruct/protocol';
import type { SuiEventTransaction } from './event-source.js';
import type { KeptRecord, SuiEventStore } from './event-store.js';

/** Without the place within a checkpoint, which a node need not say; everything else is everywhere the same. */
const layout = bcs.struct('KeptTransaction', {
  checkpoint: u64(),
  digest: bytes32<Digest>(),
  atMs: u64Number<TimestampMs>(),
  events: bcs.vector(bcs.struct('KeptEvent', { sender: bytes32<Address>(), name: bcs.string(), bytes: byteVector() })),
});
/** What the first record's digest goes on from; another layout gets another one. */
const BEGINNING: Uint8Array = sha256(utf8('usufruct: kept Sui events v2'));

const encode = ({ checkpoint, digest, atMs, events }: SuiEventTransaction): Uint8Array =>
  layout.serialize({ checkpoint, digest, atMs, events: [...events] }).toBytes();
const chain = (before: Uint8Array, record: Uint8Array): Uint8Array => sha256(concatBytes(before, record));
const broken = (reason: string) => refuse('CHAIN_EVENTS_BROKEN', { reason });
const isSame = (left: SuiEventTransaction, right: SuiEventTransaction): boolean =>
  equalBytes(encode(left), encode(right));

/**
 * The events that were read by this process or one before it, kept so that a restart goes on where it was and no number
 * ever moves. Each record's digest covers all before it, so a store that lost, changed or moved one is refused; the last
 * ones may be missing, and are read again. The node has to give the transactions of the last kept checkpoint once more,
 * exactly as they are, before anything is taken after them; where the question to it is another one, because the
 * package has a new version, it has to give all of them once more.
 *
 * The digests show damage and not forgery: who can write the store decides what its process believes of the past, as
 * the node does that it was read from.
 */
export class KeptEvents {
  readonly #scope: string;
  /** What the node has to give again, and how many of these it has. */
  #expected: readonly SuiEventTransaction[] = [];
  #confirmed = 0;
  #isScopeNew = false;
  #stored = 0;
  #head: Uint8Array = BEGINNING;
  #unsaved: KeptRecord[] = [];

  constructor(
    private readonly store: SuiEventStore,
    packageIds: readonly Hex32[],
  ) {
    this.#scope = packageIds.join(',');
  }

  /**
   * What was kept, in its order, and the checkpoint to read on from (null: from the beginning). Refuses
   * `CHAIN_EVENTS_BROKEN` for what is not as it was stored.
   */
  async load(): Promise<{ readonly kept: readonly SuiEventTransaction[]; readonly resumeAt: bigint | null }> {
    const { scope, records } = await ask(() => this.store.load());
    let head: Uint8Array = BEGINNING;
    const kept = records.map(({ record, chained }) => {
      head = chain(head, record);
      if (!equalBytes(head, chained)) throw broken('the kept events are damaged');
      return decode(record);
    });
    this.#stored = kept.length;
    this.#head = head;
    this.#isScopeNew = scope !== this.#scope;
    const resumeAt = this.#isScopeNew ? null : (kept.at(-1)?.checkpoint ?? null);
    this.#expected = resumeAt === null ? kept : kept.filter(({ checkpoint }) => checkpoint === resumeAt);
    return { kept, resumeAt };
  }

  /** Whether this is a kept one come again. Refuses `CHAIN_EVENTS_BROKEN` for another in its place. */
  confirms(transaction: SuiEventTransaction): boolean {
    const expected = this.#expected[this.#confirmed];
    if (expected === undefined) return false;
    if (!isSame(expected, transaction)) throw broken('the node tells another history than the one that was kept');
    this.#confirmed++;
    if (this.#confirmed === this.#expected.length) this.#forgetExpected();
    return true;
  }

  /**
   * Called at the end of what the node has. Refuses `CHAIN_EVENTS_BROKEN` where it has read past a kept transaction
   * and not given it, and `CHAIN_UNAVAILABLE` where it is not as far.
   */
  requireConfirmed(coveredCheckpoint: bigint | undefined): void {
    const missing = this.#expected[this.#confirmed];
    if (missing === undefined) return;
    if (coveredCheckpoint !== undefined && coveredCheckpoint >= missing.checkpoint) {
      throw broken('the node leaves out what was kept');
    }
    throw refuse('CHAIN_UNAVAILABLE', { chain: 'Sui', reason: 'the node is behind what was read before' });
  }

  #forgetExpected(): void {
    this.#expected = [];
    this.#confirmed = 0;
  }

  /** One more, to be kept at the next `save`. */
  add(transaction: SuiEventTransaction): void {
    const record = encode(transaction);
    this.#head = chain(this.#head, record);
    this.#unsaved.push({ record, chained: this.#head });
  }

  /** Keep what was added; what could not be kept now is tried again by the next. */
  async save(): Promise<void> {
    const records = this.#unsaved;
    if (this.#expected.length > 0 || (records.length === 0 && !this.#isScopeNew)) return;
    await ask(() => this.store.append(this.#scope, this.#stored, records));
    this.#stored += records.length;
    this.#unsaved = [];
    this.#isScopeNew = false;
  }
}

function decode(record: Uint8Array): SuiEventTransaction {
  try {
    return { ...layout.parse(record), indexInCheckpoint: null };
  } catch (cause) {
    throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'the kept events are damaged' }, cause);
  }
}

/** A store that is full or locked now may work later; nothing is given out before it is kept. */
async function ask<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof UsufructError) throw error;
    throw refuse('CHAIN_UNAVAILABLE', { chain: 'Sui', reason: 'the store of its events does not work' }, error);
  }
}
