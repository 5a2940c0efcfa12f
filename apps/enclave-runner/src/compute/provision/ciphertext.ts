import { digestOfPart } from '@usufruct/crypto';
import { refuse } from '@usufruct/kernel';
import type { Manifest, ManifestPart } from '@usufruct/protocol';
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

async function fetchPart(blobs: BlobReader, part: ManifestPart): Promise<Uint8Array> {
  const blobId = blobIdOf(part.blob);
  const bytes = await blobs.get(blobId);
  if (bytes.length !== part.sizeBytes || (await digestOfPart(bytes)) !== part.sha256)
    throw refuse('BLOB_MISMATCH', { blobId });
  return bytes;
}
