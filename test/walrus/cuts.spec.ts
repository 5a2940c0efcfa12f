import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '@usufruct/crypto';
import { systemClock, UsufructError, type Logger } from '@usufruct/kernel';
import { seededRandom } from '@usufruct/testing';
import { httpBlobStore, type BlobStore } from '@usufruct/walrus';
import { blobIdEncoder } from '@usufruct/walrus/blob-id';
import { readConfig, startLocalStore } from '@usufruct/walrus/local';

const SHARDS = 7;
/** `npm run test:walrus` asks for 1,000. */
const CUTS = Number(process.env['USUFRUCT_STORE_CUTS'] ?? 300);
const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

type Fetch = typeof globalThis.fetch;
/** What may happen to a request on its way, and to its answer. */
const CUTS_BY_KIND: readonly ((fetch: Fetch, drawn: number) => Fetch)[] = [
  () => async () => Promise.reject(new TypeError('refused')),
  (fetch) => async (input, init) => {
    await (await fetch(input, init)).arrayBuffer();
    throw new TypeError('the answer was lost');
  },
  (fetch, drawn) => async (input, init) => {
    const whole = await fetch(input, init);
    const bytes = new Uint8Array(await whole.arrayBuffer());
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.slice(0, drawn % Math.max(1, bytes.length)));
        controller.error(new TypeError('broken off'));
      },
    });
    return new Response(body, { status: whole.status, headers: whole.headers });
  },
  // Ends early, as if that were all.
  (fetch, drawn) => async (input, init) => {
    const whole = await fetch(input, init);
    const bytes = new Uint8Array(await whole.arrayBuffer());
    const { status, headers } = whole;
    return new Response(bytes.slice(0, drawn % Math.max(1, bytes.length)), { status, headers });
  },
  () => async () => new Response('', { status: 503 }),
  () => async () => new Response('', { status: 429 }),
  () => async () => new Response('<html>Bad gateway</html>', { headers: { 'content-type': 'text/html' } }),
  () => async () => new Response('{"error":"x"}', { headers: { 'content-type': 'application/json' } }),
  (fetch) => async (input, init) => {
    const whole = await fetch(input, init);
    const bytes = new Uint8Array(await whole.arrayBuffer());
    if (bytes.length > 0) bytes[bytes.length >> 1]! ^= 1;
    return new Response(bytes, { status: whole.status, headers: whole.headers });
  },
];

describe(`uploads and reads, cut ${CUTS} times at random`, () => {
  let folder: string;
  let running: Awaited<ReturnType<typeof startLocalStore>>;
  const made = { cuts: 0 };
  const random = seededRandom('cuts');
  const draw = (n: number): number => new DataView(Uint8Array.from(random(4)).buffer).getUint32(0) % n;
  /** Every second request goes wrong, some of them several times. */
  const unreliable: Fetch = (input, init) => {
    if (draw(2) === 0) return fetch(input, init);
    made.cuts++;
    return CUTS_BY_KIND[draw(CUTS_BY_KIND.length)]!(fetch, draw(1_000_000))(input, init);
  };

  let store: BlobStore;
  let honest: BlobStore;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'usufruct-cuts-'));
    const config = readConfig({ PORT: '1', DATA_DIR: folder, SHARDS: String(SHARDS) });
    running = await startLocalStore({ ...config, port: 0 }, systemClock, quiet);
    const addresses = { publisherUrl: running.url, aggregatorUrl: running.url };
    const blobIdOf = await blobIdEncoder(SHARDS);
    store = httpBlobStore({ ...addresses, fetch: unreliable, pauseMs: 0, tries: 3, blobIdOf });
    honest = httpBlobStore({ publisherUrl: running.url, aggregatorUrl: running.url });
  });
  afterAll(async () => {
    await running.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** As often as it takes; every failure is one that may pass. */
  async function untilDone<T>(work: () => Promise<T>): Promise<T> {
    for (let i = 0; i < 200; i++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof UsufructError)) throw error;
        expect(['UPSTREAM_UNAVAILABLE', 'UPSTREAM_INVALID', 'BLOB_UNAVAILABLE', 'BLOB_MISMATCH']).toContain(error.code);
      }
    }
    throw new Error('it did not end');
  }

  it('nothing counts as stored that cannot be read back, nothing wrong is read, nothing is stored twice', async () => {
    let stored = 0;
    while (made.cuts < CUTS) {
      const bytes = new Uint8Array(randomBytes(1 + draw(5_000)));
      const { blobId } = await untilDone(async () => {
        const put = await store.put(bytes, { epochs: 5 });
        const back = await store.get(put.blobId, { fresh: true });
        if (digestOf(back) !== digestOf(bytes)) throw new Error('wrong bytes were taken for right ones');
        return put;
      });
      stored++;
      expect(await honest.get(blobId)).toEqual(bytes);
      const offsetBytes = draw(bytes.length);
      const range = { offsetBytes, lengthBytes: 1 + draw(bytes.length - offsetBytes) };
      // A range that one bit was flipped in cannot be told from a right one: whoever needs it compares a hash.
      const part = await untilDone(() => store.get(blobId, { range }));
      expect(part).toHaveLength(range.lengthBytes);
    }
    const answer = await fetch(`${running.url}/v1/local/objects`);
    const { objects } = (await answer.json()) as { objects: unknown[] };
    expect(objects).toHaveLength(Math.min(stored, 1_000));
  });
});
