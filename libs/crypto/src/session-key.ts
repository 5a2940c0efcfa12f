import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { lengthPrefixed, toHex32, utf8, type Digest } from '@usufruct/kernel';
import { requireBytes } from './guards.js';

export const SESSION_KEY_BYTES = 32;

export interface DeriveSessionKeyParams {
  /** Domain-separation tag; must differ from the one of `keyCommitment`. */
  readonly domainTag: string;
  /** The shared secret: 32 bytes of full entropy (`deal` makes one). */
  readonly secret: Uint8Array;
  /** What the key is for, e.g. the contribution's id. Public. */
  readonly context: Uint8Array;
}

/**
 * The key of one envelope: HKDF-SHA256 (RFC 5869) with empty salt and info = lengthPrefixed(tag, context).
 * 32 bytes. Another context or another tag gives an unrelated key, so one secret may serve several.
 */
export function deriveSessionKey({ domainTag, secret, context }: DeriveSessionKeyParams): Uint8Array {
  requireBytes(secret, 32, 'secret');
  return hkdf(sha256, secret, undefined, lengthPrefixed(utf8(domainTag), context), SESSION_KEY_BYTES);
}

export interface KeyCommitmentParams {
  readonly domainTag: string;
  readonly sessionKey: Uint8Array;
  readonly context: Uint8Array;
}

/**
 * A public commitment to a session key: SHA-256(lengthPrefixed(tag, context, sessionKey)). Binding, because finding a
 * second key means a collision; hiding only because the key has 256 bits of entropy: never use it for a password.
 * AES-GCM does not commit to its key; this is what stops a contributor from making one ciphertext open to two texts.
 */
export function keyCommitment({ domainTag, sessionKey, context }: KeyCommitmentParams): Digest {
  requireBytes(sessionKey, SESSION_KEY_BYTES, 'sessionKey');
  return toHex32<Digest>(sha256(lengthPrefixed(utf8(domainTag), context, sessionKey)));
}
