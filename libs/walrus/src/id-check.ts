import { refuse, type BlobId, type RandomSource } from '@usufruct/kernel';

export interface IdCheckOptions {
  /** The id that bytes must have, for the network's number of shards; see `@usufruct/walrus/blob-id`. */
  readonly blobIdOf: (bytes: Uint8Array) => Promise<BlobId>;
  /** Blobs up to this size are always checked: 0 for none. Encoding costs seconds at 1,000 shards. */
  readonly wholeUpToBytes: number;
  /** Of larger ones one in so many, drawn afresh each time so that nobody knows which: 1 for all of them. */
  readonly oneIn: number;
  readonly random: RandomSource;
}

/**
 * Whether bytes have the id that a store says, computed here and not believed. Of large blobs only a sample is looked
 * at, which finds out a store that names many wrongly, and not one wrong name: a contribution's parts are held by the
 * hashes in its signed manifest, whatever their ids are. Refuses `BLOB_MISMATCH`.
 */
export function idCheck(options: IdCheckOptions | undefined): (bytes: Uint8Array, blobId: BlobId) => Promise<void> {
  if (options === undefined) return () => Promise.resolve();
  const { blobIdOf, wholeUpToBytes, oneIn, random } = options;
  if (!Number.isInteger(oneIn) || oneIn < 1 || oneIn > 1_000_000)
    throw refuse('INVALID_ARGUMENT', { field: 'idCheck.oneIn', expected: 'an integer from 1 to 1000000' });
  const isDrawn = (): boolean => {
    const draw = new DataView(Uint8Array.from(random(4)).buffer).getUint32(0);
    return draw % oneIn === 0;
  };
  return async (bytes, blobId) => {
    if (bytes.length > wholeUpToBytes && !isDrawn()) return;
    if ((await blobIdOf(bytes)) !== blobId) throw refuse('BLOB_MISMATCH', { blobId });
  };
}
