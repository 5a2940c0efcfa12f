import { asBlobId, refuse, toBase64Url, type BlobId } from '@usufruct/kernel';
import initWasm, { BlobEncoder } from '@mysten/walrus-wasm';
import { maxBlobBytes } from '../cost/index.js';

export { maxBlobBytes };

/**
 * The Walrus blob id of bytes: the hash of the RedStuff metadata of all slivers for this shard number (Walrus's mainnet
 * has 1,000; an id for another number is another id). Takes 0.1 to 2 s for 8 MiB and blocks its thread meanwhile.
 */
export async function blobIdEncoder(shards: number): Promise<(bytes: Uint8Array) => Promise<BlobId>> {
  const limitBytes = maxBlobBytes(shards);
  await initWasm();
  const encoder = new BlobEncoder(shards);
  return async (bytes) => {
    if (bytes.length > limitBytes) throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(limitBytes) });
    return blobIdFrom(encoder.compute_metadata(bytes));
  };
}

/** The same, made when it is first asked for an id: most commands never need one. */
export function lazyBlobId(shards: number): (bytes: Uint8Array) => Promise<BlobId> {
  let encoder: ReturnType<typeof blobIdEncoder> | undefined;
  return async (bytes) => (await (encoder ??= blobIdEncoder(shards)))(bytes);
}

/** The id in what the encoder says of a blob. */
export function blobIdFrom(metadata: unknown): BlobId {
  const first: unknown = Array.isArray(metadata) ? metadata[0] : undefined;
  const id = Uint8Array.from(Array.isArray(first) || first instanceof Uint8Array ? first : []);
  if (id.length !== 32) throw refuse('INTERNAL', { part: 'RedStuff encoder' });
  return asBlobId(toBase64Url(id));
}
