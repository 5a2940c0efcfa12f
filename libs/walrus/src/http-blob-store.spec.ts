import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { asBlobId, UsufructError, type BlobId } from '@usufruct/kernel';
import type { BlobStore } from './blob-store.js';
import { httpBlobStore, type HttpBlobStoreOptions } from './http-blob-store.js';

const BLOB_ID = asBlobId('M4hsZGQ1oCktdzegB6HnI6Mi28S2nqOPHxK-W7_4BUk');
const OTHER_ID = asBlobId('A'.repeat(43));
const BYTES = new TextEncoder().encode('ciphertext');
// The answers as Walrus's documentation prints them, with our id and size.
const CREATED = {
  newlyCreated: {
    blobObject: {
      id: '0xe91eee8c5b6f35b9a250cfc29e30f0d9e5463a21fd8d1ddb0fc22d44db4eac50',
      registeredEpoch: 34,
      blobId: BLOB_ID,
      size: BYTES.length,
      encodingType: 'RS2',
      certifiedEpoch: 34,
      storage: {
        id: '0x4748cd83217b5ce7aa77e7f1ad6fc5f7f694e26a157381b9391ac65c47815faf',
        startEpoch: 34,
        endEpoch: 35,
        storageSize: 66034000,
      },
      deletable: false,
    },
    resourceOperation: { registerFromScratch: { encodedLength: 66034000, epochsAhead: 1 } },
    cost: 132300,
  },
};
const CERTIFIED = {
  alreadyCertified: {
    blobId: BLOB_ID,
    event: { txDigest: '4XQHFa9S324wTzYHF3vsBSwpUZuLpmwTHYMFv9nsttSs', eventSeq: '0' },
    endEpoch: 35,
  },
};

type Handler = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

describe('httpBlobStore', () => {
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0)) cleanup();
  });

  /** Each request gets the next handler; the last one stays. */
  async function against(
    handlers: readonly Handler[],
    options: Partial<HttpBlobStoreOptions> = {},
  ): Promise<{ store: BlobStore; seen: string[] }> {
    const seen: string[] = [];
    const server = createServer((incoming, outgoing) => {
      const handler = handlers[Math.min(seen.length, handlers.length - 1)]!;
      seen.push(`${incoming.method} ${incoming.url}`);
      incoming.resume();
      incoming.on('end', () => handler(incoming, outgoing));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    cleanups.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    if (address === null || typeof address !== 'object') throw new Error('no port');
    const url = `http://127.0.0.1:${address.port}/`;
    return {
      store: httpBlobStore({ publisherUrl: url, aggregatorUrl: url, pauseMs: 1, timeoutMs: 500, ...options }),
      seen,
    };
  }
  const says =
    (status: number, body: unknown, contentType = 'application/json', headers: Record<string, string> = {}): Handler =>
    (_, outgoing) =>
      outgoing
        .writeHead(status, { 'content-type': contentType, ...headers })
        .end(typeof body === 'object' && !(body instanceof Uint8Array) ? JSON.stringify(body) : body);
  const blob = (bytes: Uint8Array): Handler => says(200, bytes, 'application/octet-stream');
  const hangs: Handler = () => undefined;
  const breaksOff: Handler = (_, outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': '100' }).write('half');
    setTimeout(() => outgoing.destroy(), 10);
  };

  it('reads both good answers of a publisher, and asks for the lease that was wanted', async () => {
    const { store, seen } = await against([says(200, CREATED), says(200, CERTIFIED)]);
    expect(await store.put(BYTES, { epochs: 3, deletable: true })).toEqual({
      blobId: BLOB_ID,
      sizeBytes: BYTES.length,
      endEpoch: 35,
      objectId: CREATED.newlyCreated.blobObject.id,
    });
    expect(await store.put(BYTES, { epochs: 3 })).toEqual({
      blobId: BLOB_ID,
      sizeBytes: BYTES.length,
      endEpoch: 35,
      objectId: null,
    });
    expect(seen).toEqual(['PUT /v1/blobs?epochs=3&deletable=true', 'PUT /v1/blobs?epochs=3&permanent=true']);
  });

  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'accepted',
      (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
    );

  it.each<[string, Handler, string]>([
    ['an error page with status 200', says(200, '<html>Bad gateway</html>', 'text/html'), 'UPSTREAM_INVALID'],
    ['JSON of another shape', says(200, { ok: true }), 'UPSTREAM_INVALID'],
    ['a blob marked invalid', says(200, { markedInvalid: { blobId: BLOB_ID, event: {} } }), 'UPSTREAM_INVALID'],
    [
      'an id that is none',
      says(200, { alreadyCertified: { blobId: '../etc/passwd', endEpoch: 35 } }),
      'UPSTREAM_INVALID',
    ],
    ['a negative end epoch', says(200, { alreadyCertified: { blobId: BLOB_ID, endEpoch: -1 } }), 'UPSTREAM_INVALID'],
    [
      'another size than was sent',
      says(200, { newlyCreated: { blobObject: { ...CREATED.newlyCreated.blobObject, size: 1 } } }),
      'BLOB_MISMATCH',
    ],
    ['a refusal', says(403, { error: {} }), 'UPSTREAM_INVALID'],
    ['too large for the publisher', says(413, ''), 'REQUEST_TOO_LARGE'],
    ['an endless answer', says(200, 'x'.repeat(100_000)), 'UPSTREAM_INVALID'],
    ['nothing but 503', says(503, ''), 'UPSTREAM_UNAVAILABLE'],
    ['silence', hangs, 'UPSTREAM_UNAVAILABLE'],
  ])('put: refuses %s', async (_, handler, code) => {
    const { store } = await against([handler], { tries: 2, timeoutMs: 100 });
    expect(await codeOf(store.put(BYTES))).toBe(code);
  });

  it.each<[string, Handler, string]>([
    ['a blob that the store does not have', says(404, { code: 'NOT_FOUND' }), 'BLOB_UNAVAILABLE'],
    ['an error page with status 200', says(200, '<html>', 'text/html; charset=utf-8'), 'UPSTREAM_INVALID'],
    ['a JSON error with status 200', says(200, { error: 'x' }), 'UPSTREAM_INVALID'],
    ['more bytes than the limit', blob(new Uint8Array(65)), 'UPSTREAM_INVALID'],
    ['no bytes', blob(new Uint8Array(0)), 'UPSTREAM_INVALID'],
    ['an answer that breaks off', breaksOff, 'BLOB_UNAVAILABLE'],
    ['a server error that stays', says(500, ''), 'BLOB_UNAVAILABLE'],
    ['other bytes than the id names', blob(new Uint8Array([1])), 'BLOB_MISMATCH'],
    ['bytes that the store itself found changed', says(422, { code: 'BLOB_MISMATCH' }), 'BLOB_MISMATCH'],
  ])('get: refuses %s', async (_, handler, code) => {
    const blobIdOf = (bytes: Uint8Array): Promise<BlobId> => Promise.resolve(bytes[0] === 1 ? OTHER_ID : BLOB_ID);
    const { store } = await against([handler], { tries: 2, maxBlobBytes: 64, blobIdOf });
    expect(await codeOf(store.get(BLOB_ID))).toBe(code);
  });

  it('tries again after no answer, a broken-off one and 503, and not after a refusal', async () => {
    const patient = await against([hangs, breaksOff, says(503, ''), blob(BYTES)], { timeoutMs: 100 });
    expect(await patient.store.get(BLOB_ID)).toEqual(BYTES);
    expect(patient.seen).toHaveLength(4);
    const refused = await against([says(400, {}), blob(BYTES)]);
    expect(await codeOf(refused.store.get(BLOB_ID))).toBe('UPSTREAM_INVALID');
    expect(refused.seen).toHaveLength(1);
  });

  it('waits as long as the server asks', async () => {
    const { store } = await against([says(429, '', 'text/plain', { 'retry-after': '1' }), blob(BYTES)]);
    const startedMs = performance.now();
    expect(await store.get(BLOB_ID)).toEqual(BYTES);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990);
  });

  it('stops at once when the caller aborts', async () => {
    const { store, seen } = await against([hangs], { timeoutMs: 10_000 });
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 50);
    expect(await codeOf(store.get(BLOB_ID, { signal: controller.signal }))).toBe('Error: enough');
    expect(seen).toHaveLength(1);
  });

  it('refuses a publisher that names other bytes', async () => {
    const { store } = await against([says(200, CREATED)], { blobIdOf: () => Promise.resolve(OTHER_ID) });
    expect(await codeOf(store.put(BYTES))).toBe('BLOB_MISMATCH');
  });

  it('sends nothing for empty, oversized or wrongly leased bytes, or for a wrong id', async () => {
    const { store, seen } = await against([says(200, CREATED)], { maxBlobBytes: 64 });
    expect(await codeOf(store.put(new Uint8Array(0)))).toBe('FILE_EMPTY');
    expect(await codeOf(store.put(new Uint8Array(65)))).toBe('REQUEST_TOO_LARGE');
    for (const epochs of [0, 54, 1.5, Number.NaN])
      expect(await codeOf(store.put(BYTES, { epochs }))).toBe('INVALID_ARGUMENT');
    const get = async (id: string): Promise<unknown> => store.get(asBlobId(id));
    expect(await codeOf(get('../../etc/passwd'))).toBe('INVALID_ARGUMENT');
    expect(seen).toEqual([]);
  });

  it.each(['', 'ftp://x', 'http://x/?token=1', 'not a url'])('refuses the address %p', (publisherUrl) => {
    expect(() => httpBlobStore({ publisherUrl, aggregatorUrl: 'http://x' })).toThrow(UsufructError);
  });
});
