/**
 * The one OpenPGP shape that the envelope writes and reads (RFC 9580):
 *
 *   packet 18, version 2 (§5.13.2): cipher 9 (AES-256), AEAD 3 (GCM), chunk size octet c, 32 octets of salt,
 *     chunks of 2^(c+6) octets of plaintext, each followed by its 16-octet tag, then one tag over the total length
 *   which holds packet 11 (§5.9): format b, file name, date 0, the bytes
 *
 * No session key packets (the key travels as shares), no compression, no signature packets, no padding packet.
 * OCB and EAX are refused although the RFC has them: WebCrypto has only GCM.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { refuse, type UsufructError } from '@usufruct/kernel';
import { requireBytes, unshared } from '../guards.js';

export const TAG_LITERAL = 11;
export const TAG_SEIPD = 18;
/** Literal data format `b` (§5.9): bytes as they are. */
export const FORMAT_BINARY = 0x62;
const VERSION = 2;
const CIPHER_AES256 = 9;
const AEAD_GCM = 3;
/** §5.13.2: implementations must accept octets up to 16, which is 4 MiB. */
const MAX_CHUNK_OCTET = 16;
const SALT_BYTES = 32;
export const AUTH_TAG_BYTES = 16;
export const SEIPD_HEADER_BYTES = 4 + SALT_BYTES;
/** §4.2.1.4: the first partial length must be at least 512; chunks under it would need another framing. */
export const MIN_CHUNK_BYTES = 512;
export const MAX_CHUNK_BYTES = chunkBytesOf(MAX_CHUNK_OCTET);

export const malformed = (reason: string): UsufructError => refuse('ENVELOPE_MALFORMED', { reason });

function chunkBytesOf(chunkOctet: number): number {
  return 2 ** (chunkOctet + 6);
}

export function seipdHeader(chunkBytes: number, salt: Uint8Array): Uint8Array {
  requireBytes(salt, SALT_BYTES, 'random');
  return Uint8Array.of(VERSION, CIPHER_AES256, AEAD_GCM, Math.log2(chunkBytes) - 6, ...salt);
}

/** The chunk size that a header announces; refuses every other version, cipher or mode. */
export function chunkBytesIn(header: Uint8Array): number {
  const [version, cipher, mode, chunkOctet] = header;
  if (version !== VERSION) throw malformed('not version 2 of the encrypted data packet');
  if (cipher !== CIPHER_AES256) throw malformed('cipher is not AES-256');
  if (mode !== AEAD_GCM) throw malformed('AEAD mode is not GCM');
  if (chunkOctet === undefined || chunkOctet > MAX_CHUNK_OCTET) throw malformed('chunk size over 4 MiB');
  return chunkBytesOf(chunkOctet);
}

/** Encrypts or decrypts the chunks of one packet, each under its own index. Both copy their input before returning. */
export interface ChunkCipher {
  encrypt(index: number, plaintext: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  decrypt(index: number, ciphertext: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  finalTag(index: number, totalBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  verifyFinalTag(index: number, totalBytes: number, tag: Uint8Array<ArrayBuffer>): Promise<void>;
}

/**
 * Message key and IV come from HKDF-SHA256 over session key and salt; the nonce is 4 octets of IV and the 8-octet
 * index, so no nonce repeats under one message key. The associated data is the packet's five parameters, and for the
 * last tag also the total length of the plaintext: a chunk can be neither cut off, repeated nor moved.
 */
export async function chunkCipher(sessionKey: Uint8Array, header: Uint8Array): Promise<ChunkCipher> {
  const parameters = Uint8Array.of(0xc0 | TAG_SEIPD, ...header.subarray(0, 4));
  const derived = hkdf(sha256, sessionKey, header.subarray(4), parameters, 32 + 4);
  const key = await crypto.subtle.importKey('raw', unshared(derived.subarray(0, 32)), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  derived.fill(0, 0, 32);
  const iv = derived.subarray(32);

  const algorithm = (index: number, additionalData: Uint8Array<ArrayBuffer>): AesGcmParams => {
    const nonce = new Uint8Array(12);
    nonce.set(iv);
    nonce.set(u64(index), 4);
    return { name: 'AES-GCM', iv: nonce, additionalData };
  };
  const withTotal = (totalBytes: number): Uint8Array<ArrayBuffer> => Uint8Array.of(...parameters, ...u64(totalBytes));
  const decrypt = async (params: AesGcmParams, bytes: Uint8Array<ArrayBuffer>, details: Record<string, string>) => {
    try {
      return new Uint8Array(await crypto.subtle.decrypt(params, key, bytes));
    } catch (cause) {
      throw refuse('ENVELOPE_TAMPERED', details, cause);
    }
  };
  return {
    encrypt: async (index, plaintext) =>
      new Uint8Array(await crypto.subtle.encrypt(algorithm(index, parameters), key, plaintext)),
    decrypt: (index, ciphertext) => decrypt(algorithm(index, parameters), ciphertext, { chunk: String(index) }),
    finalTag: async (index, totalBytes) =>
      new Uint8Array(await crypto.subtle.encrypt(algorithm(index, withTotal(totalBytes)), key, new Uint8Array())),
    verifyFinalTag: async (index, totalBytes, tag) => {
      await decrypt(algorithm(index, withTotal(totalBytes)), tag, { chunk: 'final tag' });
    },
  };
}

function u64(value: number): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(value));
  return out;
}
