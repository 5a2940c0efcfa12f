import { UsufructError } from '@usufruct/kernel';
import { pause } from './request.js';

/** A store may need a while until all of its parts know of a blob: a cache in front of one may say no for that long. */
const READ_BACK_AFTER_MS = [0, 250, 500, 1_000, 2_000, 4_000];

/** What was stored a moment ago, past caches. Refuses what `read` does; `BLOB_UNAVAILABLE` only after it was asked often. */
export async function readBack(read: () => Promise<Uint8Array>, signal?: AbortSignal): Promise<Uint8Array> {
  let last: unknown;
  for (const waitMs of READ_BACK_AFTER_MS) {
    if (waitMs > 0) await pause(waitMs, signal);
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof UsufructError && error.code === 'BLOB_UNAVAILABLE')) throw error;
      last = error;
    }
  }
  throw last;
}
