import { equalBytes, refuse, type BlobId } from '@usufruct/kernel';
import type { QuiltFile } from './blob-store.js';
import { readPatch, readPatches } from './quilt-format.js';
import { readBack } from './read-back.js';

export interface QuiltCheckParams {
  /** For the same number of shards. */
  readonly blobIdOf: (bytes: Uint8Array) => Promise<BlobId>;
  readonly shards: number;
  /** The whole quilt, past caches. */
  readonly read: (quiltId: BlobId, signal: AbortSignal | undefined) => Promise<Uint8Array>;
}

/**
 * Whether the blob that a publisher names is a quilt that holds these files and no others: it is read back whole, its
 * id computed here, and every file taken out of it and compared. Always, however large it is, because many small parts hang on one id.
 * Refuses `BLOB_MISMATCH`, and `BLOB_UNAVAILABLE` where it cannot be read back.
 */
export async function checkQuilt(
  { blobIdOf, shards, read: readQuilt }: QuiltCheckParams,
  files: readonly QuiltFile[],
  quiltId: BlobId,
  signal: AbortSignal | undefined,
): Promise<void> {
  const quilt = await readBack(() => readQuilt(quiltId, signal), signal);
  const found = readPatches(quilt, shards) ?? [];
  const patches = new Map(found.map((patch) => [patch.identifier, patch]));
  const isIn = ({ identifier, bytes }: QuiltFile): boolean => {
    const patch = patches.get(identifier);
    const read = patch === undefined ? null : readPatch(quilt, patch, shards);
    return read !== null && equalBytes(read, bytes);
  };
  // More of them are another's, at this one's expense, or one twice, of which readers may be given the other.
  if (found.length !== files.length || !files.every(isIn) || (await blobIdOf(quilt)) !== quiltId)
    throw refuse('BLOB_MISMATCH', { blobId: quiltId });
}
