import { encodePemChain, readPemLoosely } from '@usufruct/attestation';
import { fromUtf8, utf8 } from '@usufruct/kernel';

/** The last certificate of a chain in PEM. */
export function rootAlone(pem: Uint8Array): Uint8Array | null {
  const root = readPemLoosely(fromUtf8(pem))?.at(-1);
  return root === undefined ? null : utf8(encodePemChain([root]));
}
