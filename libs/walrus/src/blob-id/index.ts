import { asBlobId, refuse, toBase64Url, type BlobId } from '@usufruct/kernel';
import initWasm, { BlobEncoder } from '@mysten/walrus-wasm';

/** Symbols are numbered by 16 bits and padded to even length. */
const MAX_SYMBOL_BYTES = 65_534;

/** The largest blob that RedStuff encodes for so many shards: source symbols of both dimensions times the largest symbol. */
export function maxBlobBytes(shards: number): number {
  const faulty = Math.floor((shards - 1) / 3);
  return (shards - 2 * faulty) * (shards - faulty) * MAX_SYMBOL_BYTES;
}

/**
 * The Walrus blob id of bytes: the hash of the RedStuff metadata of all slivers for this shard number (Walrus's mainnet
 * has 1,000; an id for another number is another id). Takes 0.1 to 2 s for 8 MiB and blocks its thread meanwhile.
 */
export async function blobIdEncoder(shards: number): Promise<(bytes: Uint8Array) => Promise<BlobId>> {
  if (!Number.isInteger(shards) || shards < 4 || shards > 1_000) {
    throw refuse('INVALID_ARGUMENT', { field: 'shards', expected: 'an integer from 4 to 1000' });
  }
  await initWasm();
  const encoder = new BlobEncoder(shards);
  const limitBytes = maxBlobBytes(shards);
  return async (bytes) => {
    if (bytes.length > limitBytes) throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(limitBytes) });
    const metadata: unknown = encoder.compute_metadata(bytes);
    const first: unknown = Array.isArray(metadata) ? metadata[0] : undefined;
    const id = Uint8Array.from(Array.isArray(first) || first instanceof Uint8Array ? first : []);
    if (id.length !== 32) throw refuse('INTERNAL', { part: 'RedStuff encoder' });
    return asBlobId(toBase64Url(id));
  };
}
