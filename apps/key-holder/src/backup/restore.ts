import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { refuse, toHex, type Clock, type Digest, type RandomSource, type TimestampMs } from '@usufruct/kernel';
import type { HolderKeys } from '../identity.js';
import { decodeStorageKeys } from '../keyring/contents.js';
import { Keyring } from '../keyring/keyring.js';
import { keyringPartsOf } from '../keyring/open.js';
import { pathIn, SCHEMA_VERSION } from '../store/database.js';
import { readHeader, readPieces } from './backup-file.js';
import { BackupsMade } from './backups-made.js';
import { readPrivateKey } from './recipient.js';
import { renameDurably } from './rename-durably.js';

export interface RestoreParts {
  readonly file: string;
  /** The text of the private key's file. */
  readonly privateKey: string;
  readonly dataDir: string;
  readonly keyringDir?: string | undefined;
  readonly keys: HolderKeys;
  readonly clock: Clock;
  readonly random: RandomSource;
}
export interface Restored {
  readonly createdAtMs: TimestampMs;
  readonly logSize: number;
}

const UNFINISHED = 'restoring.sqlite';

/**
 * Make a holder's data and keyring from a backup, in folders that have none. Nothing is in its place before everything
 * was checked; the keyring comes last, and without it a holder does not start. Its first sweep encrypts everything anew
 * under a key that is in no backup, and destroys what was retired since; it releases nothing while its log is shorter
 * than the one on the chain.
 *
 * Refuses `CONFIG_INVALID` (`DATA_DIR` or `KEYRING_DIR` is not empty) and `BACKUP_INVALID` naming the check: `format`,
 * `holder`, `signature`, `version`, `private key`, `recipient`, `expired`, `piece`, `database`.
 */
export async function restoreBackup(parts: RestoreParts): Promise<Restored> {
  const { dataDir, clock, random } = parts;
  const keyringParts = keyringPartsOf(parts);
  await requireEmpty(parts);
  if (Keyring.exists(keyringParts)) throw notEmpty('KEYRING_DIR');
  const path = join(dataDir, UNFINISHED);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  try {
    const { storage, restored } = await unpack(parts, path);
    await finishDatabase(parts, path);
    await renameDurably(path, pathIn(dataDir));
    await Keyring.create({ ...keyringParts, clock, random }, storage);
    return restored;
  } finally {
    for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(path + suffix, { force: true });
  }
}

const notEmpty = (setting: string) => refuse('CONFIG_INVALID', { setting, reason: 'it is not empty' });

async function requireEmpty({ dataDir }: RestoreParts): Promise<void> {
  const names = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw refuse('CONFIG_INVALID', { setting: 'DATA_DIR', reason: 'it cannot be read' });
  });
  // A volume's own folder, what a killed restore left, and an empty keyring's folder are nobody's data.
  const harmless = (name: string) => name === 'lost+found' || name === 'keyring' || name.startsWith(UNFINISHED);
  if (!names.every(harmless)) throw notEmpty('DATA_DIR');
}

async function unpack({ file, privateKey: text, keys, clock }: RestoreParts, path: string) {
  const privateKey = readPrivateKey(text);
  const from = await opened(file);
  try {
    const read = await readHeader(from, keys.signing.publicKey);
    const { createdAtMs, logSize, schemaVersion, recipientExpiresAtMs } = read.header;
    if (schemaVersion !== SCHEMA_VERSION) throw refuse('BACKUP_INVALID', { check: 'version' });
    // Its private key should be gone by now: holders have said of what was erased that nobody can open it any more.
    if (recipientExpiresAtMs <= clock.nowMs()) throw refuse('BACKUP_INVALID', { check: 'expired' });
    const to = await open(path, 'w', 0o600);
    try {
      const { keyring } = await readPieces(from, to, read, privateKey);
      await to.sync();
      return { storage: decodeStorageKeys(keyring), restored: { createdAtMs, logSize } };
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
    privateKey.privateKey.fill(0);
  }
}

const opened = (file: string): Promise<FileHandle> =>
  open(file, 'r').catch(() => {
    throw refuse('BACKUP_INVALID', { check: 'format', reason: 'it cannot be read' });
  });

/** It is this holder's, whole, and knows of the backups that were made after it and lie beside it. */
async function finishDatabase({ file, keys }: RestoreParts, path: string): Promise<void> {
  const others = await headersBeside(file, keys);
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path);
    const { quick_check: health } = database.prepare('PRAGMA quick_check').get() as { quick_check: string };
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    const known = database.prepare(`SELECT value FROM meta WHERE key = 'identity'`).get() as { value: string };
    if (health !== 'ok' || version !== SCHEMA_VERSION || known.value !== toHex(keys.signing.publicKey)) throw Error();
    const made = new BackupsMade(database);
    for (const { id, expiresAtMs, atMs } of others) made.note({ id, expiresAtMs }, atMs);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    throw refuse('BACKUP_INVALID', { check: 'database' });
  } finally {
    database?.close();
  }
}

async function headersBeside(file: string, keys: HolderKeys) {
  const found: { id: Digest; expiresAtMs: TimestampMs; atMs: TimestampMs }[] = [];
  for (const name of await readdir(dirname(file))) {
    if (!name.endsWith('.backup')) continue;
    const other = await open(join(dirname(file), name), 'r');
    try {
      const { header } = await readHeader(other, keys.signing.publicKey);
      found.push({ id: header.recipientId, expiresAtMs: header.recipientExpiresAtMs, atMs: header.createdAtMs });
    } catch {
      // another holder's, or none
    } finally {
      await other.close();
    }
  }
  return found;
}
