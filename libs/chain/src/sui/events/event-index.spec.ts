import { describe, expect, it } from '@jest/globals';
import {
  asTimestampMs,
  toUsufructError,
  type Address,
  type DaoId,
  type Digest,
  type Hex32,
  type HolderSetId,
} from '@usufruct/kernel';
import { EVENT_LAYOUTS } from '../layout/events.js';
import { EventIndex } from './event-index.js';
import type { SuiEvent, SuiEventSource, SuiEventTransaction } from './event-source.js';

const id = <T extends Hex32>(n: number): T => `0x${n.toString(16).padStart(64, '0')}` as T;
const COIN = `${id(0xc0)}::usd::USD`;
const PACKAGE = id<Hex32>(0xaa);

const event = (name: string, bytes: Uint8Array): SuiEvent => ({
  sender: id<Address>(7),
  name: `events::${name}`,
  bytes,
});
const opened = event(
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
/** Timelock `n` over the right to upgrade a package, and what happens to it. */
const upgrade = (name: string, bytes: Uint8Array): SuiEvent => ({
  ...event(name, bytes),
  name: `upgrade_events::${name}`,
});
const locked = (n: number, packageId: Hex32): SuiEvent => {
  const value = { timelock: id(n), package: packageId, version: 1, delay_ms: 604_800_000 };
  return upgrade('UpgradesLocked', EVENT_LAYOUTS.UpgradesLocked.bcs.serialize(value).toBytes());
};
const announced = (n: number): SuiEvent => {
  const times = { ready_at_ms: asTimestampMs(604_801_000), lapses_at_ms: asTimestampMs(3_196_801_000) };
  const value = { timelock: id(n), digest: new Uint8Array(32).fill(0xd1), ...times };
  return upgrade('UpgradeAnnounced', EVENT_LAYOUTS.UpgradeAnnounced.bcs.serialize(value).toBytes());
};
const paused = (dao: number): SuiEvent =>
  event('DaoPaused', EVENT_LAYOUTS.DaoPaused.bcs.serialize({ dao_id: id<DaoId>(dao) }).toBytes());

/** Transaction `n` in checkpoint `checkpoint`, by default the only one in checkpoint `n`. */
const transaction = (n: number, events: SuiEvent[], checkpoint = n, indexInCheckpoint = 0n): SuiEventTransaction => ({
  checkpoint: BigInt(checkpoint),
  indexInCheckpoint,
  digest: id<Digest>(0x1000 + n),
  atMs: asTimestampMs(1_000 * n),
  events,
});
const START = transaction(1, [opened]);

/** Pages of one transaction each. */
const sourceOf = (transactions: readonly SuiEventTransaction[]): SuiEventSource => ({
  page: async (after) => {
    const next = after === null ? 0 : Number(after);
    const found = transactions.slice(next, next + 1);
    return {
      transactions: found,
      cursor: found.length === 0 ? after : String(next + 1),
      more: next + 1 < transactions.length,
    };
  },
});
const indexOf = (...transactions: SuiEventTransaction[]) => new EventIndex(sourceOf(transactions), COIN, [PACKAGE]);
const outcome = async (index: EventIndex): Promise<string> => {
  try {
    await index.sync();
    return index
      .after(0, 100)
      .map(({ seq, data }) => `${seq} ${data.type}`)
      .join(', ');
  } catch (error) {
    const { code, details } = toUsufructError(error);
    return `${code}: ${details['reason']}`;
  }
};

describe('the index of events', () => {
  it('numbers from 1 what the protocol knows, and keeps the rest to itself', async () => {
    const index = indexOf(START, transaction(2, [holderSet(3), holderSet(4)]), transaction(3, [holderSet(5)], 2, 1n));
    expect(await outcome(index)).toBe('1 HolderSetCreated, 2 HolderSetCreated, 3 HolderSetCreated');
    expect(index.after(2, 1).map(({ seq, atMs }) => [seq, atMs])).toEqual([[3, 3_000]]);
    expect(index.ofTransaction(id<Digest>(0x1002))?.map(({ seq }) => seq)).toEqual([1, 2]);
    expect([index.ofTransaction(START.digest), index.ofTransaction(id<Digest>(9))]).toEqual([[], null]);
    expect(index.objects.holderSets.find(id<HolderSetId>(4)).object).toBe(id(4));
  });

  it.each<[string, SuiEventTransaction[], string]>([
    [
      'checkpoints out of order',
      [START, transaction(2, [holderSet(3)], 9), transaction(3, [holderSet(4)], 8)],
      'a checkpoint comes after a later one',
    ],
    [
      'transactions of one checkpoint out of order',
      [START, transaction(2, [holderSet(3)], 9, 5n), transaction(3, [holderSet(4)], 9, 4n)],
      'transactions of a checkpoint are out of order',
    ],
    [
      'a transaction that comes again later',
      [START, transaction(2, [holderSet(3)]), transaction(2, [holderSet(3)], 9)],
      'a transaction comes twice',
    ],
    ['an event of something never created', [START, transaction(2, [paused(3)])], 'an event of an unknown dao'],
    [
      'a history without its beginning',
      [transaction(2, [paused(3)])],
      'the history begins after the registry was opened',
    ],
    [
      'the same object twice',
      [START, transaction(2, [holderSet(3)]), transaction(3, [holderSet(3)])],
      'the same holder set twice',
    ],
    [
      'an upgrade whose timelock was never seen',
      [START, transaction(2, [announced(3)])],
      'an event of an unknown upgrade timelock',
    ],
    [
      'an event of a later version',
      [START, transaction(2, [event('Reinvented', new Uint8Array(32))])],
      'an event that is not known: events::Reinvented',
    ],
    [
      'an event of another shape',
      [START, transaction(2, [event('DaoPaused', new Uint8Array(33))])],
      'an event of another shape: DaoPaused',
    ],
  ])('refuses %s, and goes on refusing', async (_name, transactions, reason) => {
    const index = indexOf(...transactions);
    expect(await outcome(index)).toBe(`CHAIN_EVENTS_BROKEN: ${reason}`);
    expect(await outcome(index)).toBe(`CHAIN_EVENTS_BROKEN: ${reason}`);
  });

  it('tells of upgrades of our package, and of no other that somebody locked up', async () => {
    const index = indexOf(
      START,
      transaction(2, [locked(3, id(0xbb)), locked(4, PACKAGE)]),
      transaction(3, [announced(3), announced(4)]),
    );
    expect(await outcome(index)).toBe('1 UpgradesLocked, 2 UpgradeAnnounced');
    expect(index.after(0, 9).map(({ data }) => data)).toEqual([
      { type: 'UpgradesLocked', timelockId: id(4), packageId: PACKAGE, version: 1, delayMs: 604_800_000 },
      {
        type: 'UpgradeAnnounced',
        timelockId: id(4),
        digest: `0x${'d1'.repeat(32)}`,
        readyAtMs: 604_801_000,
        lapsesAtMs: 3_196_801_000,
      },
    ]);
  });

  it('asks again where the chain was away, and misses nothing', async () => {
    const good = sourceOf([START, transaction(2, [holderSet(3)])]);
    let failures = 1;
    const index = new EventIndex(
      {
        page: async (after) => {
          if (after === '1' && failures-- > 0) throw new Error('the node is gone');
          return good.page(after);
        },
      },
      COIN,
      [PACKAGE],
    );
    await expect(index.sync()).rejects.toThrow('the node is gone');
    expect(await outcome(index)).toBe('1 HolderSetCreated');
  });

  it('counts each event once when several ask at a time', async () => {
    const index = indexOf(START, transaction(2, [holderSet(3)]));
    await Promise.all([index.sync(), index.sync(), index.sync()]);
    expect(index.after(0, 10)).toHaveLength(1);
  });
});
