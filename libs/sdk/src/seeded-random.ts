import { concatBytes, u32le, utf8, type RandomSource } from '@usufruct/kernel';
import { sha256 } from '@usufruct/crypto';

/**
 * A random source that a 32-byte seed determines: block i is SHA-256(label ‖ seed ‖ i). It lets a contribution that
 * was interrupted deal the same secret and write the same ciphertext again, with one short secret in the journal.
 * Sources with different labels are independent. The order of the requests is part of what it gives.
 */
export function seededRandom(seed: Uint8Array, label: string): RandomSource {
  const prefix = concatBytes(utf8(`${label}\0`), seed);
  let block = 0;
  let left: Uint8Array = new Uint8Array();
  return (lengthBytes) => {
    const blocks = [left];
    for (let have = left.length; have < lengthBytes; have += 32)
      blocks.push(sha256(concatBytes(prefix, u32le(block++))));
    const bytes = concatBytes(...blocks);
    left = bytes.slice(lengthBytes);
    return bytes.slice(0, lengthBytes);
  };
}
