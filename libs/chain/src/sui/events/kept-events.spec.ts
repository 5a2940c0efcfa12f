import { beforeEach, describe, expect, it } from '@jest/globals';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  asTimestampMs,
  concatBytes,
  equalBytes,
  refuse,
  toUsufructError,
  type Address,
  type DaoId,
  type Digest,
  type Hex32,
  type HolderSetId,
} from '@usufruct/kernel';
import fc from 'fast-check';
import { EVENT_LAYOUTS } from '../layout/events.js';
import { EventIndex } from './event-index.js';
import type { SuiEvent, SuiEventPage, SuiEventTransaction } from './event-source.js';
import type { KeptRecord, SuiEventStore } from './event-store.js';

const id = <T extends Hex32>(n: number): T => `0x${n.toString(16).padStart(64, '0')}` as T;
const COIN = `${id(0xc0)}::usd::USD`;
const [PACKAGE, UPGRADED] = [id<Hex32>(0xaa), id<Hex32>(0xab)];

const event = (name: string, bytes: Uint8Array): SuiEvent => ({
  sender: id<Address>(7),
  name: `events::${name}`,
  bytes,
});
const OPENED = event(
  'RegistryOpened',
  EVENT_LAYOUTS.RegistryOpened.bcs
    .serialize({ object: id(1), chain_id: 'sui:x', protocol_account: id<Address>(2) })
    .toBytes(),
);
const holderSet = (n: number): SuiEvent => {
  const members = { operators: [], signing_public_keys: [], sealing_public_keys: [] };
  const value = { object: id(n), holder_set_id: id<HolderSetId>(n), ...members, threshold: 1 };
  return event('HolderSetCreated', EVENT_LAYOUTS.HolderSetCreated.bcs.serialize(value).toBytes());
};
const paused = event('DaoPaused', EVENT_LAYOUTS.DaoPaused.bcs.serialize({ dao_id: id<DaoId>(9) }).toBytes());
/** Transaction `n` makes holder set `n`; by default it is alone in checkpoint `n`. */
const transaction = (n: number, checkpoint = n, indexInCheckpoint: bigint | null = 0n): SuiEventTransaction => ({
  checkpoint: BigInt(checkpoint),
  indexInCheckpoint,
  digest: id<Digest>(0x1000 + n),
  atMs: asTimestampMs(1_000 * n),
  events: [n === 1 ? OPENED : holderSet(n)],
});
const ledgerOf = (length: number): SuiEventTransaction[] => Array.from({ length }, (_, i) => transaction(i + 1));

/** A full node: pages of a few transactions, from a cursor or a checkpoint on. */
class Node {
  readonly asked: (bigint | string | null)[] = [];
  tip = Infinity;
  breaksOff = 0;
  constructor(
    public ledger: readonly SuiEventTransaction[],
    private readonly pageSize = 2,
  ) {}

  async page(after: string | null, fromCheckpoint?: bigint | null): Promise<SuiEventPage> {
    this.asked.push(after ?? fromCheckpoint ?? null);
    const known = this.ledger.filter(({ checkpoint }) => checkpoint <= this.tip);
    // A cursor and a checkpoint bound together: what comes is after the one and not before the other.
    const before = known.filter(({ checkpoint }) => checkpoint < (fromCheckpoint ?? 0n)).length;
    const from = Math.max(Number(after ?? 0), before);
    const transactions = known.slice(from, from + this.pageSize);
    if (this.breaksOff-- > 0) throw refuse('CHAIN_UNAVAILABLE', { reason: 'a list of transactions broke off' });
    const next = from + transactions.length;
    const more = next < known.length;
    const covered = more ? transactions.at(-1)!.checkpoint - 1n : (known.at(-1)?.checkpoint ?? 0n);
    return { transactions, cursor: String(next), more, coveredCheckpoint: covered };
  }
}

/** As the store of a process does it, in memory, where a test can reach what is kept. */
class MemoryStore implements SuiEventStore {
  scope: string | null = null;
  records: KeptRecord[] = [];
  isFull = false;
  load = async () => ({ scope: this.scope, records: [...this.records] });
  append = async (scope: string, after: number, records: readonly KeptRecord[]) => {
    if (this.isFull) throw new Error('no space left');
    expect(after).toBeLessThanOrEqual(this.records.length);
    for (const [i, one] of records.entries()) {
      const known = this.records[after + i];
      if (known === undefined) this.records.push(one);
      else if (!equalBytes(known.chained, one.chained)) throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'another' });
    }
    this.scope = scope;
  };
}

let store: MemoryStore;
beforeEach(() => {
  store = new MemoryStore();
});
/** A process of this party: it knows what is in the store and nothing else. */
const started = (node: Node, packageIds = [PACKAGE]) => new EventIndex(node, COIN, packageIds, store);
const outcome = async (index: EventIndex): Promise<string> => {
  try {
    await index.sync();
    return index
      .after(0, 100)
      .map(({ seq, transaction: digest }) => `${seq}:${Number(BigInt(digest)) - 0x1000}`)
      .join(' ');
  } catch (error) {
    const { code, details } = toUsufructError(error);
    return `${code}: ${details['reason']}`;
  }
};
const ALL_OF_FIVE = '1:2 2:3 3:4 4:5';

describe('events over a restart', () => {
  it('go on where they were, with the numbers that they had, and read only what is new', async () => {
    expect(await outcome(started(new Node(ledgerOf(3))))).toBe('1:2 2:3');
    const node = new Node(ledgerOf(5));
    expect(await outcome(started(node))).toBe(ALL_OF_FIVE);
    expect(node.asked).toEqual([3n, '4']);
    expect(store.records).toHaveLength(5);
  });

  it('take what came after within the last checkpoint', async () => {
    const ledger = [transaction(1), transaction(2, 5, 0n), transaction(3, 5, 1n), transaction(4, 5, 2n)];
    expect(await outcome(started(new Node(ledger.slice(0, 3))))).toBe('1:2 2:3');
    expect(await outcome(started(new Node(ledger)))).toBe('1:2 2:3 3:4');
  });

  it('are the same from a node that does not say places in a checkpoint', async () => {
    await outcome(started(new Node(ledgerOf(3))));
    const terse = ledgerOf(5).map((each) => ({ ...each, indexInCheckpoint: null }));
    expect(await outcome(started(new Node(terse)))).toBe(ALL_OF_FIVE);
  });

  it('are kept once by processes of which one has such a node and the other has not', async () => {
    const terse = ledgerOf(5).map((each) => ({ ...each, indexInCheckpoint: null }));
    const [one, other] = [new Node(ledgerOf(3)), new Node(terse.slice(0, 3))];
    const indexes = [started(one), started(other)];
    expect(await Promise.all(indexes.map(outcome))).toEqual(['1:2 2:3', '1:2 2:3']);
    expect(await outcome(started(new Node(ledgerOf(5))))).toBe(ALL_OF_FIVE);
    expect(store.records).toHaveLength(5);
  });

  it('wait for a node that is behind, and then go on', async () => {
    await outcome(started(new Node(ledgerOf(4))));
    const node = new Node(ledgerOf(5), 1);
    node.tip = 2;
    const index = started(node);
    expect(await outcome(index)).toBe('CHAIN_UNAVAILABLE: the node is behind what was read before');
    node.tip = 5;
    expect(await outcome(index)).toBe(ALL_OF_FIVE);
    expect(store.records).toHaveLength(5);
  });

  it('are asked for again where a page broke off, and kept once', async () => {
    await outcome(started(new Node(ledgerOf(2))));
    const node = new Node(ledgerOf(5));
    const index = started(node);
    node.breaksOff = 1;
    expect(await outcome(index)).toBe('CHAIN_UNAVAILABLE: a list of transactions broke off');
    expect(await outcome(index)).toBe(ALL_OF_FIVE);
    expect(store.records).toHaveLength(5);
  });

  it('are not given out before they are kept, and miss nothing once they can be', async () => {
    store.isFull = true;
    const index = started(new Node(ledgerOf(5)));
    expect(await outcome(index)).toBe('CHAIN_UNAVAILABLE: the store of its events does not work');
    store.isFull = false;
    expect(await outcome(index)).toBe(ALL_OF_FIVE);
    expect(await outcome(started(new Node(ledgerOf(5))))).toBe(ALL_OF_FIVE);
  });

  it('are read again where the last ones were lost, and come to the same numbers', async () => {
    await outcome(started(new Node(ledgerOf(5))));
    store.records.splice(3);
    expect(await outcome(started(new Node(ledgerOf(5))))).toBe(ALL_OF_FIVE);
  });

  it('are what one reading gives, however often and wherever it is stopped', async () => {
    const stops = fc.array(
      fc.record({ tip: fc.integer({ min: 1, max: 12 }), pageSize: fc.integer({ min: 1, max: 5 }) }),
    );
    const places = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 12, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(places, stops, async (steps, restarts) => {
        store = new MemoryStore();
        let checkpoint = 1;
        const ledger = steps.map((step, i) => transaction(i + 1, (checkpoint += i === 0 ? 0 : step), BigInt(i)));
        const whole = await outcome(new EventIndex(new Node(ledger), COIN, [PACKAGE]));
        for (const { tip, pageSize } of restarts) await outcome(started(new Node(ledger.slice(0, tip), pageSize)));
        expect(await outcome(started(new Node(ledger)))).toBe(whole);
      }),
      { numRuns: 60, seed: 3 },
    );
  });
});

describe('events after a restart are refused', () => {
  const REPLACED = { ...transaction(3), digest: id<Digest>(0x2000) };
  it.each<[string, SuiEventTransaction[], string]>([
    [
      'where the node leaves out what was kept',
      [...ledgerOf(2), transaction(4)],
      'the node tells another history than the one that was kept',
    ],
    [
      'where the node has nothing at that place',
      ledgerOf(2).concat({ ...transaction(3), checkpoint: 2n }),
      'the node leaves out what was kept',
    ],
    [
      'where another transaction is at the place of a kept one',
      [...ledgerOf(2), REPLACED],
      'the node tells another history than the one that was kept',
    ],
    [
      'where a kept transaction has other events',
      [...ledgerOf(2), { ...transaction(3), events: [holderSet(8)] }],
      'the node tells another history than the one that was kept',
    ],
    [
      'where the node gives one twice',
      [...ledgerOf(3), transaction(4), transaction(4)],
      'transactions of a checkpoint are out of order',
    ],
    [
      'where one comes before a kept one of its checkpoint',
      [transaction(1), transaction(2), transaction(3, 3, 1n), transaction(4, 3, 0n)],
      'transactions of a checkpoint are out of order',
    ],
    [
      'where the node gives an old one again',
      [...ledgerOf(4), { ...transaction(2), checkpoint: 5n }],
      'a transaction comes twice',
    ],
    [
      'where a page was lost and an event shows it',
      [...ledgerOf(3), { ...transaction(5), events: [paused] }],
      'an event of an unknown dao',
    ],
  ])('%s', async (_name, ledger, reason) => {
    expect(await outcome(started(new Node(ledgerOf(3))))).toBe('1:2 2:3');
    const node = new Node(ledger);
    node.tip = 9;
    const index = started(node);
    // The second node covers checkpoint 3 even where it has nothing in it.
    const page = node.page.bind(node);
    node.page = async (...asked) => ({ ...(await page(...asked)), coveredCheckpoint: 9n });
    const refusal = `CHAIN_EVENTS_BROKEN: ${reason}`;
    expect(await outcome(index)).toBe(refusal);
    expect(await outcome(index)).toBe(refusal);
    // Nothing of it was kept: with a good node the next process goes on.
    expect(await outcome(started(new Node(ledgerOf(5))))).toBe(ALL_OF_FIVE);
  });

  const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte));
  it.each<[string, (records: KeptRecord[]) => KeptRecord[]]>([
    [
      'a changed byte',
      (records) => records.map((each, i) => (i === 1 ? { ...each, record: flipped(each.record) } : each)),
    ],
    ['a lost record', (records) => records.toSpliced(1, 1)],
    ['a lost beginning', (records) => records.slice(1)],
    ['two records in the wrong order', (records) => [records[0]!, records[2]!, records[1]!]],
    ['a record that comes twice', (records) => [...records, records[2]!]],
    ['a record that is none', (records) => [...records, recordAfter(records[2]!, Uint8Array.of(1, 2, 3))]],
    ['a record that goes back', (records) => [...records, recordAfter(records[2]!, records[0]!.record)]],
  ])('where the store has %s, and it is left as it is', async (_name, damage) => {
    await outcome(started(new Node(ledgerOf(3))));
    store.records = damage(store.records);
    const before = [...store.records];
    const node = new Node(ledgerOf(5));
    const index = started(node);
    expect(await outcome(index)).toMatch(/^CHAIN_EVENTS_BROKEN: /);
    expect(await outcome(index)).toMatch(/^CHAIN_EVENTS_BROKEN: /);
    expect(index.after(2, 9)).toEqual([]);
    expect(node.asked).toEqual([]);
    expect(store.records).toEqual(before);
  });
});

/** What a program that knows the rule would write. */
const recordAfter = (before: KeptRecord, record: Uint8Array): KeptRecord => ({
  record,
  chained: sha256(concatBytes(before.chained, record)),
});

describe('events of a new version of the package', () => {
  it('are read from the beginning once, and moved by nothing', async () => {
    await outcome(started(new Node(ledgerOf(3))));
    const node = new Node(ledgerOf(5));
    expect(await outcome(started(node, [PACKAGE, UPGRADED]))).toBe(ALL_OF_FIVE);
    expect(node.asked[0]).toBe(null);
    const next = new Node(ledgerOf(5));
    expect(await outcome(started(next, [PACKAGE, UPGRADED]))).toBe(ALL_OF_FIVE);
    expect(next.asked).toEqual([5n]);
  });

  it('are refused where one of them lies between those that have their numbers', async () => {
    await outcome(started(new Node(ledgerOf(3))));
    const ledger = [transaction(1), transaction(6, 1, 1n), transaction(2), transaction(3)];
    expect(await outcome(started(new Node(ledger), [PACKAGE, UPGRADED]))).toBe(
      'CHAIN_EVENTS_BROKEN: the node tells another history than the one that was kept',
    );
  });

  it('are read from the beginning again where the first reading did not come to its end', async () => {
    await outcome(started(new Node(ledgerOf(4))));
    const behind = new Node(ledgerOf(2), 1);
    expect(await outcome(started(behind, [PACKAGE, UPGRADED]))).toMatch(/^CHAIN_UNAVAILABLE/);
    const node = new Node(ledgerOf(5));
    expect(await outcome(started(node, [PACKAGE, UPGRADED]))).toBe(ALL_OF_FIVE);
    expect(node.asked[0]).toBe(null);
  });
});
