import { bcs } from '@mysten/bcs';
import type { Digest } from '@usufruct/kernel';
import { z } from 'zod';
import { byteVector, bytes32 } from './bcs-types.js';
import { zBase64 } from './wire.js';

/**
 * A wallet signs one query for all holders, and names in it a key that is made for that query alone. That key signs the
 * query once more for each holder, with the holder's key in it: no holder can repeat at another what it was asked, and
 * nobody is asked by their wallet once a holder.
 */
export const zReader = z.object({
  /** Ed25519, used for one query. */
  publicKey: zBase64(32),
  /** Over ReaderRequestBcs (tag `readerRequest`). */
  signature: zBase64(64),
});
export type Reader = z.output<typeof zReader>;

export const ReaderRequestBcs = bcs.struct('ReaderRequest', {
  /** Of the query that the wallet signed; the reader's public key is part of it. */
  queryDigest: bytes32<Digest>(),
  holderSigningKey: byteVector(),
});
