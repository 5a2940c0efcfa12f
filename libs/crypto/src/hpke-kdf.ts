import { HkdfSha256 } from '@hpke/core';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';

export type Bytes = ArrayBufferLike | ArrayBufferView;
const HASH_BYTES = 32;

/**
 * HKDF-SHA256 (RFC 5869) on this thread. One HPKE message takes about ten labelled steps of a few hundred bytes each;
 * WebCrypto does each of them in two jobs for another thread, which take many times as long as the hashes themselves.
 */
export class HkdfSha256Here extends HkdfSha256 {
  override async extract(salt: Bytes, ikm: Bytes): Promise<ArrayBuffer> {
    const key = bytesOf(salt);
    if (key.length !== 0 && key.length !== HASH_BYTES) throw new RangeError('the salt is as long as the hash');
    return extract(sha256, bytesOf(ikm), key.length === 0 ? undefined : key).buffer;
  }

  override async expand(prk: Bytes, info: Bytes, length: number): Promise<ArrayBuffer> {
    return expand(sha256, bytesOf(prk), bytesOf(info), length).buffer;
  }

  override async extractAndExpand(salt: Bytes, ikm: Bytes, info: Bytes, length: number): Promise<ArrayBuffer> {
    return this.expand(await this.extract(salt, ikm), info, length);
  }
}

/** `KEM` and its number, DHKEM(X25519, HKDF-SHA256) (RFC 9180 §4.1 and §7.1). */
const KEM_SUITE_ID = Uint8Array.of(0x4b, 0x45, 0x4d, 0x00, 0x20);

export function kemKdf(): HkdfSha256Here {
  const kdf = new HkdfSha256Here();
  kdf.init(KEM_SUITE_ID);
  return kdf;
}

export const bytesOf = (input: Bytes): Uint8Array =>
  ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input);
