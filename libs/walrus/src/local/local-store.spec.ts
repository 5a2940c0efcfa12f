import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, open as openFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { UsufructError, type BlobId, type Clock, type Logger, type TimestampMs } from '@usufruct/kernel';
import { blobIdEncoder, maxBlobBytes } from '../blob-id/index.js';
import type { BlobStore } from '../blob-store.js';
import { DOCUMENTED_PRICES } from '../cost/index.js';
import { httpBlobStore } from '../http-blob-store.js';
import { readConfig, type LocalStoreConfig } from './config.js';
import { startLocalStore, type RunningStore } from './start.js';

const ROOT = resolve(import.meta.dirname, '../../../..');
const EPOCH_MS = 1_000;
const OBJECT_ID = `0x${'ab'.repeat(32)}`;
const PORTAL = 'http://127.0.0.1:5173';
const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

let folder: string;
let nowMs: number;
let running: RunningStore | undefined;
const clock: Clock = { nowMs: () => nowMs as TimestampMs };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'usufruct-store-spec-'));
  nowMs = 100 * EPOCH_MS;
});
afterEach(async () => {
  await running?.close();
  running = undefined;
  await rm(folder, { recursive: true, force: true });
});

const configFor = (extra: Partial<LocalStoreConfig> = {}): LocalStoreConfig => ({
  host: '127.0.0.1',
  port: 0,
  dataDir: folder,
  shards: 7,
  epochMs: EPOCH_MS,
  maxBlobBytes: 100_000,
  allowedOrigins: [PORTAL],
  quotaBytes: null,
  prices: DOCUMENTED_PRICES,
  ...extra,
});

async function open(extra: Partial<LocalStoreConfig> = {}): Promise<BlobStore> {
  await running?.close();
  running = await startLocalStore(configFor(extra), clock, quiet);
  return clientOf(running.url, await blobIdEncoder(extra.shards ?? 7));
}
const clientOf = (url: string, blobIdOf?: (bytes: Uint8Array) => Promise<BlobId>): BlobStore =>
  httpBlobStore({
    publisherUrl: url,
    aggregatorUrl: url,
    pauseMs: 1,
    tries: 2,
    ...(blobIdOf === undefined ? {} : { blobIdOf }),
  });
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );

describe('the contract of a blob store, against the local one', () => {
  it('gives back what was stored, under the id that RedStuff gives it', async () => {
    const store = await open();
    for (const size of [1, 2, 4_096, 100_000]) {
      const bytes = new Uint8Array(randomBytes(size));
      const { blobId, sizeBytes, endEpoch } = await store.put(bytes, { epochs: 5 });
      expect({ sizeBytes, endEpoch }).toEqual({ sizeBytes: size, endEpoch: 105 });
      expect(await store.get(blobId)).toEqual(bytes);
      expect(await store.status(blobId)).toMatchObject({ available: true, sizeBytes: size });
    }
  });

  it('keeps one blob for the same bytes; a longer lease extends, a shorter one changes nothing', async () => {
    const store = await open();
    const bytes = new Uint8Array(randomBytes(100));
    const first = await store.put(bytes, { epochs: 5 });
    const shorter = await store.put(bytes, { epochs: 1 });
    expect(shorter).toMatchObject({ blobId: first.blobId, endEpoch: first.endEpoch });
    const longer = await store.put(bytes, { epochs: 9 });
    expect({ id: longer.blobId, end: longer.endEpoch }).toEqual({ id: first.blobId, end: 109 });
    const both = await Promise.all([store.put(bytes, { epochs: 20 }), store.put(bytes, { epochs: 12 })]);
    expect(both.map(({ blobId }) => blobId)).toEqual([first.blobId, first.blobId]);
    expect((await store.put(bytes, { epochs: 1 })).endEpoch).toBe(120);
  });

  it('has a blob until its lease ends, also over a restart', async () => {
    let store = await open();
    const bytes = new Uint8Array(randomBytes(100));
    const { blobId } = await store.put(bytes, { epochs: 2 });
    store = await open();
    expect(await store.get(blobId)).toEqual(bytes);
    nowMs += 2 * EPOCH_MS - 1;
    expect(await store.get(blobId)).toEqual(bytes);
    nowMs += 1;
    expect(await codeOf(store.get(blobId))).toBe('BLOB_UNAVAILABLE');
    expect(await store.status(blobId)).toMatchObject({ available: false, sizeBytes: null });
    await store.put(bytes, { epochs: 1 });
    expect(await store.get(blobId)).toEqual(bytes);
  });

  it('refuses what it does not have', async () => {
    const store = await open();
    const encode = await blobIdEncoder(7);
    expect(await codeOf(store.get(await encode(new Uint8Array([1, 2, 3]))))).toBe('BLOB_UNAVAILABLE');
  });
});

describe('the local store on a damaged disk', () => {
  const files = async (): Promise<string[]> =>
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  const fileOf = async (ending: string): Promise<string> =>
    (await files()).find((name) => name.endsWith(ending)) ?? 'none';

  it('never hands out damaged bytes, and a second upload repairs them', async () => {
    const store = await open();
    const bytes = new Uint8Array(randomBytes(1_000));
    const { blobId } = await store.put(bytes);
    await truncate(await fileOf('.blob'), 999);
    expect(await codeOf(store.get(blobId))).toBe('BLOB_MISMATCH');
    await store.put(bytes);
    expect(await store.get(blobId)).toEqual(bytes);
  });

  it('finds damage in the part that is read, and gives out the others', async () => {
    await open({ shards: 25, maxBlobBytes: 700_000 });
    const bytes = new Uint8Array(randomBytes(700_000));
    const store = clientOf(running?.url ?? '');
    const { blobId } = await store.put(bytes);
    const file = await openFile(await fileOf('.blob'), 'r+');
    await file.write(Buffer.from([(bytes[300_000] ?? 0) ^ 1]), 0, 1, 300_000);
    await file.close();
    const part = async (offsetBytes: number, lengthBytes: number): Promise<string> =>
      codeOf(store.get(blobId, { range: { offsetBytes, lengthBytes } }));
    expect(await part(0, 262_144)).toBe('accepted');
    expect(await part(524_288, 175_712)).toBe('accepted');
    expect(await part(524_287, 2)).toBe('BLOB_MISMATCH');
    expect(await part(262_144, 1)).toBe('BLOB_MISMATCH');
    expect(await codeOf(store.get(blobId))).toBe('BLOB_MISMATCH');
  });

  it('removes at its start what killed uploads left: half files, and whole ones without a lease', async () => {
    let store = await open();
    const { blobId } = await store.put(new Uint8Array(randomBytes(1_000)));
    const orphan = 'A'.repeat(43);
    await mkdir(join(folder, 'blobs', 'AA'), { recursive: true });
    await writeFile(join(folder, 'blobs', 'AA', `${orphan}.blob`), 'whole');
    await writeFile(join(folder, 'incoming', 'half'), 'half');
    store = await open();
    expect((await files()).filter((name) => /incoming|AAAA/.test(name))).toEqual([]);
    expect(await store.get(blobId)).toHaveLength(1_000);
  });

  it('takes over what its first version stored', async () => {
    let store = await open();
    const [bytes, damaged] = [new Uint8Array(randomBytes(1_000)), new Uint8Array(randomBytes(1_000))];
    const { blobId } = await store.put(bytes);
    const { blobId: damagedId } = await store.put(damaged);
    await running?.close();
    for (const name of await files()) if (name.includes('leases.sqlite')) await rm(name);
    for (const [id, sha256] of [
      [blobId, createHash('sha256').update(bytes).digest('hex')],
      [damagedId, '00'],
      [blobId.replace(/^./, (first) => (first === '_' ? '-' : '_')), 'no record'],
    ] as const) {
      const record = { sizeBytes: 1_000, sha256, objectId: OBJECT_ID, startEpoch: 99, endEpoch: 103, deletable: false };
      await mkdir(join(folder, 'blobs', id.slice(0, 2)), { recursive: true });
      const text = sha256 === 'no record' ? '{' : JSON.stringify(record);
      await writeFile(join(folder, 'blobs', id.slice(0, 2), `${id}.json`), text);
    }
    store = await open();
    expect(await store.get(blobId)).toEqual(bytes);
    expect(await codeOf(store.get(damagedId))).toBe('BLOB_UNAVAILABLE');
    expect((await files()).filter((name) => name.endsWith('.json'))).toEqual([]);
    nowMs += 3 * EPOCH_MS;
    expect(await codeOf(store.get(blobId))).toBe('BLOB_UNAVAILABLE');
  });

  it('refuses a folder whose blob ids are of another number of shards', async () => {
    await open({ shards: 7 });
    expect(await codeOf(open({ shards: 10 }))).toBe('CONFIG_INVALID');
  });
});

describe('the HTTP interface', () => {
  const send = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${running?.url}${path}`, init);
  const refusal = async (path: string, init: RequestInit = {}): Promise<string> => {
    const response = await send(path, init);
    const body: unknown = await response.json();
    return `${response.status} ${typeof body === 'object' && body !== null && 'code' in body ? body.code : ''}`;
  };

  it.each<[string, string, RequestInit, string]>([
    ['no bytes', '/v1/blobs', { method: 'PUT' }, '400 FILE_EMPTY'],
    ['a byte too much', '/v1/blobs', { method: 'PUT', body: new Uint8Array(100_001) }, '413 REQUEST_TOO_LARGE'],
    ['a lease of no epochs', '/v1/blobs?epochs=0', { method: 'PUT', body: 'x' }, '400 INVALID_ARGUMENT'],
    ['too long a lease', '/v1/blobs?epochs=54', { method: 'PUT', body: 'x' }, '400 INVALID_ARGUMENT'],
    ['a lease that is no number', '/v1/blobs?epochs=1e9', { method: 'PUT', body: 'x' }, '400 INVALID_ARGUMENT'],
    ['deletable by another word', '/v1/blobs?deletable=yes', { method: 'PUT', body: 'x' }, '400 INVALID_ARGUMENT'],
    ['another method', '/v1/blobs', { method: 'POST', body: 'x' }, '404 NOT_FOUND'],
    ['a path out of the folder', '/v1/blobs/..%2F..%2Fetc%2Fpasswd', {}, '404 NOT_FOUND'],
    ['an id that is too short', '/v1/blobs/AAAA', {}, '404 NOT_FOUND'],
  ])('refuses %s', async (_, path, init, expected) => {
    await open();
    expect(await refusal(path, init)).toBe(expected);
    expect((await readdir(join(folder, 'blobs'))).length).toBe(0);
  });

  it('stops reading an upload that grows beyond the limit without having said so', async () => {
    await open();
    const upload = request(`${running?.url}/v1/blobs`, { method: 'PUT' });
    const status = new Promise<number>((done) => {
      upload.on('response', (response) => done(response.statusCode ?? 0));
      upload.on('error', () => done(-1));
    });
    for (let i = 0; i < 3; i++) upload.write(new Uint8Array(40_000));
    expect(await status).toBe(413);
    upload.destroy();
  });

  it('says in every answer that it is a stand-in, and for how many shards', async () => {
    await open();
    for (const path of ['/', '/healthz', '/v1/blobs/AAAA']) {
      expect((await send(path)).headers.get('x-usufruct-stand-in')).toBe('local store, 7 shards');
    }
    expect(await (await send('/v1/info')).json()).toEqual({
      standIn: 'local store',
      shards: 7,
      maxBlobBytes: 100_000,
      maxQuiltFiles: 4,
      epoch: 100,
      epochMs: 1_000,
      epochEndsAtMs: 101_000,
      mostEpochsAhead: 53,
      publisher: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      nodePublicKey: expect.stringMatching(/^[0-9a-f]{96}$/),
      blobs: 0,
      leases: 0,
      storedBytes: 0,
      quotaBytes: null,
      storageUnitFrost: '100000',
      writeUnitFrost: '20000',
      differsFromWalrus: expect.arrayContaining([expect.stringContaining('no erasure coding')]),
    });
  });

  it('lets the named origin upload from a browser, and no other', async () => {
    await open();
    const headersFor = async (origin: string): Promise<Headers> =>
      (await send('/v1/blobs', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } }))
        .headers;
    const granted = await headersFor(PORTAL);
    expect(granted.get('access-control-allow-origin')).toBe(PORTAL);
    expect(granted.get('access-control-allow-methods')).toContain('PUT');
    expect(granted.get('access-control-allow-methods')).toContain('DELETE');
    expect((await headersFor('http://evil.example')).get('access-control-allow-origin')).toBeNull();
  });
});

describe('configuration', () => {
  const good = { PORT: '9000', DATA_DIR: '/data' };
  it.each<[string, Record<string, string>, string, string]>([
    ['no port', { DATA_DIR: '/data' }, 'CONFIG_INVALID', 'PORT'],
    ['no folder', { PORT: '9000' }, 'CONFIG_INVALID', 'DATA_DIR'],
    ['a port out of range', { ...good, PORT: '70000' }, 'CONFIG_INVALID', 'PORT'],
    ['too few shards', { ...good, SHARDS: '3' }, 'CONFIG_INVALID', 'SHARDS'],
    ['a quota of nothing', { ...good, QUOTA_BYTES: '0' }, 'CONFIG_INVALID', 'QUOTA_BYTES'],
    ['a price below nothing', { ...good, STORAGE_UNIT_FROST: '-1' }, 'CONFIG_INVALID', 'STORAGE_UNIT_FROST'],
    ['a price that is no number', { ...good, WRITE_UNIT_FROST: '1e5' }, 'CONFIG_INVALID', 'WRITE_UNIT_FROST'],
    ['a real network', { ...good, SUI_NETWORK: 'mainnet' }, 'STAND_IN_FORBIDDEN', 'local store'],
  ])('refuses %s', (_, environment, code, named) => {
    try {
      readConfig(environment);
    } catch (error) {
      expect(error instanceof UsufructError && error.code).toBe(code);
      expect(JSON.stringify(error instanceof UsufructError ? error.details : {})).toContain(named);
      return;
    }
    throw new Error('accepted');
  });
  it('takes parts of the largest allowed size by default', () => {
    expect(readConfig(good)).toMatchObject({
      shards: 25,
      maxBlobBytes: 8 * 1024 * 1024,
      host: '127.0.0.1',
      allowedOrigins: [],
      quotaBytes: null,
      prices: DOCUMENTED_PRICES,
    });
    expect(readConfig({ ...good, QUOTA_BYTES: '1000', STORAGE_UNIT_FROST: '7', WRITE_UNIT_FROST: '0' })).toMatchObject({
      quotaBytes: 1_000,
      prices: { storageUnitFrost: 7n, writeUnitFrost: 0n },
    });
  });
});

describe('the process', () => {
  it('loses nothing that it has answered for when it is killed, whenever that is', async () => {
    const { build } = await import(join(ROOT, 'tools/build.mjs'));
    for (const only of ['libs/kernel', 'libs/protocol', 'libs/service', 'libs/walrus']) await build({ only });
    const answered = new Map<BlobId, Uint8Array>();
    const clientOfAll = async (url: string): Promise<BlobStore> => {
      const store = httpBlobStore({ publisherUrl: url, aggregatorUrl: url, tries: 1 });
      for (const [blobId, bytes] of answered) expect(Buffer.from(await store.get(blobId)).equals(bytes)).toBe(true);
      return store;
    };
    // So long after its first answer, however slow the machine is.
    for (const killAfterMs of [0, 3, 15, 60]) {
      const { child, url } = await startProcess();
      const store = await clientOfAll(url);
      const first = Promise.withResolvers<void>();
      const uploading = (async () => {
        for (;;) {
          const bytes = new Uint8Array(randomBytes(50_000));
          answered.set((await store.put(bytes)).blobId, bytes);
          first.resolve();
        }
      })().catch(() => undefined);
      await first.promise;
      await new Promise((done) => setTimeout(done, killAfterMs));
      child.kill('SIGKILL');
      await Promise.all([uploading, once(child, 'exit')]);
    }
    expect(answered.size).toBeGreaterThanOrEqual(4);
    const { child, url } = await startProcess();
    await clientOfAll(url);
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }, 60_000);

  it('refuses to start beside a real network', async () => {
    const child = spawnStore({ SUI_NETWORK: 'testnet' });
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
  });

  function spawnStore(extra: Record<string, string>): ChildProcess {
    const env = { PATH: process.env.PATH ?? '', PORT: '0', DATA_DIR: folder, ...extra };
    return spawn(process.execPath, [join(ROOT, 'libs/walrus/dist/local/main.js')], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }
  async function startProcess(): Promise<{ child: ChildProcess; url: string }> {
    const child = spawnStore({});
    const [line] = await once(child.stdout!, 'data');
    const url: unknown = JSON.parse(String(line)).url;
    expect(String(line)).toContain('not Walrus');
    return { child, url: String(url) };
  }
});

describe('blob ids', () => {
  // Published in the test of Walrus's own encoder (ts-sdks, packages/walrus-wasm) for the mainnet's 1,000 shards.
  const PUBLISHED = '865ca48479104a9bdc136f7d6730b7f3920012eccb4e99ba8540b9363766e093';
  const BYTES = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);

  it('are the published ones for 1,000 shards, and others for other numbers', async () => {
    const ids = await Promise.all([1_000, 25].map(async (shards) => (await blobIdEncoder(shards))(BYTES)));
    expect(ids[0]).toBe(Buffer.from(PUBLISHED, 'hex').toString('base64url'));
    expect(ids[1]).not.toBe(ids[0]);
  });

  it.each([4, 10, 25])('exist up to the code’s limit for %i shards, and are refused beyond it', async (shards) => {
    const encode = await blobIdEncoder(shards);
    expect(await encode(new Uint8Array(maxBlobBytes(shards)))).toHaveLength(43);
    expect(await codeOf(encode(new Uint8Array(maxBlobBytes(shards) + 1)))).toBe('REQUEST_TOO_LARGE');
  });
});
