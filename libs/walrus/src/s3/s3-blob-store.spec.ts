import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { asTimestampMs, systemClock, utf8, type BlobId } from '@usufruct/kernel';
import {
  S3_TEST_KEY_ID as KEY_ID,
  S3_TEST_SECRET as SECRET,
  S3Server,
  s3SignatureOf as signatureOf,
} from '@usufruct/testing';
import fc from 'fast-check';
import type { BlobStore } from '../blob-store.js';
import { httpBlobStore } from '../http-blob-store.js';
import { ENDLESS_EPOCH, s3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.js';
import { s3OptionsFrom } from './settings.js';
import { signingFetch } from './signing.js';

const credentials = { accessKeyId: KEY_ID, secretAccessKey: SECRET };

/** "Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference: its examples and their results. */
const EXAMPLES = [
  {
    url: 'https://examplebucket.s3.amazonaws.com/test.txt',
    init: { headers: { range: 'bytes=0-9' } },
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    url: 'https://examplebucket.s3.amazonaws.com/?lifecycle',
    init: {},
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    url: 'https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J',
    init: {},
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
];

describe("AWS's published signatures", () => {
  it.each(EXAMPLES)('$url', async ({ url, init, signature }) => {
    const sent: RequestInit[] = [];
    const fetch = signingFetch({
      credentials,
      region: 'us-east-1',
      clock: { nowMs: () => asTimestampMs(Date.UTC(2013, 4, 24)) },
      fetch: async (_, request = {}) => {
        sent.push(request);
        return new Response();
      },
    });
    await fetch(url, init as RequestInit);
    const headers = Object.fromEntries(new Headers(sent[0]?.headers));
    expect(headers['authorization']).toContain(`Signature=${signature}`);
    // The emulation's own reckoning, by the same examples.
    const { host, pathname, searchParams } = new URL(url);
    const request = {
      method: 'GET',
      path: pathname,
      query: searchParams,
      headers: { ...headers, host },
    };
    expect(signatureOf(request, SECRET)).toBe(signature);
  });
});

it('the example with a body, which signs a header that no browser lets be set', () => {
  const body = createHash('sha256').update('Welcome to Amazon S3.').digest('hex');
  const names = 'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class';
  const headers = {
    authorization: `AWS4-HMAC-SHA256 Credential=${KEY_ID}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names},Signature=${'0'.repeat(64)}`,
    date: 'Fri, 24 May 2013 00:00:00 GMT',
    host: 'examplebucket.s3.amazonaws.com',
    'x-amz-content-sha256': body,
    'x-amz-date': '20130524T000000Z',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  };
  const request = { method: 'PUT', path: '/test%24file.text', query: new URLSearchParams(), headers };
  expect(signatureOf(request, SECRET)).toBe('98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd');
});

describe('an S3-compatible store', () => {
  let server: S3Server;
  let store: BlobStore;
  const open = (changes: Partial<S3BlobStoreOptions> = {}): BlobStore =>
    s3BlobStore({
      endpoint: server.url,
      region: 'eu-central-1',
      bucket: 'ciphertext',
      prefix: 'eu/dao-1/',
      credentials,
      clock: systemClock,
      pauseMs: 1,
      tries: 2,
      ...changes,
    });
  const bytes = utf8('ciphertext');
  const idOf = (content: Uint8Array) => createHash('sha256').update(content).digest('base64url') as BlobId;

  beforeEach(async () => {
    server = await S3Server.start();
    store = open();
  });
  afterEach(() => server.close());

  it('keeps what it is given under the hash of its bytes, for good', async () => {
    expect(await store.put(bytes)).toEqual({
      blobId: idOf(bytes),
      sizeBytes: 10,
      endEpoch: ENDLESS_EPOCH,
      objectId: null,
    });
    expect([...server.objects.keys()]).toEqual([`/ciphertext/eu/dao-1/${idOf(bytes)}`]);
    expect(await store.get(idOf(bytes))).toEqual(bytes);
    expect(await store.status(idOf(bytes))).toEqual({
      available: true,
      certified: null,
      sizeBytes: 10,
      endEpoch: null,
      deletable: false,
    });
    expect(server.refusedSignatures).toBe(0);
  });

  it('says what it cannot do, before and when it is asked', async () => {
    expect(store.abilities).toMatchObject({ extendable: false, quilts: false, leaseEpochs: null, ranges: true });
    const blobId = idOf(bytes);
    await expect(store.extend({ blobId }, 99)).rejects.toMatchObject({ code: 'STORE_UNSUPPORTED' });
    await expect(store.putMany([])).rejects.toMatchObject({ code: 'STORE_UNSUPPORTED' });
    await expect(store.getPatch({ quiltId: blobId, identifier: 'a' })).rejects.toMatchObject({
      code: 'STORE_UNSUPPORTED',
    });
  });

  it('stores the same bytes once, and overwrites nothing', async () => {
    await store.put(bytes);
    const [path, kept] = [...server.objects][0]!;
    await store.put(bytes, { deletable: true });
    expect(server.objects.get(path)).toBe(kept);
    expect(server.requests).toEqual([`PUT ${path}`, `PUT ${path}`, `HEAD ${path}`]);
  });

  it('does the same where a store knows no conditions', async () => {
    server.knowsConditions = false;
    expect((await store.put(bytes)).blobId).toBe(idOf(bytes));
    expect((await store.put(bytes)).blobId).toBe(idOf(bytes));
    expect(await store.get(idOf(bytes))).toEqual(bytes);
  });

  it.each([
    [true, false],
    [false, true],
    [false, false],
  ])('keeps what one wanted for good (deletable: %s, then %s)', async (first, second) => {
    await store.put(bytes, { deletable: first });
    await store.put(bytes, { deletable: second });
    await expect(store.delete({ blobId: idOf(bytes) })).rejects.toMatchObject({ code: 'BLOB_PERMANENT' });
    expect(server.objects.size).toBe(1);
  });

  it('deletes what was stored to be deleted, and again does nothing', async () => {
    await store.put(bytes, { deletable: true });
    await store.delete({ blobId: idOf(bytes) });
    await store.delete({ blobId: idOf(bytes) });
    expect(server.objects.size).toBe(0);
    await expect(store.get(idOf(bytes))).rejects.toMatchObject({ code: 'BLOB_UNAVAILABLE' });
    expect((await store.status(idOf(bytes))).available).toBe(false);
  });

  it('reads any range as it is', async () => {
    const content = Uint8Array.from({ length: 1_000 }, (_, i) => i % 251);
    const { blobId } = await store.put(content);
    await fc.assert(
      fc.asyncProperty(fc.nat(999), fc.nat(999), async (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const range = { offsetBytes: from, lengthBytes: to - from + 1 };
        expect(await store.get(blobId, { range })).toEqual(content.slice(from, to + 1));
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    [{ offsetBytes: 10, lengthBytes: 1 }],
    [{ offsetBytes: 5, lengthBytes: 6 }],
    [{ offsetBytes: -1, lengthBytes: 2 }],
    [{ offsetBytes: 0, lengthBytes: 0 }],
    [{ offsetBytes: 0.5, lengthBytes: 1 }],
  ])('refuses the range %j of ten bytes', async (range) => {
    const { blobId } = await store.put(bytes);
    await expect(store.get(blobId, { range })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('takes a whole blob for a range only when it is that blob', async () => {
    const { blobId } = await store.put(bytes);
    const range = { offsetBytes: 2, lengthBytes: 3 };
    server.instead = (_, response) => !!response.writeHead(200).end(bytes);
    expect(await store.get(blobId, { range })).toEqual(bytes.slice(2, 5));
    server.instead = (_, response) => !!response.writeHead(200).end('other text');
    await expect(store.get(blobId, { range })).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    server.instead = (_, response) => !!response.writeHead(206, { 'content-range': 'bytes 3-5/10' }).end('abc');
    await expect(store.get(blobId, { range })).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
    server.instead = (_, response) => !!response.writeHead(206, { 'content-range': 'bytes 2-4/10' }).end('ab');
    await expect(store.get(blobId, { range })).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
  });

  it('gives out nothing that is not the blob', async () => {
    const { blobId } = await store.put(bytes);
    const [path] = [...server.objects.keys()];
    server.objects.set(path!, { bytes: Buffer.from('Ciphertext'), deletable: 'false' });
    await expect(store.get(blobId)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    server.objects.set(path!, { bytes: Buffer.from('cipher'), deletable: 'false' });
    await expect(store.get(blobId)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    // And says so where somebody else's bytes stand in the way.
    await expect(store.put(bytes)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
  });

  it.each([
    ['no bytes', new Uint8Array(), 'FILE_EMPTY'],
    ['more than it may', new Uint8Array(17), 'REQUEST_TOO_LARGE'],
  ])('refuses %s', async (_, content, code) => {
    await expect(open({ maxBlobBytes: 16 }).put(content)).rejects.toMatchObject({ code });
    expect(server.requests).toEqual([]);
  });

  it.each([
    [400, 'UPSTREAM_INVALID'],
    [401, 'UPSTREAM_INVALID'],
    [403, 'UPSTREAM_INVALID'],
    [404, 'UPSTREAM_INVALID'],
    [413, 'REQUEST_TOO_LARGE'],
    [500, 'UPSTREAM_UNAVAILABLE'],
    [503, 'UPSTREAM_UNAVAILABLE'],
    [507, 'STORE_FULL'],
  ])('says what kind of fault %d is', async (status, code) => {
    server.instead = (_, response) => !!response.writeHead(status).end('<Error/>');
    await expect(store.put(bytes)).rejects.toMatchObject({ code });
  });

  it('can be read as from an aggregator, without a key, where the bucket may be', async () => {
    const { blobId } = await open({ prefix: 'v1/blobs/' }).put(bytes);
    const urls = { publisherUrl: server.url, aggregatorUrl: `${server.url}/ciphertext` };
    const reader = httpBlobStore({ ...urls, tries: 1 });
    await expect(reader.get(blobId)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
    server.publicReads = true;
    expect(await reader.get(blobId)).toEqual(bytes);
    expect(await reader.get(blobId, { range: { offsetBytes: 2, lengthBytes: 3 } })).toEqual(bytes.slice(2, 5));
    expect((await reader.status(blobId)).available).toBe(true);
    expect((await reader.status(idOf(utf8('another')))).available).toBe(false);
  });

  it('tries again what may pass by itself, signed anew', async () => {
    let failures = 0;
    server.instead = (_, response) => failures++ === 0 && !!response.writeHead(503).end();
    await store.put(bytes);
    expect(server.requests).toHaveLength(1);
  });

  it('is not let in with another secret, and tells nobody any of it', async () => {
    const wrong = open({ credentials: { ...credentials, secretAccessKey: 'another secret' } });
    const error: unknown = await wrong.put(bytes).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'UPSTREAM_INVALID', details: { status: '403' } });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/another secret|AKIA/);
    expect(server.objects.size).toBe(0);
  });

  it.each([
    ['a bucket with dots', { bucket: 'a.b.c' }],
    ['a bucket that leaves its path', { bucket: '../x' }],
    ['a prefix without its slash', { prefix: 'eu' }],
    ['a prefix that goes up', { prefix: '../' }],
    ['an empty name in the prefix', { prefix: 'eu//' }],
    ['an endpoint with a query', { endpoint: 'https://s3.example/?x' }],
  ])('refuses %s', (_, changes) => {
    expect(() => open(changes)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('a clock that is wrong', () => {
  const HOUR_MS = 3_600_000;
  const nowMs = Date.UTC(2026, 0, 1);
  const dates: string[] = [];
  const fetchAt = (url: string, serverMs: number) => {
    dates.length = 0;
    const fetch = signingFetch({
      credentials,
      region: 'eu-central-1',
      clock: { nowMs: () => asTimestampMs(nowMs) },
      fetch: async (_, { headers } = {}) => {
        const date = new Headers(headers).get('x-amz-date') ?? '';
        dates.push(date);
        const isRight = date === '20260101T030000Z';
        return new Response(null, { status: isRight ? 200 : 403, headers: { date: new Date(serverMs).toUTCString() } });
      },
    });
    return fetch(url);
  };
  it("takes the store's time, once, from a server that it knows", async () => {
    expect((await fetchAt('https://s3.example/b/o', nowMs + 3 * HOUR_MS)).status).toBe(200);
    expect(dates).toEqual(['20260101T000000Z', '20260101T030000Z']);
  });
  it('and from no other, and not when it is right already', async () => {
    expect((await fetchAt('http://s3.example/b/o', nowMs + 3 * HOUR_MS)).status).toBe(403);
    expect((await fetchAt('https://s3.example/b/o', nowMs + 1_000)).status).toBe(403);
    expect(dates).toHaveLength(1);
  });
});

describe('settings', () => {
  const environment = {
    S3_ENDPOINT: 'https://s3.eu-central-1.amazonaws.com',
    S3_REGION: 'eu-central-1',
    S3_BUCKET: 'ciphertext',
    S3_ACCESS_KEY_ID: KEY_ID,
    S3_SECRET_ACCESS_KEY: SECRET,
  };
  it('are read', () => {
    expect(s3OptionsFrom(environment, systemClock)).toMatchObject({ bucket: 'ciphertext', prefix: '', credentials });
  });
  it.each(Object.keys(environment))('want %s', (setting) => {
    const without = { ...environment, [setting]: undefined };
    expect(() => s3OptionsFrom(without, systemClock)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', details: expect.objectContaining({ setting }) }),
    );
  });
  it('want https, but for this machine', () => {
    const plain = (S3_ENDPOINT: string) => () => s3OptionsFrom({ ...environment, S3_ENDPOINT }, systemClock);
    expect(plain('http://s3.example')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(plain('http://127.0.0.1:9000')).not.toThrow();
  });
});
