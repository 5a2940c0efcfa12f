import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { blobIdEncoder } from '../blob-id/index.js';
import { RedStuffThreads } from './red-stuff-threads.js';

const SHARDS = 7;
let threads: RedStuffThreads | undefined;
afterEach(() => threads?.close());

describe('blob ids computed in threads', () => {
  it('are the same as here, for many at once, and let others work meanwhile', async () => {
    threads = await RedStuffThreads.open(SHARDS, 2);
    const here = await blobIdEncoder(SHARDS);
    const blobs = [10, 262_143, 262_144, 300_000, 900_000, 983_010].map((size) => new Uint8Array(randomBytes(size)));
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    const ids = await Promise.all(blobs.map((bytes) => threads!.blobIdOf(bytes)));
    clearInterval(timer);
    expect(ids).toEqual(await Promise.all(blobs.map(here)));
    expect(ticks).toBeGreaterThan(5);
  });

  it('go on after one that the code does not take', async () => {
    threads = await RedStuffThreads.open(SHARDS, 1);
    const tooLarge = new Uint8Array(983_011);
    const bytes = new Uint8Array(randomBytes(300_000));
    const results = await Promise.allSettled([tooLarge, bytes, tooLarge, bytes].map((one) => threads!.blobIdOf(one)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await threads.blobIdOf(bytes)).toBe(await (await blobIdEncoder(SHARDS))(bytes));
  });
});
