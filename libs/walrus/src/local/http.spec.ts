import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Clock, Logger, TimestampMs } from '@usufruct/kernel';
import { DOCUMENTED_PRICES } from '../cost/index.js';
import { startLocalStore, type RunningStore } from './start.js';

const ALICE = `0x${'a1'.repeat(32)}`;
const BOB = `0x${'b0'.repeat(32)}`;
const SHARDS = 25;
const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const clock: Clock = { nowMs: () => 100_000_000 as TimestampMs };
let folder: string;
let running: RunningStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'usufruct-http-spec-'));
  const config = {
    host: '127.0.0.1',
    port: 0,
    dataDir: folder,
    shards: SHARDS,
    epochMs: 1_000_000,
    maxBlobBytes: 700_000,
    allowedOrigins: ['http://portal.test'],
    quotaBytes: 2_700_000,
    prices: DOCUMENTED_PRICES,
  };
  running = await startLocalStore(config, clock, quiet);
});
afterAll(async () => {
  await running.close();
  await rm(folder, { recursive: true, force: true });
});

type Json = Record<string, unknown>;
const send = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${running.url}${path}`, init);
const json = async (path: string, init: RequestInit = {}): Promise<Json> =>
  (await send(path, init)).json() as Promise<Json>;
/** Status, our code and Walrus's reason. */
async function refusal(path: string, init: RequestInit = {}): Promise<string> {
  const response = await send(path, init);
  const { code, error } = (await response.json()) as {
    code: string;
    error: { code: number; details: [{ reason: string }] };
  };
  expect(error.code).toBe(response.status);
  return `${response.status} ${code} ${error.details[0].reason}`;
}
interface Created {
  readonly newlyCreated: { readonly blobObject: { readonly id: string; readonly blobId: string } };
}
async function put(bytes: Uint8Array, query = ''): Promise<Created['newlyCreated']['blobObject']> {
  const answer: unknown = await json(`/v1/blobs?${query}`, { method: 'PUT', body: new Uint8Array(bytes) });
  return (answer as Created).newlyCreated.blobObject;
}
const some = (sizeBytes: number): Uint8Array => new Uint8Array(randomBytes(sizeBytes));
/** Compared as one: element by element takes seconds. */
const hasBody = async (response: Response, bytes: Uint8Array): Promise<boolean> =>
  Buffer.from(await response.arrayBuffer()).equals(bytes);

describe('the publisher', () => {
  it('answers an upload as Walrus’s, with what it would cost there', async () => {
    const bytes = some(1_000);
    const answer = await json(`/v1/blobs?epochs=3&send_object_to=${ALICE}`, {
      method: 'PUT',
      body: new Uint8Array(bytes),
    });
    // ⌈1,000 / (9 × 17)⌉ = 7, even: 8; 25 × (8 × 26 + 25 × 64 + 32) = 46,000 bytes: one unit, 3 × 100,000 + 20,000 FROST.
    expect(answer).toEqual({
      newlyCreated: {
        blobObject: {
          id: expect.stringMatching(/^0x[0-9a-f]{64}$/),
          registeredEpoch: 100,
          blobId: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
          size: 1_000,
          encodingType: 'RS2',
          certifiedEpoch: 100,
          storage: {
            id: expect.stringMatching(/^0x[0-9a-f]{64}$/),
            startEpoch: 100,
            endEpoch: 103,
            storageSize: 46_000,
          },
          deletable: true,
        },
        resourceOperation: { registerFromScratch: { encodedLength: 46_000, epochsAhead: 3 } },
        cost: 320_000,
      },
    });
  });

  it('says what is certified already, by the object that keeps it', async () => {
    const bytes = some(10);
    const { id, blobId } = await put(bytes, 'permanent=true&epochs=9');
    const again = await json('/v1/blobs?permanent=true&epochs=4', { method: 'PUT', body: new Uint8Array(bytes) });
    expect(again).toEqual({ alreadyCertified: { blobId, object: id, endEpoch: 109 } });
  });

  it.each([
    ['deletable=true&permanent=true', '400 INVALID_ARGUMENT INVALID_BLOB_PERSISTENCE'],
    ['permanent=1', '400 INVALID_ARGUMENT INVALID_ARGUMENT'],
    ['share=true', '400 INVALID_ARGUMENT INVALID_ARGUMENT'],
    ['send_object_to=alice', '400 INVALID_ARGUMENT INVALID_ARGUMENT'],
    ['encoding_type=RedStuff', '400 INVALID_ARGUMENT INVALID_ARGUMENT'],
    ['epochs=1&epochs=2', '400 INVALID_ARGUMENT INVALID_ARGUMENT'],
    ['epochs=54', '400 INVALID_ARGUMENT INVALID_ARGUMENT'],
    ['ttl=5', '400 INVALID_ARGUMENT INVALID_ARGUMENT'],
  ])('refuses an upload with %s', async (query, expected) => {
    expect(await refusal(`/v1/blobs?${query}`, { method: 'PUT', body: 'x' })).toBe(expected);
  });

  it('refuses beyond the quota with 507, and in both languages', async () => {
    const { id } = await put(some(699_999), `send_object_to=${ALICE}`);
    const { id: other } = await put(some(699_999), `send_object_to=${ALICE}`);
    await put(some(699_998), '');
    expect(await refusal('/v1/blobs', { method: 'PUT', body: some(650_000) as BodyInit })).toBe(
      '507 STORE_FULL STORE_FULL',
    );
    for (const objectId of [id, other])
      expect((await send(`/v1/local/objects/${objectId}?owner=${ALICE}`, { method: 'DELETE' })).status).toBe(204);
    await put(some(650_000));
  });
});

describe('the aggregator', () => {
  const bytes = some(600_000);
  let blobId: string;
  let objectId: string;
  beforeAll(async () => ({ blobId, id: objectId } = await put(bytes)));
  const ranged = (range: string, init: RequestInit = {}): Promise<Response> =>
    send(`/v1/blobs/${blobId}`, { ...init, headers: { range } });

  it('gives a blob by its id and by its object, and says how long it is', async () => {
    for (const path of [`/v1/blobs/${blobId}`, `/v1/blobs/by-object-id/${objectId}`]) {
      const response = await send(path);
      expect(await hasBody(response, bytes)).toBe(true);
      const head = await send(path, { method: 'HEAD' });
      for (const { status, headers } of [response, head])
        expect([
          status,
          headers.get('content-length'),
          headers.get('etag'),
          headers.get('x-content-type-options'),
        ]).toEqual([200, '600000', `"${blobId}"`, 'nosniff']);
    }
    expect(await refusal(`/v1/blobs/by-object-id/0x${'00'.repeat(32)}`)).toBe('404 NOT_FOUND BLOB_NOT_FOUND');
    expect(await refusal(`/v1/blobs/by-object-id/${blobId}`)).toBe('400 INVALID_ARGUMENT INVALID_ARGUMENT');
    expect(await refusal(`/v1/blobs/${'A'.repeat(43)}`)).toBe('404 NOT_FOUND BLOB_NOT_FOUND');
    expect(await (await send('/status')).text()).toBe('OK');
  });

  it.each([
    [0, 0],
    [0, 599_999],
    [262_143, 262_144],
    [262_144, 524_287],
    [599_999, 599_999],
    [100, 300_000],
  ])('gives the bytes from %i to %i', async (first, last) => {
    const response = await ranged(`bytes=${first}-${last}`);
    expect([response.status, response.headers.get('content-range')]).toEqual([206, `bytes ${first}-${last}/600000`]);
    expect(response.headers.get('content-length')).toBe(String(last - first + 1));
    expect(await hasBody(response, bytes.slice(first, last + 1))).toBe(true);
    const head = await ranged(`bytes=${first}-${last}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([206, String(last - first + 1)]);
    const other = await send(`/v1/blobs/${blobId}/byte-range?start=${first}&length=${last - first + 1}`);
    expect([other.status, other.headers.get('etag')]).toEqual([200, `"${blobId}-${first}-${last - first + 1}"`]);
    expect(await hasBody(other, bytes.slice(first, last + 1))).toBe(true);
  });

  // What Walrus's aggregator refuses although RFC 9110 would let it answer, too.
  it.each([
    'bytes=0-',
    'bytes=-5',
    'bytes=0-600000',
    'bytes=600000-600001',
    'bytes=5-4',
    'bytes=0-1,3-4',
    'bytes=',
    'items=0-1',
    'bytes=a-b',
    'bytes=0-99999999999999999999',
  ])('refuses the range %s', async (range) => {
    const response = await ranged(range);
    expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */600000']);
    expect(await response.json()).toMatchObject({
      error: { status: 'OUT_OF_RANGE', details: [{ reason: 'INVALID_BYTE_RANGE' }] },
    });
  });

  it.each([
    'start=0&length=0',
    'start=600000&length=1',
    'start=1&length=600000',
    'start=-1&length=2',
    'start=0',
    'length=5',
    'start=1e3&length=1',
  ])('refuses the byte range %s', async (query) => {
    expect(await refusal(`/v1/blobs/${blobId}/byte-range?${query}`)).toMatch(/^400 INVALID_ARGUMENT/);
  });
});

describe('quilts', () => {
  const FILES: [string, Uint8Array, Record<string, string> | undefined][] = [
    ['zebra.txt', some(20_000), { kind: 'text', 'content-type': 'text/plain' }],
    ['ape/of the woods.bin', some(3), undefined],
    ['empty', new Uint8Array(0), undefined],
    ['naïve', some(50_000), { n: '1' }],
  ];
  interface QuiltAnswer {
    readonly blobStoreResult: Created;
    readonly storedQuiltBlobs: readonly { readonly identifier: string; readonly quiltPatchId: string }[];
  }
  async function putQuilt(files = FILES, query = ''): Promise<QuiltAnswer> {
    const form = new FormData();
    for (const [name, bytes] of files) form.append(name, new Blob([Uint8Array.from(bytes)]));
    const metadata = files.flatMap(([identifier, , tags]) => (tags === undefined ? [] : [{ identifier, tags }]));
    form.append('_metadata', JSON.stringify(metadata));
    const answer: unknown = await json(`/v1/quilts?${query}`, { method: 'PUT', body: form });
    return answer as QuiltAnswer;
  }

  it('store many files as one blob, and give each back by name and by patch id', async () => {
    const { blobStoreResult, storedQuiltBlobs } = await putQuilt(
      FILES,
      `epochs=4&quilt_version=V1&send_object_to=${BOB}`,
    );
    const { blobId, id } = blobStoreResult.newlyCreated.blobObject;
    expect(storedQuiltBlobs.map(({ identifier }) => identifier)).toEqual([
      'ape/of the woods.bin',
      'empty',
      'naïve',
      'zebra.txt',
    ]);
    for (const [name, bytes] of FILES) {
      const patchId = storedQuiltBlobs.find(({ identifier }) => identifier === name)?.quiltPatchId;
      for (const path of [
        `/v1/blobs/by-quilt-id/${blobId}/${encodeURIComponent(name)}`,
        `/v1/blobs/by-quilt-patch-id/${patchId}`,
      ]) {
        const response = await send(path);
        expect([response.status, response.headers.get('x-quilt-patch-identifier')]).toEqual([
          200,
          name === 'naïve' ? null : name,
        ]);
        // A tag is never a header of ours: whoever stores a file would choose how browsers take it.
        expect(response.headers.get('content-type')).toBe('application/octet-stream');
        expect(await hasBody(response, bytes)).toBe(true);
      }
    }
    const listed = (await (await send(`/v1/quilts/${blobId}/patches`)).json()) as Json[];
    expect(listed).toEqual(
      storedQuiltBlobs.map(({ identifier, quiltPatchId }) => ({
        identifier,
        patch_id: quiltPatchId,
        tags: FILES.find(([name]) => name === identifier)?.[2] ?? {},
      })),
    );
    // The same files are the same quilt, and it goes only whole.
    expect((await putQuilt()).blobStoreResult.newlyCreated.blobObject.blobId).toBe(blobId);
    expect(await json(`/v1/local/objects/${id}`)).toMatchObject({ owner: BOB, blobObject: { blobId } });
  });

  it('do not have what is not in them', async () => {
    const { blobStoreResult, storedQuiltBlobs } = await putQuilt([['one', some(10), undefined]]);
    const { blobId } = blobStoreResult.newlyCreated.blobObject;
    const patchId = storedQuiltBlobs[0]!.quiltPatchId;
    const notThere = '404 NOT_FOUND QUILT_PATCH_NOT_FOUND';
    expect(await refusal(`/v1/blobs/by-quilt-id/${blobId}/two`)).toBe(notThere);
    expect(await refusal(`/v1/blobs/by-quilt-patch-id/${patchId.slice(0, -3)}AAA`)).toBe(notThere);
    expect(await refusal(`/v1/blobs/by-quilt-patch-id/${blobId}`)).toMatch(/^400 INVALID_ARGUMENT/);
    expect(await refusal(`/v1/blobs/by-quilt-id/${blobId}/%ff`)).toMatch(/^400 INVALID_ARGUMENT/);
    expect(await refusal(`/v1/blobs/by-quilt-id/${'A'.repeat(43)}/one`)).toBe('404 NOT_FOUND BLOB_NOT_FOUND');
    const { blobId: plain } = await put(some(1_000));
    for (const path of [`/v1/blobs/by-quilt-id/${plain}/one`, `/v1/quilts/${plain}/patches`])
      expect(await refusal(path)).toBe(notThere);
  });

  it('are refused when they are no form, too many files, or too large', async () => {
    const sent = (body: BodyInit, headers?: Record<string, string>): Promise<string> =>
      refusal('/v1/quilts', { method: 'PUT', body, ...(headers === undefined ? {} : { headers }) });
    const form = (count: number, sizeBytes: number): FormData => {
      const made = new FormData();
      for (let i = 0; i < count; i++) made.append(`f${i}`, new Blob([new Uint8Array(sizeBytes)]));
      return made;
    };
    expect(await sent('x')).toBe('400 MALFORMED_REQUEST MALFORMED_REQUEST');
    expect(await sent(form(0, 0))).toBe('400 MALFORMED_REQUEST MALFORMED_REQUEST');
    expect(await sent(form(17, 1))).toBe('413 REQUEST_TOO_LARGE REQUEST_TOO_LARGE');
    expect(await sent(form(2, 699_000))).toBe('413 REQUEST_TOO_LARGE REQUEST_TOO_LARGE');
  });
});

describe('what stands for Sui', () => {
  it('shows objects, makes leases longer and ends them, for whom the caller says it is', async () => {
    const owner = `0x${createHash('sha256').update('carol').digest('hex')}`;
    const { id, blobId } = await put(some(100), `epochs=2&send_object_to=${owner}`);
    const path = `/v1/local/objects/${id}`;
    expect(await json(path)).toMatchObject({ owner, blobObject: { id, blobId, storage: { endEpoch: 102 } } });
    expect(await json(`/v1/local/objects?owner=${owner}`)).toMatchObject({
      objects: [{ blobObject: { id } }],
      next: null,
    });
    const extend = (body: object): RequestInit => ({ method: 'POST', body: JSON.stringify(body) });
    expect(await json(`${path}/extend`, extend({ owner, endEpoch: 110 }))).toMatchObject({
      blobObject: { storage: { endEpoch: 110 } },
      cost: 800_000,
    });
    expect(await refusal(`${path}/extend`, extend({ owner: BOB, endEpoch: 120 }))).toMatch(/^403 FORBIDDEN/);
    expect(await refusal(`${path}/extend`, extend({ owner }))).toMatch(/^400 INVALID_ARGUMENT/);
    expect(await refusal(`${path}/extend`, extend({ owner, endEpoch: 110, epochs: 1 }))).toMatch(
      /^400 INVALID_ARGUMENT/,
    );
    expect(await refusal(`${path}?owner=${BOB}`, { method: 'DELETE' })).toMatch(/^403 FORBIDDEN/);
    expect(await refusal(path, { method: 'DELETE' })).toMatch(/^400 INVALID_ARGUMENT/);
    expect((await send(`${path}?owner=${owner}`, { method: 'DELETE' })).status).toBe(204);
    expect(await refusal(path)).toMatch(/^404 NOT_FOUND/);
    expect(await refusal(`/v1/blobs/${blobId}`)).toBe('404 NOT_FOUND BLOB_NOT_FOUND');
    const { id: permanent } = await put(some(100), `permanent=true&send_object_to=${owner}`);
    expect(await refusal(`/v1/local/objects/${permanent}?owner=${owner}`, { method: 'DELETE' })).toMatch(
      /^409 BLOB_PERMANENT/,
    );
  });

  const elsewhere = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
  const [run, from] = elsewhere === undefined ? [it.skip, '(skipped: no other interface)'] : [it, 'elsewhere'];
  run(`answers nobody who is ${from}, where the store listens for others, too`, async () => {
    const open = { host: '0.0.0.0', port: 0, dataDir: `${folder}/open`, shards: 7, epochMs: 1_000_000 };
    const limits = { maxBlobBytes: 1_000, quotaBytes: null, allowedOrigins: [], prices: DOCUMENTED_PRICES };
    const other = await startLocalStore({ ...open, ...limits }, clock, quiet);
    try {
      const statusAt = async (host: string, path: string): Promise<number> =>
        (await fetch(`http://${host}:${other.port}${path}`)).status;
      expect(await statusAt(elsewhere ?? '', '/v1/info')).toBe(200);
      expect(await statusAt(elsewhere ?? '', '/v1/local/objects')).toBe(403);
      expect(await statusAt('127.0.0.1', '/v1/local/objects')).toBe(200);
    } finally {
      await other.close();
    }
  });

  it('answers no web page that nobody named', async () => {
    const from = (origin: string): RequestInit => ({ method: 'POST', body: '{"epochs":1}', headers: { origin } });
    expect(await refusal('/v1/local/epoch', from('http://evil.test'))).toMatch(/^403 FORBIDDEN/);
    expect(await refusal('/v1/local/epoch', from('null'))).toMatch(/^403 FORBIDDEN/);
    expect(await json('/v1/info')).toMatchObject({ epoch: 100 });
  });

  // Last: it ends the leases of what was stored above.
  it('moves the epoch on, and what ended then is gone', async () => {
    const { blobId } = await put(some(100), 'epochs=1');
    const advance = (body: string): RequestInit => ({ method: 'POST', body });
    for (const body of ['{}', '{"epochs":0}', '{"epochs":"1"}', 'x', '{"epochs":1,"to":5}'])
      expect(await refusal('/v1/local/epoch', advance(body))).toMatch(/^400 /);
    expect(await json('/v1/local/epoch', advance('{"epochs":1}'))).toEqual({ epoch: 101, epochEndsAtMs: 101_000_000 });
    expect(await refusal(`/v1/blobs/${blobId}`)).toBe('404 NOT_FOUND BLOB_NOT_FOUND');
  });
});
