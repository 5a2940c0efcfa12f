import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { UsufructError, type Address, type Clock, type TimestampMs } from '@usufruct/kernel';
import { DOCUMENTED_PRICES } from '../cost/index.js';
import type { LocalStoreConfig } from './config.js';
import type { Lease } from './lease-table.js';
import { LocalStore, type LeaseRequest } from './local-store.js';
import { diskFiles, type StoreFiles } from './store-files.js';

const ALICE = `0x${'a1'.repeat(32)}` as Address;
const clock: Clock = { nowMs: () => 100_000 as TimestampMs };
const ask = (extra: Partial<LeaseRequest> = {}): LeaseRequest => ({
  epochs: 5,
  deletable: true,
  owner: ALICE,
  force: false,
  ...extra,
});

/** In memory where there is such a folder: thousands of files are written, and no real power is cut. */
const FAST = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(FAST, 'usufruct-faults-spec-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const open = (files?: StoreFiles, extra: Partial<LocalStoreConfig> = {}): Promise<LocalStore> =>
  LocalStore.open(
    {
      host: '127.0.0.1',
      port: 0,
      dataDir: folder,
      shards: 4,
      epochMs: 1_000,
      maxBlobBytes: 200_000,
      allowedOrigins: [],
      quotaBytes: null,
      prices: DOCUMENTED_PRICES,
      ...extra,
    },
    clock,
    files,
  );
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text.repeat(3));
const filesIn = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith('leases.sqlite'))
    .map((entry) => join(entry.parentPath, entry.name));

/**
 * A disk on which so many bytes and steps succeed; then the power is cut: nothing works any more, what was written to a
 * file and not synced is gone in part, and names that were given and not synced are the old ones again, or not.
 */
class CutDisk implements StoreFiles {
  isCut = false;
  /** What was spent, when it was enough. */
  spent = 0;
  onCut: () => void = () => undefined;
  private readonly unsynced = new Set<string>();
  private renamed: { readonly from: string; readonly to: string }[] = [];

  constructor(
    private readonly budget: number,
    private readonly losesNames: boolean,
  ) {}

  // A cut before or after what changes nothing is the same as one before what comes next.
  makeFolder = (path: string): Promise<void> => diskFiles.makeFolder(path);
  namesIn = (path: string): Promise<readonly string[]> => diskFiles.namesIn(path);
  read: StoreFiles['read'] = (path, start, end) => diskFiles.read(path, start, end);
  remove = (path: string): Promise<void> => this.step(() => diskFiles.remove(path));
  rename = (from: string, to: string): Promise<void> =>
    this.step(async () => {
      await diskFiles.rename(from, to);
      this.renamed.push({ from, to });
      if (this.unsynced.delete(from)) this.unsynced.add(to);
    });
  syncFolder = (path: string): Promise<void> =>
    this.step(async () => {
      await diskFiles.syncFolder(path);
      this.renamed = this.renamed.filter(
        ({ to }) => !to.startsWith(`${path}/`) || to.slice(path.length + 1).includes('/'),
      );
    });
  create: StoreFiles['create'] = (path) =>
    this.step(async () => {
      const file = await diskFiles.create(path);
      this.unsynced.add(path);
      return {
        write: async (bytes) => {
          const room = Math.min(bytes.length, this.budget - this.spent);
          await file.write(bytes.subarray(0, room));
          this.spent += room;
          if (room < bytes.length) await this.cut();
        },
        sync: () =>
          this.step(async () => {
            await file.sync();
            this.unsynced.delete(path);
          }),
        close: () => file.close(),
      };
    });

  private async step<T>(work: () => Promise<T>): Promise<T> {
    if (this.isCut) throw new Error('no power');
    if (this.spent >= this.budget) return this.cut();
    this.spent += 1;
    const result = await work();
    // It may also be done, and what comes after it not.
    if (this.spent >= this.budget) return this.cut();
    this.spent += 1;
    return result;
  }

  private async cut(): Promise<never> {
    this.isCut = true;
    this.onCut();
    for (const path of this.unsynced) await truncate(path, 1).catch(() => undefined);
    if (this.losesNames) for (const { from, to } of this.renamed.toReversed()) await rename(to, from);
    throw new Error('no power');
  }
}

/** What a store was asked for and has answered. */
interface Story {
  readonly kept: Map<string, Lease>;
  readonly ended: Lease[];
}
/** Uploads, the same bytes again, an end, an end of the last, and an epoch that takes one away. */
async function tell(store: LocalStore, { kept, ended }: Story): Promise<void> {
  const put = async (name: string, text: string, request: LeaseRequest): Promise<Lease> => {
    const { lease } = await store.put(bytesOf(text), request);
    kept.set(name, lease);
    return lease;
  };
  const end = async (name: string, lease: Lease): Promise<void> => {
    // Asked for: it may be over from now on, and is once it is answered.
    kept.delete(name);
    await store.delete(lease.objectId, ALICE);
    ended.push(lease);
  };
  const first = await put('a', 'alpha', ask());
  const twice = await put('aa', 'alpha', ask());
  await put('b', 'be', ask());
  await end('a', first);
  await put('c', 'gamma', ask({ deletable: false }));
  await end('aa', twice);
  await put('d', 'd', ask({ epochs: 1 }));
  kept.delete('d');
  await store.advance(1);
  await put('a', 'alpha', ask());
}
const TEXTS: Readonly<Record<string, string>> = { a: 'alpha', aa: 'alpha', b: 'be', c: 'gamma' };

/** Everything answered for is there, everything else whole or absent, and nothing is left over. */
async function inspect(store: LocalStore, { kept, ended }: Story): Promise<void> {
  for (const [name, lease] of kept) {
    const found = store.find(lease.blobId);
    expect({ name, isThere: found !== null }).toEqual({ name, isThere: true });
    expect(await store.read(lease.blobId, found!.record)).toEqual(bytesOf(TEXTS[name] ?? ''));
    expect(store.lease(lease.objectId)).toEqual(lease);
  }
  for (const lease of ended) expect(store.lease(lease.objectId)).toBeNull();
  let storedBytes = 0;
  const all = new Set(store.leases({ limit: 100 }).map(({ blobId }) => blobId));
  for (const blobId of all) {
    const { record } = store.find(blobId)!;
    expect(Object.values(TEXTS).concat('d').map(bytesOf)).toContainEqual(await store.read(blobId, record));
    storedBytes += record.sizeBytes;
  }
  expect(store.describe()).toMatchObject({ blobs: all.size, storedBytes });
  expect((await filesIn()).map((path) => path.replace(/^.*\//, '')).toSorted()).toEqual(
    [...all].map((blobId) => `${blobId}.blob`).toSorted(),
  );
}

async function runUntilCut(budget: number, losesNames: boolean, story: Story): Promise<number | null> {
  const disk = new CutDisk(budget, losesNames);
  try {
    const store = await open(disk);
    disk.onCut = () => store.close();
    await tell(store, story);
    store.close();
  } catch (error) {
    if (!disk.isCut) throw error;
  }
  return disk.isCut ? null : disk.spent;
}

describe('a cut at any byte', () => {
  it.each([
    ['keeps', false],
    ['loses', true],
  ])(
    'that %s names not synced loses nothing answered for, leaves nothing behind, and all goes on',
    async (_, losesNames) => {
      const enough = await runUntilCut(Number.POSITIVE_INFINITY, losesNames, { kept: new Map(), ended: [] });
      expect(enough).toBeGreaterThan(80);
      for (let budget = 0; budget < enough!; budget++) {
        await rm(folder, { recursive: true, force: true });
        const story: Story = { kept: new Map(), ended: [] };
        expect([budget, await runUntilCut(budget, losesNames, story)]).toEqual([budget, null]);
        const store = await open();
        try {
          await inspect(store, story);
          if (budget % 5 !== 0) continue;
          const next: Story = { kept: new Map(), ended: [] };
          await tell(store, next);
          await inspect(store, next);
        } finally {
          store.close();
        }
      }
    },
  );
});

describe('a full disk', () => {
  const BYTES = new Uint8Array(randomBytes(40));
  /** Takes so many bytes, then no more, until there is room again. */
  function smallDisk(): { readonly files: StoreFiles; room: number } {
    const disk = {
      room: Number.POSITIVE_INFINITY,
      files: {
        ...diskFiles,
        create: async (path: string) => {
          const file = await diskFiles.create(path);
          return {
            ...file,
            write: async (bytes: Uint8Array) => {
              await file.write(bytes.subarray(0, disk.room));
              if (bytes.length > disk.room) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
            },
          };
        },
      },
    };
    return disk;
  }

  it('at any byte of an upload is refused as such, leaves nothing, and the upload works when there is room', async () => {
    const disk = smallDisk();
    const store = await open(disk.files, { quotaBytes: 1_000 });
    const { lease } = await store.put(bytesOf('before'), ask());
    for (let room = 0; room < BYTES.length; room++) {
      disk.room = room;
      await expect(store.put(BYTES, ask())).rejects.toMatchObject({ code: 'STORE_FULL', details: { part: 'disk' } });
      expect(await filesIn()).toHaveLength(1);
      expect(store.describe()).toMatchObject({ blobs: 1, leases: 1, storedBytes: 18 });
      expect(await store.read(lease.blobId, store.find(lease.blobId)!.record)).toEqual(bytesOf('before'));
    }
    disk.room = BYTES.length;
    const { lease: stored } = await store.put(BYTES, ask());
    expect(await store.read(stored.blobId, store.find(stored.blobId)!.record)).toEqual(BYTES);
    store.close();
  });

  it('while a damaged copy is replaced leaves the leases, and the next upload repairs it', async () => {
    const disk = smallDisk();
    const store = await open(disk.files);
    const { lease } = await store.put(BYTES, ask());
    await truncate((await filesIn())[0] ?? '', 39);
    disk.room = 10;
    await expect(store.put(BYTES, ask())).rejects.toMatchObject({ code: 'STORE_FULL' });
    const { record } = store.find(lease.blobId)!;
    await expect(store.read(lease.blobId, record)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    disk.room = 1_000;
    await store.put(BYTES, ask());
    expect(await store.read(lease.blobId, record)).toEqual(BYTES);
    expect(store.describe()).toMatchObject({ blobs: 1, leases: 2, storedBytes: 40 });
    store.close();
  });

  const real = 'for real: a file system of 1 MiB, filled to the last byte, row by row';
  const [run, title] = canMount() ? [it, real] : [it.skip, `${real} (skipped: mounting one is not allowed here)`];
  run(title, async () => {
    mountSmall(folder);
    try {
      const store = await open();
      const kept: [Lease, Uint8Array][] = [];
      let refusals = 0;
      // Large ones until none fits, then ever smaller ones: at last the table itself has no room.
      for (let sizeBytes = 100_000; refusals < 40;) {
        const bytes = new Uint8Array(randomBytes(sizeBytes));
        try {
          kept.push([(await store.put(bytes, ask({ epochs: 1 + (kept.length % 2) }))).lease, bytes]);
        } catch (error) {
          expect(error instanceof UsufructError && error.code).toBe('STORE_FULL');
          refusals += 1;
          sizeBytes = Math.max(1, Math.floor(sizeBytes / 2));
        }
      }
      const check = async (leases: readonly [Lease, Uint8Array][]): Promise<void> => {
        for (const [{ blobId }, bytes] of leases)
          expect(Buffer.from(await store.read(blobId, store.find(blobId)!.record)).equals(bytes)).toBe(true);
      };
      await check(kept);
      expect((await filesIn()).filter((path) => path.includes('incoming'))).toEqual([]);
      // What has ended makes room, and all goes on.
      await store.advance(1);
      await check(kept.filter(([{ endEpoch }]) => endEpoch === 102));
      await store.put(new Uint8Array(randomBytes(100_000)), ask());
      store.close();
    } finally {
      execFileSync('umount', ['-l', folder]);
    }
  });
});

function mountSmall(path: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'ignore' });
}

/** Root may, and in a container it may not. */
function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const probe = mkdtempSync(join(tmpdir(), 'usufruct-mount-probe-'));
  try {
    mountSmall(probe);
    execFileSync('umount', ['-l', probe]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(probe);
  }
}
