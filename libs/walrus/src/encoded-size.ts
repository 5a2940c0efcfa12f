const DIGEST_BYTES = 32;
const BLOB_ID_BYTES = 32;

/**
 * How large a blob becomes in Walrus, all slivers and the nodes' metadata together: what is paid for. By the published
 * code (RS2): for n shards of which f may fail, n − 2f primary and n − f secondary source symbols of even length; each
 * shard keeps one row and one column, and the two hashes of every sliver pair.
 */
export function encodedBytes(sizeBytes: number, shards: number): number {
  const faulty = Math.floor((shards - 1) / 3);
  const primary = shards - 2 * faulty;
  const secondary = shards - faulty;
  const symbolBytes = Math.ceil(Math.max(sizeBytes, 1) / (primary * secondary));
  const evenSymbolBytes = symbolBytes + (symbolBytes % 2);
  const metadata = shards * (shards * DIGEST_BYTES * 2 + BLOB_ID_BYTES);
  return metadata + (primary + secondary) * evenSymbolBytes * shards;
}
