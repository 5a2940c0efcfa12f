import { requireNext, type Chain } from '@usufruct/chain';
import { refuse, toHex32, type Address, type Digest, type Logger, type UsufructError } from '@usufruct/kernel';
import { LIMITS, type ChainEvent } from '@usufruct/protocol';

/** A state of a log: what the chain keeps of it. */
interface LogState {
  readonly treeSize: number;
  readonly rootHash: Digest;
}
/** The tree as this process has it. */
export interface OwnTree {
  readonly size: number;
  /** Of the first so many entries, at most `size`. */
  root(treeSize: number): Uint8Array;
}

interface CaughtUpParts {
  readonly chain: Chain;
  /** Who anchors this holder's heads: nobody else can send them in its name. */
  readonly operator: Address;
  readonly tree: OwnTree;
  readonly logger: Logger;
  /** Is told every event, once. */
  readonly onEvent?: (event: ChainEvent) => void;
}

/**
 * Whether the log is still the one that this holder has put on the chain. One that was restored from an old backup is
 * shorter, or went on otherwise: with it the holder would sign a second history, and would not know what it released.
 * So nothing is released, leased or countersigned with it, nothing is added to it, and none of its heads is anchored.
 *
 * Every head that the operator anchored is compared once, for whatever set, because there is one log for all of them.
 * What was logged after the newest anchor that this holder's node shows, and is missing, is not seen by this.
 */
export class CaughtUp {
  #after = 0;
  #latestMs = 0;
  #flaw: UsufructError | null = null;
  #reading: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(private readonly parts: CaughtUpParts) {}

  /**
   * Reads what the chain has added since the last time, one page when nothing is new. Refuses `LOG_BEHIND`, for as long
   * as this process lives (its tree cannot get back what it lost), `CHAIN_UNAVAILABLE`, `CHAIN_EVENTS_BROKEN`.
   */
  async require(): Promise<void> {
    // A reading that is under way may be older than what who asks now was told; the one after it serves all who wait.
    this.#next ??= this.#readNext();
    await this.#next;
    if (this.#flaw !== null) throw this.#flaw;
  }

  /** How far the chain is that this holder's node shows, by its own clock. Refuses what `require` refuses. */
  async latestEventMs(): Promise<number> {
    await this.require();
    return this.#latestMs;
  }

  async #readNext(): Promise<void> {
    await this.#reading.catch(() => undefined);
    this.#next = null;
    this.#reading = this.#read();
    await this.#reading;
  }

  async #read(): Promise<void> {
    if (this.#flaw !== null) return;
    const { chain } = this.parts;
    for (;;) {
      const events = await chain.events(this.#after, { limit: LIMITS.eventsPage });
      // A chain may cut a page short, so only an empty one is the last for sure.
      if (events.length === 0) return;
      requireNext(events, this.#after);
      for (const event of events) {
        this.parts.onEvent?.(event);
        this.#compare(event);
        this.#latestMs = Math.max(this.#latestMs, event.atMs);
      }
      this.#after += events.length;
    }
  }

  #compare({ data, sender }: ChainEvent): void {
    const { operator, tree, logger } = this.parts;
    if (this.#flaw !== null || data.type !== 'TreeHeadAnchored' || sender !== operator) return;
    const reason = flawOf(tree, data);
    if (reason === null) return;
    const details = { reason, anchored: String(data.treeSize), here: String(tree.size) };
    this.#flaw = refuse('LOG_BEHIND', details);
    logger.error('log.behind', details);
  }
}

function flawOf(tree: OwnTree, { treeSize, rootHash }: LogState): string | null {
  if (treeSize > tree.size) return 'the chain has a longer log of this holder';
  if (toHex32<Digest>(tree.root(treeSize)) !== rootHash) return 'the chain has another log of this holder';
  return null;
}
