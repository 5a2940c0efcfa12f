/** Uploads and reads against a real local store whose requests and answers go wrong: refused, lost, broken off, altered. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@usufruct/crypto';
import { systemClock, UsufructError, type BlobId, type Logger } from '@usufruct/kernel';
import { httpBlobStore, quiltIdentifier, readPart, type BlobStore, type QuiltFile } from '@usufruct/walrus';
import { blobIdEncoder } from '@usufruct/walrus/blob-id';
import { readConfig, startLocalStore } from '@usufruct/walrus/local';

const SHARDS = 7;
const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** What may pass by itself: with any of these one tries again. */
const PASSING: readonly string[] = ['UPSTREAM_UNAVAILABLE', 'UPSTREAM_INVALID', 'BLOB_UNAVAILABLE', 'BLOB_MISMATCH'];
const MOST_TRIES = 200;
/** 7 shards have 5 source columns. */
const MOST_QUILTED = 4;

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

export interface CutsReport {
  readonly cuts: number;
  /** Blobs that counted as stored, quilts among them: read back before anything else was done. */
  readonly stored: number;
  readonly quilts: number;
  /** Of those, the ones that a client without faults could not read at the end, or read otherwise. */
  readonly lost: number;
  /** Leases that the store was paid for: as many as blobs, or some were paid twice. */
  readonly leases: number;
  /** Uploads and reads that did not end however often they were tried. */
  readonly endless: number;
}

/** Cuts until there were so many. `draw(n)` gives a number under n. What is no passing refusal is thrown. */
export async function runCuts(cuts: number, draw: (n: number) => number): Promise<CutsReport> {
  const folder = await mkdtemp(join(tmpdir(), 'usufruct-cuts-'));
  const config = readConfig({ PORT: '1', DATA_DIR: folder, SHARDS: String(SHARDS) });
  const running = await startLocalStore({ ...config, port: 0 }, systemClock, quiet);
  try {
    return await new CutsRun(running.url, await blobIdEncoder(SHARDS), draw).until(cuts);
  } finally {
    await running.close();
    await rm(folder, { recursive: true, force: true });
  }
}

class CutsRun {
  #cuts = 0;
  #endless = 0;
  readonly #stored = new Map<BlobId, Uint8Array>();
  readonly #quilts = new Map<BlobId, readonly QuiltFile[]>();
  readonly #store: BlobStore;
  readonly #honest: BlobStore;

  // Node strips types and writes no assignments: so no parameter properties in what benches run.
  private readonly url: string;
  private readonly draw: (n: number) => number;

  constructor(url: string, blobIdOf: (bytes: Uint8Array) => Promise<BlobId>, draw: (n: number) => number) {
    this.url = url;
    this.draw = draw;
    const addresses = { publisherUrl: url, aggregatorUrl: url, shards: SHARDS };
    this.#store = httpBlobStore({ ...addresses, fetch: this.#unreliable, pauseMs: 0, tries: 3, blobIdOf });
    this.#honest = httpBlobStore(addresses);
  }

  async until(cuts: number): Promise<CutsReport> {
    while (this.#cuts < cuts) {
      if (this.draw(4) === 0) await this.#quiltAndRead();
      else await this.#uploadAndRead(this.#fresh());
    }
    let lost = 0;
    for (const [quiltId, files] of this.#quilts) {
      const back = await Promise.all(
        files.map(({ identifier }) => this.#honest.getPatch({ quiltId, identifier }).catch(() => null)),
      );
      if (!back.every((bytes, i) => bytes !== null && Buffer.compare(bytes, files[i]!.bytes) === 0)) lost++;
    }
    for (const [blobId, bytes] of this.#stored) {
      const back = await this.#honest.get(blobId).catch(() => null);
      if (back === null || Buffer.compare(back, bytes) !== 0) lost++;
    }
    const { leases } = (await (await fetch(`${this.url}/v1/info`)).json()) as { leases: number };
    const quilts = this.#quilts.size;
    return { cuts: this.#cuts, stored: this.#stored.size + quilts, quilts, lost, leases, endless: this.#endless };
  }

  #fresh(): Uint8Array {
    return new Uint8Array(randomBytes(1 + this.draw(5_000)));
  }

  /** As small parts are stored: together, and each read as its readers will. */
  async #quiltAndRead(): Promise<void> {
    const files = Array.from({ length: 1 + this.draw(MOST_QUILTED) }, () => {
      const bytes = this.#fresh();
      return { identifier: quiltIdentifier(digestOf(bytes)), bytes };
    });
    const deletable = this.draw(2) === 0;
    const quiltId = await this.#untilDone(async () => {
      const { blobId } = await this.#store.putMany(files, { epochs: 5, deletable });
      for (const { bytes } of files) await this.#read(blobId, bytes);
      return blobId;
    });
    if (quiltId !== null) this.#quilts.set(quiltId, files);
  }

  /** Out of a quilt or not: nobody tells the reader. */
  async #read(blobId: BlobId, bytes: Uint8Array): Promise<void> {
    const name = { blobId, digest: digestOf(bytes), sizeBytes: bytes.length };
    const back = await readPart(this.#store, name, (got) => digestOf(got) === name.digest, { fresh: true });
    if (digestOf(back) !== name.digest) throw new Error('wrong bytes were taken for right ones');
  }

  async #uploadAndRead(bytes: Uint8Array): Promise<void> {
    const deletable = this.draw(2) === 0;
    const blobId = await this.#untilDone(async () => {
      const put = await this.#store.put(bytes, { epochs: 5, deletable });
      await this.#read(put.blobId, bytes);
      return put.blobId;
    });
    if (blobId === null) return;
    this.#stored.set(blobId, bytes);
    const offsetBytes = this.draw(bytes.length);
    const range = { offsetBytes, lengthBytes: 1 + this.draw(bytes.length - offsetBytes) };
    // A range that one bit was flipped in cannot be told from a right one: whoever needs it compares a hash.
    const part = await this.#untilDone(() => this.#store.get(blobId, { range }));
    if (part !== null && part.length !== range.lengthBytes) throw new Error('a range of another length was taken');
  }

  /** Every second request goes wrong, some of them several times. */
  readonly #unreliable: Fetch = (input, init) => {
    if (this.draw(2) === 0) return fetch(input, init);
    this.#cuts++;
    return CUTS_BY_KIND[this.draw(CUTS_BY_KIND.length)]!(fetch, this.draw(1_000_000))(input, init);
  };

  /** As often as it takes; null for what does not end. */
  async #untilDone<T>(work: () => Promise<T>): Promise<T | null> {
    for (let i = 0; i < MOST_TRIES; i++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof UsufructError) || !PASSING.includes(error.code)) throw error;
      }
    }
    this.#endless++;
    return null;
  }
}
