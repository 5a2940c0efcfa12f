import { afterEach, describe, expect, it } from '@jest/globals';
import { UsufructError, type BlobId } from '@usufruct/kernel';
import {
  breaksOff,
  drips,
  givesBlob,
  hangs,
  says,
  type Handler,
  hostileStores,
  WALRUS_BLOB_ID as BLOB_ID,
  BLOB_BYTES as BYTES,
  outcomeOf as codeOf,
  OTHER_BLOB_ID as OTHER_ID,
} from '@usufruct/testing';
import { httpBlobStore } from './http-blob-store.js';

describe('reading from aggregators', () => {
  const { against, close } = hostileStores();
  afterEach(close);

  it.each<[string, Handler, string]>([
    ['a blob that the store does not have', says(404, { code: 'NOT_FOUND' }), 'BLOB_UNAVAILABLE'],
    ['an error page with status 200', says(200, '<html>', 'text/html; charset=utf-8'), 'UPSTREAM_INVALID'],
    ['a JSON error with status 200', says(200, { error: 'x' }), 'UPSTREAM_INVALID'],
    ['more bytes than the limit', givesBlob(new Uint8Array(65)), 'UPSTREAM_INVALID'],
    ['no bytes', givesBlob(new Uint8Array(0)), 'UPSTREAM_INVALID'],
    ['a blob that nobody may give out', says(451, {}), 'BLOB_UNAVAILABLE'],
    ['a long error for a small limit', says(404, 'x'.repeat(10_000), 'text/plain'), 'BLOB_UNAVAILABLE'],
    ['an answer drop by drop', drips, 'BLOB_UNAVAILABLE'],
    ['an answer that breaks off', breaksOff, 'BLOB_UNAVAILABLE'],
    ['a server error that stays', says(500, ''), 'BLOB_UNAVAILABLE'],
    ['other bytes than the id names', givesBlob(new Uint8Array([1])), 'BLOB_MISMATCH'],
    ['bytes that the store itself found changed', says(422, { code: 'BLOB_MISMATCH' }), 'BLOB_MISMATCH'],
  ])('get: refuses %s', async (_, handler, code) => {
    const blobIdOf = (bytes: Uint8Array): Promise<BlobId> => Promise.resolve(bytes[0] === 1 ? OTHER_ID : BLOB_ID);
    const { store } = await against([handler], {
      tries: 2,
      maxBlobBytes: 64,
      blobIdOf,
      ...(handler === drips && { timeoutMs: 300 }),
    });
    expect(await codeOf(store.get(BLOB_ID))).toBe(code);
  });

  const RANGE = { offsetBytes: 2, lengthBytes: 3 };
  /** A good answer to RANGE, unless the test says otherwise. */
  const part = (bytes: Uint8Array, contentRange = 'bytes 2-4/10', status = 206): Handler =>
    says(status, bytes, 'application/octet-stream', { 'content-range': contentRange });

  it('reads a range, and asks for exactly it', async () => {
    const asked: (string | undefined)[] = [];
    const { store } = await against([
      (incoming, outgoing) => {
        asked.push(incoming.headers.range);
        part(BYTES.slice(2, 5))(incoming, outgoing);
      },
    ]);
    expect(await store.get(BLOB_ID, { range: RANGE })).toEqual(BYTES.slice(2, 5));
    expect(asked).toEqual(['bytes=2-4']);
  });

  it.each<[string, Handler, string]>([
    ['the whole blob', givesBlob(BYTES), 'UPSTREAM_INVALID'],
    ['the whole blob as if it were the range', part(BYTES), 'UPSTREAM_INVALID'],
    ['the right bytes with status 200', part(BYTES.slice(2, 5), 'bytes 2-4/10', 200), 'UPSTREAM_INVALID'],
    ['a shorter range', part(BYTES.slice(2, 4), 'bytes 2-3/10'), 'UPSTREAM_INVALID'],
    ['fewer bytes than it says', part(BYTES.slice(2, 4)), 'UPSTREAM_INVALID'],
    ['another range', part(BYTES.slice(3, 6), 'bytes 3-5/10'), 'UPSTREAM_INVALID'],
    ['a range beyond its own total', part(BYTES.slice(2, 5), 'bytes 2-4/4'), 'UPSTREAM_INVALID'],
    ['no content-range', says(206, BYTES.slice(2, 5), 'application/octet-stream'), 'UPSTREAM_INVALID'],
    ['several ranges', part(BYTES.slice(2, 5), 'bytes 2-4/10, 6-7/10'), 'UPSTREAM_INVALID'],
    ['that the range is outside', says(416, ''), 'INVALID_ARGUMENT'],
    ['a partial answer to a question for the whole', part(BYTES.slice(2, 5)), 'UPSTREAM_INVALID'],
  ])('range: refuses %s', async (what, handler, code) => {
    const { store } = await against([handler]);
    const range = what.includes('question for the whole') ? {} : { range: RANGE };
    expect(await codeOf(store.get(BLOB_ID, range))).toBe(code);
  });

  it.each([
    { offsetBytes: -1, lengthBytes: 1 },
    { offsetBytes: 0, lengthBytes: 0 },
    { offsetBytes: 0.5, lengthBytes: 1 },
    { offsetBytes: 60, lengthBytes: 5 },
    { offsetBytes: 0, lengthBytes: Number.POSITIVE_INFINITY },
  ])('range: asks nobody for %p', async (range) => {
    const { store, seen } = await against([givesBlob(BYTES)], { maxBlobBytes: 64 });
    expect(await codeOf(store.get(BLOB_ID, { range }))).toBe('INVALID_ARGUMENT');
    expect(seen).toEqual([]);
  });

  describe('with several aggregators', () => {
    const otherBytes = (bytes: Uint8Array): Promise<BlobId> => Promise.resolve(bytes[0] === 1 ? OTHER_ID : BLOB_ID);
    const wrong = givesBlob(new Uint8Array([1]));
    it.each<[string, Handler[], Handler[], string]>([
      ['the first is silent', [hangs], [givesBlob(BYTES)], 'good'],
      ['the first has wrong bytes', [wrong], [givesBlob(BYTES)], 'good'],
      ['the first has not heard of it', [says(404, {})], [givesBlob(BYTES)], 'good'],
      ['the first gives an error page', [says(200, '<html>', 'text/html')], [givesBlob(BYTES)], 'good'],
      ['both fail once', [says(503, ''), says(404, {})], [says(500, ''), givesBlob(BYTES)], 'good'],
      ['neither has it', [says(404, {})], [says(404, {})], 'BLOB_UNAVAILABLE'],
      ['one has wrong bytes, the other none', [wrong], [says(404, {})], 'BLOB_MISMATCH'],
      ['one lies, the other is silent', [says(200, '<html>', 'text/html')], [hangs], 'UPSTREAM_INVALID'],
    ])('get, where %s', async (_, first, second, expected) => {
      const one = await against(first);
      const two = await against(second);
      const store = httpBlobStore({
        publisherUrl: one.url,
        aggregatorUrl: `${one.url},${two.url}`,
        pauseMs: 1,
        timeoutMs: first.includes(hangs) || second.includes(hangs) ? 1_000 : 10_000,
        tries: 2,
        blobIdOf: otherBytes,
      });
      const outcome = await store.get(BLOB_ID).then(
        (bytes) => (Buffer.from(bytes).equals(BYTES) ? 'good' : 'other bytes'),
        (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
      );
      expect(outcome).toBe(expected);
    });

    it('a blob is there when one of them has it', async () => {
      const one = await against([says(404, {})]);
      const two = await against([givesBlob(BYTES)]);
      const store = httpBlobStore({ publisherUrl: one.url, aggregatorUrl: [one.url, two.url] });
      expect(await store.status(BLOB_ID)).toMatchObject({ available: true, sizeBytes: BYTES.length });
      const neither = httpBlobStore({ publisherUrl: one.url, aggregatorUrl: [one.url, one.url] });
      expect(await neither.status(BLOB_ID)).toMatchObject({ available: false, sizeBytes: null });
    });
  });

  it('asks past caches for what was just written', async () => {
    const caching: (string | undefined)[] = [];
    const { store } = await against([
      (incoming, outgoing) => {
        caching.push(incoming.headers['cache-control']);
        givesBlob(BYTES)(incoming, outgoing);
      },
    ]);
    await store.get(BLOB_ID);
    await store.get(BLOB_ID, { fresh: true });
    expect(caching).toEqual([undefined, 'no-cache']);
  });
});
