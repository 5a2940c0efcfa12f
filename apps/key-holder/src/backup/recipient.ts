import { generateKeyPair } from '@usufruct/crypto';
import {
  asTimestampMs,
  fromBase64,
  refuse,
  toBase64,
  type Digest,
  type RandomSource,
  type TimestampMs,
} from '@usufruct/kernel';
import {
  BACKUP_LIMITS,
  backupRecipientId,
  zBackupPrivateKey,
  zBackupRecipient,
  type BackupRecipientFacts,
} from '@usufruct/protocol';
import type { z } from 'zod';

/** Who can open a backup: whoever has the private key, until it expires. */
export interface BackupRecipient extends BackupRecipientFacts {
  readonly id: Digest;
}
export interface BackupPrivateKey {
  /** X25519, 32 bytes. Secret. */
  readonly privateKey: Uint8Array;
  readonly recipient: BackupRecipient;
}

/** Two files: the one that the holder gets, and the one that stays offline and is destroyed when it expires. */
export async function makeBackupKey(
  random: RandomSource,
  createdAtMs: TimestampMs,
  termMs: number,
): Promise<{ readonly recipientFile: string; readonly privateFile: string; readonly id: Digest }> {
  if (termMs <= 0 || termMs > BACKUP_LIMITS.recipientTermMs) {
    throw refuse('INVALID_ARGUMENT', { field: 'days', expected: '1 to 366' });
  }
  const { publicKey, privateKey } = await generateKeyPair(random);
  const expiresAtMs = asTimestampMs(createdAtMs + termMs);
  const id = backupRecipientId({ publicKey, createdAtMs, expiresAtMs });
  const recipient: z.input<typeof zBackupRecipient> = {
    type: 'usufruct/backup-recipient',
    version: 1,
    id,
    publicKey: toBase64(publicKey),
    createdAtMs,
    expiresAtMs,
  };
  const secret: z.input<typeof zBackupPrivateKey> = {
    type: 'usufruct/backup-private-key',
    version: 1,
    privateKey: toBase64(privateKey),
    recipient,
  };
  return { recipientFile: fileOf(recipient), privateFile: fileOf(secret), id };
}

const fileOf = (content: unknown): string => `${JSON.stringify(content, null, 2)}\n`;

/** Refuses `CONFIG_INVALID` for what is no recipient, one with another id than it says, or with a term over a year. */
export function readRecipient(text: string): BackupRecipient {
  const parsed = parsedAs(zBackupRecipient, text);
  return requireRecipient(parsed, 'BACKUP_RECIPIENT');
}

/** Refuses `BACKUP_INVALID` for what is no private key of a backup. */
export function readPrivateKey(text: string): BackupPrivateKey {
  const parsed = parsedAs(zBackupPrivateKey, text);
  if (parsed === null) throw refuse('BACKUP_INVALID', { check: 'private key' });
  const privateKey = fromBase64(parsed.privateKey);
  if (privateKey.length !== 32) throw refuse('BACKUP_INVALID', { check: 'private key' });
  return { privateKey, recipient: requireRecipient(parsed.recipient, 'private key') };
}

function parsedAs<S extends z.ZodType>(schema: S, text: string): z.output<S> | null {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null; // what zod says may quote a secret
  }
}

function requireRecipient(parsed: z.output<typeof zBackupRecipient> | null, setting: string): BackupRecipient {
  const no = (reason: string) => refuse('CONFIG_INVALID', { setting, reason });
  if (parsed === null) throw no('no recipient of backups');
  const { id, createdAtMs, expiresAtMs } = parsed;
  const publicKey = fromBase64(parsed.publicKey);
  if (publicKey.length !== 32 || backupRecipientId({ publicKey, createdAtMs, expiresAtMs }) !== id) {
    throw no('its id is of another recipient');
  }
  const termMs = expiresAtMs - createdAtMs;
  if (termMs <= 0 || termMs > BACKUP_LIMITS.recipientTermMs) throw no('its term is longer than a year, or nothing');
  return { id, publicKey, createdAtMs, expiresAtMs };
}
