import { refuse } from '@usufruct/kernel';

/** A digest for each of a shard's two slivers, and the blob id. */
const DIGEST_BYTES = 32;
const BLOB_ID_BYTES = 32;
/** Symbols are numbered by 16 bits and padded to even length. */
const MAX_SYMBOL_BYTES = 65_534;
const LEAST_SHARDS = 4;
const MOST_SHARDS = 1_000;

/** The two dimensions of the matrix that RedStuff encodes, in symbols: a third of the shards may be faulty. */
export interface SourceSymbols {
  /** Rows: the symbols of a secondary sliver before encoding. */
  readonly primary: number;
  /** Columns: the symbols of a primary sliver before encoding. */
  readonly secondary: number;
}

/** Refuses `INVALID_ARGUMENT` for a number of shards that Walrus does not have. */
export function sourceSymbols(shards: number): SourceSymbols {
  if (!Number.isInteger(shards) || shards < LEAST_SHARDS || shards > MOST_SHARDS)
    throw refuse('INVALID_ARGUMENT', {
      field: 'shards',
      expected: `an integer from ${LEAST_SHARDS} to ${MOST_SHARDS}`,
    });
  const faulty = Math.floor((shards - 1) / 3);
  return { primary: shards - 2 * faulty, secondary: shards - faulty };
}

/** The largest blob that RedStuff encodes for so many shards: 13.6 GiB for the mainnet's 1,000. */
export function maxBlobBytes(shards: number): number {
  const { primary, secondary } = sourceSymbols(shards);
  return primary * secondary * MAX_SYMBOL_BYTES;
}

/** Into how large symbols a blob is cut. Refuses `INVALID_ARGUMENT`, and `REQUEST_TOO_LARGE` beyond `maxBlobBytes`. */
export function symbolBytes(sizeBytes: number, shards: number): number {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw refuse('INVALID_ARGUMENT', { field: 'sizeBytes', expected: 'a whole number of bytes' });
  const limitBytes = maxBlobBytes(shards);
  if (sizeBytes > limitBytes) throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(limitBytes) });
  const { primary, secondary } = sourceSymbols(shards);
  const least = Math.max(1, Math.ceil(sizeBytes / (primary * secondary)));
  return least + (least % 2);
}

/**
 * What a blob takes on all shards together, metadata included: this is what Walrus sells. For 1,000 shards that is
 * 64 MB of metadata and 4.5 bytes for each byte. Source: `encoded_blob_length` in MystenLabs/walrus,
 * contracts/walrus/sources/system/redstuff.move (encoding type RS2). Refuses as `symbolBytes`.
 */
export function encodedBlobBytes(sizeBytes: number, shards: number): number {
  const { primary, secondary } = sourceSymbols(shards);
  const slivers = (primary + secondary) * symbolBytes(sizeBytes, shards);
  const metadata = shards * DIGEST_BYTES * 2 + BLOB_ID_BYTES;
  return shards * (slivers + metadata);
}
