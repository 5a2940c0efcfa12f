import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asAmount, toUsufructError } from '@usufruct/kernel';
import type { ChainEventData } from '@usufruct/protocol';
import { countingRandom, digestOf, TestClock, walletOf } from '../testing/world.js';
import { Store, type Execution } from './store.js';

const { address } = walletOf('alice');
const random = countingRandom('store');
const units = asAmount(5n);
const minted: ChainEventData = { type: 'Minted', to: address, amountUnits: units };
const execution = (name: string, changes: Partial<Execution> = {}): Execution => ({
  digest: digestOf(name),
  sender: address,
  atMs: new TestClock().nowMs(),
  changes: [
    { collection: 'supply', key: 'supply', parent: null, value: { mintedUnits: units } },
    { collection: 'balance', key: address, parent: null, value: { amountUnits: units } },
  ],
  events: [minted],
  error: null,
  ...changes,
});

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-'));
  path = join(folder, 'chain.sqlite');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What a hand in the file does between two runs. */
function tamper(sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}
function fill(): void {
  const store = new Store(path, random);
  store.commit(execution('first'));
  store.commit(execution('second', { changes: [] }));
  store.close();
}

describe('the store', () => {
  it('gets a random chain id once', () => {
    const first = new Store(path, random);
    first.close();
    const again = new Store(path, random);
    expect([again.chainId, /^local:[0-9a-f]{8}$/.test(again.chainId)]).toEqual([first.chainId, true]);
    again.close();
    expect(new Store(':memory:', random).chainId).not.toBe(first.chainId);
  });

  it('keeps all of a transaction or nothing', () => {
    const store = new Store(path, random);
    store.commit(execution('first'));
    // The second statement of this one fails: its digest is taken.
    expect(() => store.commit(execution('first'))).toThrow();
    expect([store.lastSeq, store.events(0, 10, 10_000).length]).toEqual([1, 1]);
    const other = execution('second', { events: [minted, { type: 'Minted' } as never, null as never] });
    expect(() => store.commit({ ...other, sender: null as never })).toThrow();
    expect([store.lastSeq, store.outcome(digestOf('second'))]).toEqual([1, undefined]);
    store.commit(execution('second'));
    expect(store.lastSeq).toBe(2);
    store.close();
  });

  it('keeps no change of a transaction that failed', () => {
    const store = new Store(path, random);
    const error = { code: 'NOT_FOUND', details: {} };
    expect(() => store.commit(execution('first', { error }))).toThrow('a failure does nothing');
    store.close();
  });

  it('cuts a page by its size, but never to nothing', () => {
    const store = new Store(path, random);
    store.commit(execution('first', { events: [minted, minted, minted] }));
    const [text] = store.events(0, 10, 10 ** 6) as [string];
    expect(store.events(0, 10, 1)).toHaveLength(1);
    expect(store.events(0, 10, 2 * text.length)).toHaveLength(2);
    expect(store.events(0, 2, 10 ** 6)).toHaveLength(2);
    store.close();
  });

  it('refuses a file in use', () => {
    const store = new Store(path, random);
    expect(codeOf(() => new Store(path, random))).toBe('CONFIG_INVALID');
    store.close();
  });

  it('refuses a store of another version', () => {
    fill();
    tamper('PRAGMA user_version = 1');
    const open = () => new Store(path, random);
    let refused: unknown;
    try {
      open();
    } catch (error) {
      refused = error;
    }
    expect(toUsufructError(refused)).toMatchObject({
      code: 'CONFIG_INVALID',
      details: {
        setting: 'DATA_DIR',
        reason: expect.stringContaining('written as version 1, and this is version 2'),
        remedy: expect.stringContaining('empty folder'),
      },
    });
    // And lets go of the file.
    tamper('PRAGMA user_version = 2');
    open().close();
  });

  it.each([
    ['a gap in the events', 'DELETE FROM events WHERE seq = 1', 'events have no gap'],
    [
      'a balance that was raised',
      `UPDATE objects SET value = '{"amountUnits":"6"}' WHERE collection = 'balance'`,
      'minted',
    ],
    ['a balance that is gone', `DELETE FROM objects WHERE collection = 'balance'`, 'minted'],
  ])('does not open with %s', (_name, sql, message) => {
    fill();
    tamper(sql);
    expect(() => new Store(path, random)).toThrow(message);
    // And lets go of the file.
    tamper('SELECT 1');
  });
});

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'ok';
  } catch (error) {
    return toUsufructError(error).code;
  }
}
