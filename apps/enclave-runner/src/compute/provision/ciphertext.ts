import { digestOfPart } from '@usufruct/crypto';
import type { Manifest, ManifestPart } from '@usufruct/protocol';
import { readPart } from '@usufruct/walrus';
import type { BlobReader } from '../../context.js';
import { blobIdOf } from './manifest.js';

/** Parts under way at once: the next ones travel while one is decrypted, and memory stays at a few parts. */
const FETCHED_AT_ONCE = 3;

/**
 * A contribution's ciphertext in order, each part compared with the signed manifest before it is handed on. Refuses
 * `BLOB_UNAVAILABLE` and `BLOB_MISMATCH`; what was fetched ahead is waited for, so that nothing goes on behind the
 * caller's back.
 */
export async function* fetchCiphertext(
  blobs: BlobReader,
  { parts }: Pick<Manifest, 'parts'>,
): AsyncGenerator<Uint8Array, void> {
  const underWay: Promise<Uint8Array>[] = [];
  let next = 0;
  try {
    while (next < parts.length || underWay.length > 0) {
      while (underWay.length < FETCHED_AT_ONCE && next < parts.length) {
        const started = fetchPart(blobs, parts[next++]!);
        started.catch(() => undefined); // reported below, by the await in order
        underWay.push(started);
      }
      yield await underWay.shift()!;
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** As a blob, or out of a quilt: what is signed is its hash, wherever it lies. */
const fetchPart = (blobs: BlobReader, { blob, sha256, sizeBytes }: ManifestPart): Promise<Uint8Array> =>
  readPart(
    blobs,
    { blobId: blobIdOf(blob), digest: sha256, sizeBytes },
    async (bytes) => bytes.length === sizeBytes && (await digestOfPart(bytes)) === sha256,
  );
