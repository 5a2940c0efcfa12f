import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { HpkeKeyPair } from '@usufruct/crypto';
import {
  asTimestampMs,
  concatBytes,
  equalBytes,
  fromBase64,
  fromUtf8,
  refuse,
  toBase64,
  utf8,
  type RandomSource,
  type TimestampMs,
} from '@usufruct/kernel';
import { z } from 'zod';

/** One generation of the key that encrypts what is at rest. */
export interface StorageKey {
  /** 16 hex digits, random: written before everything that is encrypted under it. */
  readonly id: string;
  /** 32 bytes, AES-256. All zero once it was destroyed. */
  readonly key: Uint8Array;
  readonly createdAtMs: TimestampMs;
}
/** One generation of the key that shares are sealed to. */
export interface SealingKey extends HpkeKeyPair {
  readonly createdAtMs: TimestampMs;
  /** When nothing new was to be sealed to it any more; null for the current one. */
  readonly retiredAtMs: TimestampMs | null;
}
export interface KeyringContents {
  /** Oldest first; the last one is current. */
  readonly storage: readonly StorageKey[];
  /** Oldest first; the last one is current. */
  readonly sealing: readonly SealingKey[];
}

export const STORAGE_ID_BYTES = 8;
export const KEY_BYTES = 32;

const zKey = z
  .string()
  .transform((text) => fromBase64(text))
  .refine(({ length }) => length === KEY_BYTES);
const zAtMs = z
  .int()
  .min(0)
  .transform((value) => asTimestampMs(value));
const zStorage = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/), key: zKey, createdAtMs: zAtMs });
const zSealing = z.object({ publicKey: zKey, privateKey: zKey, createdAtMs: zAtMs, retiredAtMs: zAtMs.nullable() });
const zContents = z
  .object({ storage: z.array(zStorage).min(1), sealing: z.array(zSealing).min(1) })
  .refine(({ storage }) => new Set(storage.map(({ id }) => id)).size === storage.length)
  .refine(({ sealing }) =>
    sealing.every(({ retiredAtMs }, i) => (retiredAtMs === null) === (i === sealing.length - 1)),
  );

/** For a backup: what it needs to open its rows, in clear. */
export const encodeStorageKeys = (storage: readonly StorageKey[]): Uint8Array =>
  utf8(JSON.stringify(storage.map((one) => ({ ...one, key: toBase64(one.key) }))));
/** Refuses `BACKUP_INVALID`. */
export function decodeStorageKeys(bytes: Uint8Array): readonly StorageKey[] {
  try {
    return z
      .array(zStorage)
      .min(1)
      .parse(JSON.parse(fromUtf8(bytes)));
  } catch {
    throw refuse('BACKUP_INVALID', { check: 'keyring' });
  }
}

/** Its last digit is the version of this encoding. */
const MAGIC = utf8('USUFKR01');
const IDENTITY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = MAGIC.length + IDENTITY_BYTES + NONCE_BYTES;

export interface Lock {
  /** 32 bytes, from the holder's secret. */
  readonly key: Uint8Array;
  /** The holder's public signing key: a keyring says whose it is. */
  readonly identity: Uint8Array;
}

/** Wire: magic (8) ‖ identity (32) ‖ nonce (12) ‖ AES-256-GCM of the keys as JSON, with all before it as AAD ‖ tag (16). */
export function encodeKeyring({ storage, sealing }: KeyringContents, lock: Lock, random: RandomSource): Uint8Array {
  const plaintext = utf8(
    JSON.stringify({
      storage: storage.map((one) => ({ ...one, key: toBase64(one.key) })),
      sealing: sealing.map((one) => ({
        ...one,
        publicKey: toBase64(one.publicKey),
        privateKey: toBase64(one.privateKey),
      })),
    }),
  );
  const nonce = random(NONCE_BYTES);
  const header = concatBytes(MAGIC, lock.identity, nonce);
  const cipher = createCipheriv('aes-256-gcm', lock.key, nonce).setAAD(header);
  const encrypted = concatBytes(cipher.update(plaintext), cipher.final());
  plaintext.fill(0);
  return concatBytes(header, encrypted, cipher.getAuthTag());
}

/** Refuses `CONFIG_INVALID`: naming `KEYRING_DIR` for another version and another holder's, `HOLDER_SECRET` otherwise. */
export function decodeKeyring(bytes: Uint8Array, lock: Lock): KeyringContents {
  const identity = bytes.subarray(MAGIC.length, MAGIC.length + IDENTITY_BYTES);
  if (bytes.length < HEADER_BYTES + TAG_BYTES || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) {
    throw refuse('CONFIG_INVALID', { setting: 'KEYRING_DIR', reason: 'no keyring of this version' });
  }
  if (!equalBytes(identity, lock.identity)) {
    throw refuse('CONFIG_INVALID', { setting: 'HOLDER_SECRET', reason: 'the keyring belongs to another identity' });
  }
  try {
    return zContents.parse(JSON.parse(fromUtf8(opened(bytes, lock.key))));
  } catch {
    // Never the cause: what zod says may quote what it read.
    throw refuse('CONFIG_INVALID', { setting: 'KEYRING_DIR', reason: 'the keyring was altered' });
  }
}

function opened(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  const header = bytes.subarray(0, HEADER_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, header.subarray(-NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(header)
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  return concatBytes(decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final());
}
