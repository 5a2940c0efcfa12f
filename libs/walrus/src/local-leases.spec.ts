import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UsufructError, systemClock, type Address, type BlobId, type Logger } from '@usufruct/kernel';
import { hostileServer, says } from '@usufruct/testing';
import type { BlobStore } from './blob-store.js';
import { httpBlobStore } from './http-blob-store.js';
import { localLeases } from './local-leases.js';
import { readConfig, startLocalStore, type RunningStore } from './local/index.js';

const ALICE = `0x${'a1'.repeat(32)}` as Address;
const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const patience = { tries: 2, pauseMs: 1 };
let folder: string;
let running: RunningStore;
let store: BlobStore;
let alices: BlobStore;
let epoch: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'usufruct-local-leases-spec-'));
  running = await startLocalStore(readConfig({ PORT: '0', DATA_DIR: folder, SHARDS: '7' }), systemClock, quiet);
  const { url } = running;
  const open = (owner?: Address): BlobStore =>
    httpBlobStore({
      publisherUrl: url,
      aggregatorUrl: url,
      ...patience,
      leases: localLeases({ url, ...patience, ...(owner !== undefined && { owner }) }),
    });
  [store, alices] = [open(), open(ALICE)];
  ({ epoch } = (await (await fetch(`${url}/v1/info`)).json()) as { epoch: number });
});
afterAll(async () => {
  await running.close();
  await rm(folder, { recursive: true, force: true });
});

const some = (): Uint8Array => new Uint8Array(randomBytes(100));
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );

describe('leases in the local store, by the blob port', () => {
  it('are described, made longer and ended, by object or by blob', async () => {
    const { blobId, objectId, endEpoch } = await store.put(some(), { epochs: 2, deletable: true });
    expect(endEpoch).toBe(epoch + 2);
    const described = { available: true, certified: true, sizeBytes: 100, deletable: true };
    expect(await store.status(blobId)).toEqual({ ...described, endEpoch: epoch + 2 });
    expect(await store.extend({ blobId, objectId }, epoch + 7)).toEqual({ endEpoch: epoch + 7 });
    expect(await store.extend({ blobId }, epoch + 7)).toEqual({ endEpoch: epoch + 7 });
    expect(await store.status(blobId)).toEqual({ ...described, endEpoch: epoch + 7 });
    expect(await codeOf(store.extend({ blobId }, epoch + 54))).toBe('INVALID_ARGUMENT');
    await store.delete({ blobId });
    await store.delete({ blobId });
    await store.delete({ blobId, objectId });
    expect(await store.status(blobId)).toMatchObject({ available: false });
    expect(await codeOf(store.extend({ blobId, objectId }, epoch + 9))).toBe('BLOB_UNAVAILABLE');
  });

  it('that are permanent end for nobody; another’s are not touched', async () => {
    const { blobId } = await store.put(some(), { epochs: 2, deletable: false });
    expect(await codeOf(store.delete({ blobId }))).toBe('BLOB_PERMANENT');
    const bytes = some();
    const { blobId: shared, objectId } = await store.put(bytes, { epochs: 2, deletable: true, owner: ALICE });
    expect(await codeOf(store.delete({ blobId: shared, objectId }))).toBe('FORBIDDEN');
    expect(await codeOf(store.extend({ blobId: shared, objectId }, epoch + 3))).toBe('FORBIDDEN');
    await store.delete({ blobId: shared });
    expect(await store.get(shared)).toEqual(bytes);
    await alices.delete({ blobId: shared });
    expect(await codeOf(store.get(shared))).toBe('BLOB_UNAVAILABLE');
  });

  it('of several of one blob, the longest is meant; an object of another blob is none', async () => {
    const bytes = some();
    const { blobId } = await store.put(bytes, { epochs: 2, deletable: true });
    await store.put(bytes, { epochs: 9, deletable: true });
    expect(await store.status(blobId)).toMatchObject({ endEpoch: epoch + 9 });
    const other = await store.put(some(), { epochs: 2, deletable: true });
    await store.delete({ blobId, objectId: other.objectId });
    expect(await store.status(other.blobId)).toMatchObject({ available: true });
  });

  it('are not looked for at a store that is not the stand-in', async () => {
    const { url, close } = await hostileServer([says(200, { status: 'ok' })]);
    try {
      const leases = localLeases({ url, ...patience });
      expect(await codeOf(leases.describe('A'.repeat(43) as BlobId))).toBe('UPSTREAM_INVALID');
    } finally {
      close();
    }
  });
});
