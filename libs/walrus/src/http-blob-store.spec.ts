import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { asBlobId, UsufructError, type Address } from '@usufruct/kernel';
import {
  givesBlob,
  hangs,
  breaksOff,
  says,
  type Handler,
  hostileStores,
  WALRUS_BLOB_ID as BLOB_ID,
  BLOB_BYTES as BYTES,
  outcomeOf as codeOf,
  WALRUS_CREATED as CREATED,
  OTHER_BLOB_ID as OTHER_ID,
} from '@usufruct/testing';
import { httpBlobStore, type Leases } from './http-blob-store.js';

const CERTIFIED = {
  alreadyCertified: {
    blobId: BLOB_ID,
    event: { txDigest: '4XQHFa9S324wTzYHF3vsBSwpUZuLpmwTHYMFv9nsttSs', eventSeq: '0' },
    endEpoch: 35,
  },
};

describe('httpBlobStore', () => {
  const { against, close } = hostileStores();
  afterEach(close);

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

  it('gives what it reads, whatever was expected, and needs no other array for what was', async () => {
    const same = Uint8Array.from(BYTES);
    const { store } = await against([givesBlob(BYTES), givesBlob(BYTES)]);
    expect(await store.get(BLOB_ID, { expected: same })).toBe(same);
    const others = Uint8Array.from(BYTES).fill(0, -1);
    expect([...(await store.get(BLOB_ID, { expected: others }))]).toEqual([...BYTES]);
  });

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
    ['a store without room', says(507, ''), 'STORE_FULL'],
    ['a publisher out of money', says(402, ''), 'STORE_FULL'],
    ['what is no UTF-8', says(200, Uint8Array.of(0xff, 0xfe)), 'UPSTREAM_INVALID'],
    [
      'an id with bits that say nothing',
      says(200, { alreadyCertified: { blobId: `${BLOB_ID.slice(0, 42)}l`, endEpoch: 35 } }),
      'UPSTREAM_INVALID',
    ],
    ['an endless answer', says(200, 'x'.repeat(100_000)), 'UPSTREAM_INVALID'],
    ['nothing but 503', says(503, ''), 'UPSTREAM_UNAVAILABLE'],
    ['silence', hangs, 'UPSTREAM_UNAVAILABLE'],
  ])('put: refuses %s', async (_, handler, code) => {
    // Who waits for nothing waits briefly; others' patience is for a busy machine.
    const { store } = await against([handler], { tries: 2, ...(handler === hangs && { timeoutMs: 100 }) });
    expect(await codeOf(store.put(BYTES))).toBe(code);
  });

  it('tries again after no answer, a broken-off one and 503, and not after a refusal', async () => {
    const patient = await against([hangs, breaksOff, says(503, ''), givesBlob(BYTES)], { timeoutMs: 1_000 });
    expect(await patient.store.get(BLOB_ID)).toEqual(BYTES);
    expect(patient.seen).toHaveLength(4);
    const refused = await against([says(400, {}), givesBlob(BYTES)]);
    expect(await codeOf(refused.store.get(BLOB_ID))).toBe('UPSTREAM_INVALID');
    expect(refused.seen).toHaveLength(1);
  });

  it('waits as long as the server asks', async () => {
    const { store } = await against([says(429, '', 'text/plain', { 'retry-after': '1' }), givesBlob(BYTES)]);
    const startedMs = performance.now();
    expect(await store.get(BLOB_ID)).toEqual(BYTES);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990);
  });

  it('stops at once when the caller aborts', async () => {
    const { store, seen } = await against([hangs], { timeoutMs: 10_000 });
    const controller = new AbortController();
    const asking = codeOf(store.get(BLOB_ID, { signal: controller.signal }));
    while (seen.length === 0) await sleep(5);
    controller.abort(new Error('enough'));
    expect(await asking).toBe('Error: enough');
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

  it('does not repeat what a publisher may have paid for and given away, only what it did not begin', async () => {
    const owner = `0x${'5'.repeat(64)}` as Address;
    const silent = await against([hangs, says(200, CREATED)], { timeoutMs: 1_000 });
    expect(await codeOf(silent.store.put(BYTES, { owner }))).toBe('UPSTREAM_UNAVAILABLE');
    expect(silent.seen).toEqual([`PUT /v1/blobs?epochs=26&permanent=true&send_object_to=${owner}`]);
    const broken = await against([says(500, ''), says(200, CREATED)]);
    expect(await codeOf(broken.store.put(BYTES, { owner }))).toBe('UPSTREAM_UNAVAILABLE');
    expect(broken.seen).toHaveLength(1);
    const busy = await against([says(503, ''), says(429, ''), says(200, CREATED)]);
    expect(await codeOf(busy.store.put(BYTES, { owner }))).toBe('accepted');
    expect(busy.seen).toHaveLength(3);
  });

  it('follows no redirect with what it sends', async () => {
    const elsewhere = await against([says(200, CREATED)]);
    const { store } = await against([says(307, '', 'text/plain', { location: elsewhere.url })], { tries: 1 });
    expect(await codeOf(store.put(BYTES))).toBe('UPSTREAM_UNAVAILABLE');
    expect(elsewhere.seen).toEqual([]);
  });

  it('checks ids of small blobs always, and of large ones by drawing', async () => {
    let computed = 0;
    let draw = 0;
    const idCheck = {
      blobIdOf: () => Promise.resolve((computed++, BLOB_ID)),
      wholeUpToBytes: BYTES.length,
      oneIn: 4,
      // The last of four bytes counts up: one in four is divisible by four.
      random: () => Uint8Array.of(0, 0, 0, draw++),
    };
    const { store } = await against([givesBlob(BYTES), givesBlob(new Uint8Array(BYTES.length + 1))], { idCheck });
    await store.get(BLOB_ID);
    expect({ computed, draw }).toEqual({ computed: 1, draw: 0 });
    for (let i = 0; i < 8; i++) await store.get(BLOB_ID);
    expect({ computed, draw }).toEqual({ computed: 3, draw: 8 });
  });

  it('leaves the ends of leases to whoever can sign for them', async () => {
    const { store } = await against([givesBlob(BYTES)]);
    expect(store.abilities).toMatchObject({ deletable: false, extendable: false, paidBy: 'operator' });
    expect(await codeOf(store.delete({ blobId: BLOB_ID }))).toBe('STORE_UNSUPPORTED');
    expect(await codeOf(store.extend({ blobId: BLOB_ID }, 99))).toBe('STORE_UNSUPPORTED');
    const leases: Leases = {
      paidBy: 'owner',
      delete: () => Promise.resolve(),
      extend: (_, endEpoch) => Promise.resolve({ endEpoch }),
      describe: () => Promise.resolve({ certified: true, sizeBytes: 10, endEpoch: 35, deletable: true }),
    };
    const signed = (await against([givesBlob(BYTES)], { leases })).store;
    expect(signed.abilities).toMatchObject({ deletable: true, extendable: true, paidBy: 'owner' });
    expect(await signed.extend({ blobId: BLOB_ID }, 99)).toEqual({ endEpoch: 99 });
    expect(await signed.status(BLOB_ID)).toEqual({
      available: true,
      certified: true,
      sizeBytes: 10,
      endEpoch: 35,
      deletable: true,
    });
  });

  it('only reads without a publisher', async () => {
    const { url } = await against([givesBlob(BYTES)]);
    const store = httpBlobStore({ aggregatorUrl: url });
    expect(await store.get(BLOB_ID)).toEqual(BYTES);
    expect(store.abilities).toMatchObject({ quilts: false, maxQuiltFiles: 0 });
    expect(await codeOf(store.put(BYTES))).toBe('STORE_UNSUPPORTED');
    expect(await codeOf(store.putMany([{ identifier: 'a', bytes: BYTES }]))).toBe('STORE_UNSUPPORTED');
  });

  it.each(['', 'ftp://x', 'http://x/?token=1', 'not a url'])('refuses the address %p', (publisherUrl) => {
    expect(() => httpBlobStore({ publisherUrl, aggregatorUrl: 'http://x' })).toThrow(UsufructError);
  });
});
