import { DatabaseSync } from 'node:sqlite';
import { expect, it } from '@jest/globals';
import { asTimestampMs, toHex32, type DaoId, type Digest, type EpochId } from '@usufruct/kernel';
import { LATE_EPOCH_SCHEMA, LateEpochStore, type LateEpoch } from './late-epoch-store.js';

const id = <T extends Digest | DaoId | EpochId>(n: number): T => toHex32(new Uint8Array(32).fill(n)) as string as T;
const epoch = (n: number, storedAtMs = n): LateEpoch => ({
  id: id<EpochId>(n),
  daoId: id<DaoId>(1),
  statement: Uint8Array.of(n),
  settlerSignature: Uint8Array.of(n, n),
  chainBefore: id<Digest>(7),
  receiptDigests: [id<Digest>(8), id<Digest>(9)],
  storedAtMs: asTimestampMs(storedAtMs),
  seeds: ['first', 'second'].map((holderKey) => ({ holderKey, sealedSeed: Uint8Array.of(n, 3) })),
});
function opened(most?: number): LateEpochStore {
  const database = new DatabaseSync(':memory:');
  database.exec(LATE_EPOCH_SCHEMA);
  return new LateEpochStore(database, most);
}
const of = (store: LateEpochStore) => store.of(id<DaoId>(1));
const NEW = { tries: 0, nextAtMs: 0 };

it('gives back what was kept, once, with how often it was tried', () => {
  const store = opened();
  store.add(epoch(3));
  store.postpone(id<EpochId>(3), 'second', asTimestampMs(99));
  store.add(epoch(3));
  const { seeds, ...rest } = epoch(3);
  const [first, second] = seeds;
  expect(of(store)).toEqual([
    {
      ...rest,
      seeds: [
        { ...first, ...NEW },
        { ...second, tries: 1, nextAtMs: 99 },
      ],
    },
  ]);
  expect(store.of(id<DaoId>(2))).toEqual([]);
});

it('forgets an epoch with the last holder that waits for it', () => {
  const store = opened();
  for (const n of [3, 4]) store.add(epoch(n));
  store.dropSeed(id<EpochId>(3), 'first');
  expect(of(store).map(({ seeds }) => seeds.length)).toEqual([1, 2]);
  store.dropSeed(id<EpochId>(3), 'second');
  store.dropSeed(id<EpochId>(3), 'second');
  expect(of(store).map((one) => one.id)).toEqual([id(4)]);
  store.drop(id<EpochId>(4));
  store.add(epoch(4));
  expect(of(store)[0]!.seeds).toMatchObject([NEW, NEW]);
});

it('keeps so many, and the newest of them', () => {
  const store = opened(2);
  for (const [n, atMs] of [
    [5, 10],
    [6, 30],
    [7, 20],
    [8, 5],
  ] as const)
    store.add(epoch(n, atMs));
  expect(of(store).map((one) => one.id)).toEqual([id(7), id(6)]);
});
