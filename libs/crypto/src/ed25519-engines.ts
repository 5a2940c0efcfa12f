import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes, fromHex } from '@usufruct/kernel';
import { unshared } from './guards.js';
import { nodeCrypto, privateKeyOf, publicKeyOf, type NodeCrypto, type NodeKey } from './node-crypto.js';

/** One implementation of plain Ed25519; `ed25519.ts` has checked lengths and encodings before. */
export interface Ed25519Engine {
  sign(seed: Uint8Array, message: Uint8Array): Promise<Uint8Array>;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

const ALGORITHM = 'Ed25519';
/** PKCS #8 (RFC 8410) up to the 32-byte seed: WebCrypto imports private keys in no rawer form. */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420');

/** Seeds of keys that live as long as their process, with what Node made of them. */
const held = new WeakMap<Uint8Array, NodeKey>();
const signingKeyOf = (node: NodeCrypto, seed: Uint8Array): NodeKey =>
  held.get(seed) ?? privateKeyOf(node, 'Ed25519', seed);

/**
 * From now on this very array is imported no more, which takes twice as long as to sign. Only for one that nobody
 * changes or wipes: what was made of it is used as long as the array is there.
 */
export function holdSeed(seed: Uint8Array): void {
  if (nodeCrypto !== undefined) held.set(seed, privateKeyOf(nodeCrypto, 'Ed25519', seed));
}

/** Node's own. */
export const nodeEngine = (node: NodeCrypto): Ed25519Engine => ({
  sign: async (seed, message) => new Uint8Array(node.sign(null, message, signingKeyOf(node, seed))),
  verify: async (publicKey, message, signature) => {
    try {
      return node.verify(null, message, publicKeyOf(node, 'Ed25519', publicKey), signature);
    } catch {
      return false; // not a point of the curve
    }
  },
});

export const nativeEngine: Ed25519Engine & { isAvailable(): Promise<boolean> } = {
  async isAvailable() {
    try {
      // The base point: a valid key everywhere.
      await crypto.subtle.importKey('raw', unshared(ed25519.Point.BASE.toBytes()), ALGORITHM, true, ['verify']);
      return true;
    } catch {
      return false; // NotSupportedError: Chromium before 137
    }
  },
  async sign(seed, message) {
    const pkcs8 = concatBytes(PKCS8_PREFIX, seed);
    const key = await crypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']);
    return new Uint8Array(await crypto.subtle.sign(ALGORITHM, key, unshared(message)));
  },
  async verify(publicKey, message, signature) {
    try {
      const key = await crypto.subtle.importKey('raw', unshared(publicKey), ALGORITHM, true, ['verify']);
      return await crypto.subtle.verify(ALGORITHM, key, unshared(signature), unshared(message));
    } catch {
      return false; // not a point of the curve
    }
  },
};

const { Point } = ed25519;

export const portableEngine: Ed25519Engine & { publicKey(seed: Uint8Array): Uint8Array } = {
  publicKey: (seed) => ed25519.getPublicKey(seed),
  sign: async (seed, message) => ed25519.sign(message, seed),
  /**
   * RFC 8032 §5.1.7 without the cofactor: R = S·B - k·A, compared as bytes, which is what OpenSSL, BoringSSL and the
   * WebCrypto specification do. noble's own `verify` multiplies by the cofactor and would accept signatures by
   * mixed-order keys that the platforms refuse.
   */
  verify: async (publicKey, message, signature) => {
    try {
      const a = Point.fromBytes(publicKey);
      const r = signature.subarray(0, 32);
      const s = Point.Fn.fromBytes(signature.subarray(32));
      const k = Point.Fn.create(littleEndian(sha512(concatBytes(r, publicKey, message))));
      return equalBytes(Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes(), r);
    } catch {
      return false; // not a point of the curve
    }
  },
};

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
