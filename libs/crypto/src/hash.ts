import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { toHex32, type Digest } from '@usufruct/kernel';
import { nodeCrypto } from './node-crypto.js';

/** SHA-256 (FIPS 180-4), synchronous: for messages and small files. Large inputs: `createSha256`. */
export const sha256 = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(nodeCrypto === undefined ? nobleSha256(bytes) : nodeCrypto.hash('sha256', bytes, 'buffer'));

/** SHA-256 as the `Digest` that goes on the wire and the chain. */
export const digestOf = (bytes: Uint8Array): Digest => toHex32<Digest>(sha256(bytes));

/** The same by WebCrypto, off this thread and several times as fast: for parts of files. Not of shared memory. */
export const digestOfPart = async (bytes: Uint8Array): Promise<Digest> =>
  toHex32<Digest>(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)));

/** SHA-256 over input that comes in pieces; memory does not grow with it. */
export interface IncrementalHash {
  update(bytes: Uint8Array): void;
  /** Ends the computation; the object is of no use afterwards. */
  digest(): Uint8Array;
}

export function createSha256(): IncrementalHash {
  const state = nobleSha256.create();
  return {
    update: (bytes) => {
      state.update(bytes);
    },
    digest: () => state.digest(),
  };
}

/** SHA-256 of a whole stream. Reads the stream to its end; an error of the stream is passed on. */
export async function digestOfStream(source: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createSha256();
  for await (const piece of source) hash.update(piece);
  return toHex32<Digest>(hash.digest());
}
