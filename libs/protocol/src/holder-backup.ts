import { bcs } from '@mysten/bcs';
import type { Digest, TimestampMs } from '@usufruct/kernel';
import { z } from 'zod';
import { byteVector, bytes32, u64Number } from './bcs-types.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { zBase64, zHex32, zTimestampMs } from './wire.js';

/**
 * Backups of a key holder. Its operator makes a key pair on a machine that is offline, keeps the private key there, and
 * destroys it when it expires: with it every backup that was made for it dies, and what was erased since with them.
 */
export const BACKUP_LIMITS = {
  /** A private key that must never be destroyed would keep every share for ever. */
  recipientTermMs: 366 * 86_400_000,
  /** Plaintext of one piece of a backup. */
  chunkBytes: 1024 * 1024,
} as const;

const BackupRecipientBcs = bcs.struct('BackupRecipient', {
  publicKey: byteVector(),
  createdAtMs: u64Number<TimestampMs>(),
  expiresAtMs: u64Number<TimestampMs>(),
});
export interface BackupRecipientFacts {
  /** X25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly createdAtMs: TimestampMs;
  readonly expiresAtMs: TimestampMs;
}
/** Of everything that a recipient says: one with another expiry is another recipient. */
export const backupRecipientId = (facts: BackupRecipientFacts): Digest =>
  taggedDigest(TAGS.backupRecipient, BackupRecipientBcs.serialize(facts).toBytes());

/** The file that a holder is given. */
export const zBackupRecipient = z.object({
  type: z.literal('usufruct/backup-recipient'),
  version: z.literal(1),
  id: zHex32<Digest>(),
  publicKey: zBase64(32),
  createdAtMs: zTimestampMs,
  expiresAtMs: zTimestampMs,
});
/** The file that stays offline. */
export const zBackupPrivateKey = z.object({
  type: z.literal('usufruct/backup-private-key'),
  version: z.literal(1),
  privateKey: zBase64(32),
  recipient: zBackupRecipient,
});

/** What a backup begins with, signed by the holder (tag `holderBackup`). In clear: it holds no more than its log says. */
export const BackupHeaderBcs = bcs.struct('BackupHeader', {
  holderSigningKey: byteVector(),
  recipientId: bytes32<Digest>(),
  recipientExpiresAtMs: u64Number<TimestampMs>(),
  createdAtMs: u64Number<TimestampMs>(),
  /** Of the database; what another version made is not restored. */
  schemaVersion: bcs.u32(),
  /** How long the holder's log was. */
  logSize: u64Number(),
  databaseBytes: u64Number(),
  /** The key of this one file, HPKE-sealed to the recipient. */
  sealedKey: byteVector(),
});
export type BackupHeader = ReturnType<typeof BackupHeaderBcs.parse>;
