import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { UsufructError, type Address, type Clock, type Hex32, type TimestampMs } from '@usufruct/kernel';
import { DOCUMENTED_PRICES } from '../cost/index.js';
import type { LocalStoreConfig } from './config.js';
import { LocalStore, type LeaseRequest } from './local-store.js';

const EPOCH_MS = 1_000;
const ALICE = `0x${'a1'.repeat(32)}` as Address;
const BOB = `0x${'b0'.repeat(32)}` as Address;

let folder: string;
let nowMs: number;
let store: LocalStore;
const clock: Clock = { nowMs: () => nowMs as TimestampMs };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'usufruct-leases-spec-'));
  nowMs = 100 * EPOCH_MS;
  store = await open();
});
afterEach(async () => {
  store.close();
  await rm(folder, { recursive: true, force: true });
});

const open = (extra: Partial<LocalStoreConfig> = {}): Promise<LocalStore> =>
  LocalStore.open(
    {
      host: '127.0.0.1',
      port: 0,
      dataDir: folder,
      shards: 7,
      epochMs: EPOCH_MS,
      maxBlobBytes: 100_000,
      allowedOrigins: [],
      quotaBytes: null,
      prices: DOCUMENTED_PRICES,
      ...extra,
    },
    clock,
  );
async function reopen(extra: Partial<LocalStoreConfig> = {}): Promise<void> {
  store.close();
  store = await open(extra);
}
const ask = (extra: Partial<LeaseRequest> = {}): LeaseRequest => ({
  epochs: 5,
  deletable: true,
  owner: ALICE,
  force: false,
  ...extra,
});
const some = (sizeBytes = 1_000): Uint8Array => new Uint8Array(randomBytes(sizeBytes));
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );
const files = async (): Promise<string[]> =>
  (await readdir(join(folder, 'blobs'), { recursive: true })).filter((name) => name.endsWith('.blob'));

describe('leases', () => {
  it('of one blob are several, of several owners; the blob is there as long as one of them', async () => {
    const bytes = some();
    const { lease: alices } = await store.put(bytes, ask({ epochs: 2 }));
    const { lease: bobs } = await store.put(bytes, ask({ epochs: 9, owner: BOB }));
    const { lease: nobodys } = await store.put(bytes, ask({ epochs: 4, owner: null }));
    expect([alices, bobs, nobodys].map(({ endEpoch }) => endEpoch)).toEqual([102, 109, 104]);
    expect(new Set([alices, bobs, nobodys].map(({ objectId }) => objectId)).size).toBe(3);
    expect(nobodys.owner).toBe(store.publisher);
    expect(await files()).toHaveLength(1);
    const { blobId } = alices;
    await store.delete(bobs.objectId, BOB);
    expect(store.find(blobId)?.lease.endEpoch).toBe(104);
    await store.delete(nobodys.objectId, store.publisher);
    const found = store.find(blobId);
    expect(found?.lease).toEqual(alices);
    expect(await store.read(blobId, found!.record)).toEqual(bytes);
    await store.delete(alices.objectId, ALICE);
    expect(store.find(blobId)).toBeNull();
    expect(await files()).toEqual([]);
  });

  it('that are deletable serve their owner alone: the publisher asked twice finds its own', async () => {
    const bytes = some();
    const asked = { epochs: 9, deletable: true, owner: null, force: false };
    const first = await store.put(bytes, asked);
    expect(await store.put(bytes, asked)).toEqual({ lease: first.lease, costFrost: null });
    expect(await store.put(bytes, { ...asked, epochs: 5 })).toEqual({ lease: first.lease, costFrost: null });
    for (const other of [{ owner: BOB }, { epochs: 10 }, { deletable: false }, { force: true }])
      expect((await store.put(bytes, { ...asked, ...other })).lease.objectId).not.toBe(first.lease.objectId);
  });

  it('that are permanent serve whoever wants no more; a deletable one serves nobody else', async () => {
    const bytes = some();
    await store.put(bytes, ask({ epochs: 20 }));
    const first = await store.put(bytes, ask({ deletable: false, epochs: 9 }));
    expect(first.costFrost).not.toBeNull();
    const shorter = await store.put(bytes, ask({ deletable: false, epochs: 9, owner: BOB }));
    expect(shorter).toEqual({ lease: first.lease, costFrost: null });
    const longer = await store.put(bytes, ask({ deletable: false, epochs: 10, owner: BOB }));
    expect(longer.lease).toMatchObject({ owner: BOB, endEpoch: 110 });
    const forced = await store.put(bytes, ask({ deletable: false, epochs: 1, owner: BOB, force: true }));
    expect(forced.lease).toMatchObject({ owner: BOB, endEpoch: 101 });
  });

  it('end: reads refuse at once, the room comes back with the sweep, and the object is gone with it', async () => {
    const { lease } = await store.put(some(), ask({ epochs: 2 }));
    nowMs += 2 * EPOCH_MS - 1;
    expect(store.find(lease.blobId)).not.toBeNull();
    expect(await store.sweep()).toBe(0);
    nowMs += 1;
    expect(store.find(lease.blobId)).toBeNull();
    expect(await codeOf(store.extend(lease.objectId, ALICE, 110))).toBe('NOT_FOUND');
    expect(await codeOf(store.delete(lease.objectId, ALICE))).toBe('NOT_FOUND');
    expect(store.lease(lease.objectId)).toEqual(lease);
    expect(store.describe()).toMatchObject({ blobs: 1, storedBytes: 1_000 });
    expect(await store.sweep()).toBe(1);
    expect(await files()).toEqual([]);
    expect(store.lease(lease.objectId)).toBeNull();
    expect(store.describe()).toMatchObject({ blobs: 0, leases: 0, storedBytes: 0 });
  });

  it('that ended go with the sweep while others keep the blob', async () => {
    const bytes = some();
    const { lease: short } = await store.put(bytes, ask({ epochs: 1 }));
    const { lease: long } = await store.put(bytes, ask({ epochs: 3 }));
    expect(await store.advance(1)).toBe(101);
    expect(store.lease(short.objectId)).toBeNull();
    expect(store.find(long.blobId)?.lease).toEqual(long);
  });

  it('are made longer by their owner, until an epoch, so that asking twice buys once', async () => {
    const { lease } = await store.put(some(), ask({ epochs: 5, deletable: false }));
    // 7 shards: 7 × (2 × ⌈⌈1,000 / 15⌉ / 2⌉ × 8 + 7 × 64 + 32) bytes, which is one unit; 4 × 100,000 FROST.
    expect(await store.extend(lease.objectId, ALICE, 109)).toMatchObject({
      lease: { endEpoch: 109 },
      costFrost: 400_000n,
    });
    expect(await store.extend(lease.objectId, ALICE, 109)).toMatchObject({ lease: { endEpoch: 109 }, costFrost: 0n });
    expect(await store.extend(lease.objectId, ALICE, 90)).toMatchObject({ lease: { endEpoch: 109 }, costFrost: 0n });
    expect(await codeOf(store.extend(lease.objectId, BOB, 120))).toBe('FORBIDDEN');
    expect(await codeOf(store.extend(lease.objectId, ALICE, 154))).toBe('INVALID_ARGUMENT');
    expect(await store.extend(lease.objectId, ALICE, 153)).toMatchObject({ lease: { endEpoch: 153 } });
    expect(await codeOf(store.extend(`0x${'00'.repeat(32)}` as Hex32, ALICE, 110))).toBe('NOT_FOUND');
    await reopen();
    expect(store.lease(lease.objectId)?.endEpoch).toBe(153);
  });

  it('are ended by their owner only, and permanent ones by nobody', async () => {
    const { lease } = await store.put(some(), ask());
    expect(await codeOf(store.delete(lease.objectId, BOB))).toBe('FORBIDDEN');
    await store.delete(lease.objectId, ALICE);
    expect(await codeOf(store.delete(lease.objectId, ALICE))).toBe('NOT_FOUND');
    const { lease: permanent } = await store.put(some(), ask({ deletable: false }));
    expect(await codeOf(store.delete(permanent.objectId, ALICE))).toBe('BLOB_PERMANENT');
    expect(store.find(permanent.blobId)).not.toBeNull();
  });

  it('are listed by owner, page by page', async () => {
    const mine = await Promise.all([1, 2, 3].map(() => store.put(some(10), ask())));
    await store.put(some(10), ask({ owner: BOB }));
    const ids = mine.map(({ lease }) => lease.objectId).toSorted();
    const page = store.leases({ owner: ALICE, limit: 2 });
    const rest = store.leases({ owner: ALICE, after: page[1]!.objectId, limit: 2 });
    expect([...page, ...rest].map(({ objectId }) => objectId)).toEqual(ids);
    expect(store.leases({ limit: 10 })).toHaveLength(4);
    const { blobId } = mine[0]!.lease;
    expect(store.leases({ blobId, limit: 10 })).toEqual([mine[0]!.lease]);
    expect(store.leases({ blobId, owner: BOB, limit: 10 })).toEqual([]);
  });

  it('cost by the formula what the configured prices say', async () => {
    await reopen({ prices: { storageUnitFrost: 7n, writeUnitFrost: 3n } });
    // One unit of a MiB for 5 epochs: 5 × 7 + 3.
    expect((await store.put(some(10), ask({ epochs: 5 }))).costFrost).toBe(38n);
  });
});

describe('epochs', () => {
  it('never go back: not with the clock, not over a restart, not when their length is set anew', async () => {
    const { lease } = await store.put(some(), ask({ epochs: 2 }));
    expect(await store.advance(1)).toBe(101);
    nowMs -= 50 * EPOCH_MS;
    expect(store.epoch).toBe(101);
    await reopen();
    expect(store.epoch).toBe(101);
    nowMs += 51 * EPOCH_MS;
    expect(store.epoch).toBe(102);
    expect(store.find(lease.blobId)).toBeNull();
    await store.sweep();
    nowMs -= 60 * EPOCH_MS;
    await reopen({ epochMs: 1_000_000 });
    expect(store.epoch).toBe(102);
  });

  it('jump, and everything that ended on the way is taken back at once', async () => {
    for (const epochs of [1, 20, 53]) await store.put(some(10), ask({ epochs }));
    expect(await store.advance(52)).toBe(152);
    expect(store.describe()).toMatchObject({ blobs: 1, leases: 1, epoch: 152 });
    expect(await files()).toHaveLength(1);
  });

  it.each([0, -1, 1.5, 1_001, Number.NaN])('are not moved on by %d', async (steps) => {
    expect(await codeOf(store.advance(steps))).toBe('INVALID_ARGUMENT');
    expect(store.epoch).toBe(100);
  });

  it('end when the clock or a hand says so', async () => {
    expect(store.epochs.endsAtMs()).toBe(101_000);
    nowMs += 300;
    await store.advance(3);
    expect(store.epochs.endsAtMs()).toBe(101_300);
    nowMs += 2_500;
    expect([store.epoch, store.epochs.endsAtMs()]).toEqual([105, 103_300]);
  });
});

describe('the quota', () => {
  it('counts each blob once, refuses what goes beyond, and takes it when there is room again', async () => {
    await reopen({ quotaBytes: 2_500 });
    const [first, second] = [some(), some()];
    const { lease } = await store.put(first, ask());
    await store.put(first, ask({ owner: BOB }));
    await store.put(second, ask({ epochs: 1 }));
    const third = some();
    expect(await codeOf(store.put(third, ask()))).toBe('STORE_FULL');
    expect(await files()).toHaveLength(2);
    expect(await codeOf(store.put(some(500), ask()))).toBe('accepted');
    expect(await codeOf(store.put(some(1), ask()))).toBe('STORE_FULL');
    // The second one's lease has ended: nobody has to wait for the sweep.
    nowMs += EPOCH_MS;
    expect(await codeOf(store.put(third, ask()))).toBe('accepted');
    expect(store.find(lease.blobId)).not.toBeNull();
    await reopen({ quotaBytes: 2_500 });
    expect(store.describe()).toMatchObject({ storedBytes: 2_500, quotaBytes: 2_500 });
    expect(await codeOf(store.put(some(1), ask()))).toBe('STORE_FULL');
  });

  it('is shared by uploads at once: no more of them get in than fit', async () => {
    await reopen({ quotaBytes: 3_999 });
    const results = await Promise.all(Array.from({ length: 10 }, () => codeOf(store.put(some(), ask()))));
    expect(results.filter((code) => code === 'accepted')).toHaveLength(3);
    expect(results.filter((code) => code === 'STORE_FULL')).toHaveLength(7);
    expect(store.describe()).toMatchObject({ storedBytes: 3_000 });
  });
});

describe('many at once', () => {
  it('of the same bytes make one blob, which each of them may end for itself', async () => {
    const bytes = some();
    const stored = await Promise.all(Array.from({ length: 20 }, () => store.put(bytes, ask())));
    expect(await files()).toHaveLength(1);
    expect(store.describe()).toMatchObject({ blobs: 1, leases: 20, storedBytes: 1_000 });
    const { blobId } = stored[0]!.lease;
    const puts = stored.map(({ lease }) => store.delete(lease.objectId, ALICE));
    await Promise.all([...puts, store.put(bytes, ask({ owner: BOB })), store.sweep()]);
    const found = store.find(blobId);
    expect(found?.lease.owner).toBe(BOB);
    expect(await store.read(blobId, found!.record)).toEqual(bytes);
    expect(store.describe()).toMatchObject({ blobs: 1, leases: 1, storedBytes: 1_000 });
  });
});
