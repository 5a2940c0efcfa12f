import { fromBase58, toBase58 } from '@mysten/sui/utils';
import { fromHex, refuse, toHex32, type Digest } from '@usufruct/kernel';

/** Sui writes digests in base58, we write every 32 bytes as hex; it is the same digest. */
export const toSuiDigest = (digest: Digest): string => toBase58(fromHex(digest, 'digest'));

export function fromSuiDigest(text: string): Digest {
  try {
    return toHex32<Digest>(fromBase58(text));
  } catch (cause) {
    throw refuse('UPSTREAM_INVALID', { upstream: 'Sui', field: 'digest' }, cause);
  }
}
