import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { backup, type DatabaseSync } from 'node:sqlite';
import {
  asTimestampMs,
  refuse,
  toHex,
  toUsufructError,
  type Clock,
  type Logger,
  type RandomSource,
} from '@usufruct/kernel';
import type { HolderKeys } from '../identity.js';
import { encodeStorageKeys } from '../keyring/contents.js';
import type { Keyring } from '../keyring/keyring.js';
import { SCHEMA_VERSION } from '../store/database.js';
import { readHeader, writeBackup } from './backup-file.js';
import type { BackupsMade } from './backups-made.js';
import { readRecipient, type BackupRecipient } from './recipient.js';
import { renameDurably } from './rename-durably.js';

export interface BackupParts {
  readonly keys: HolderKeys;
  readonly keyring: Keyring;
  readonly database: DatabaseSync;
  readonly backups: BackupsMade;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
}
export interface BackupSettings {
  readonly dir: string;
  /** Read anew for each backup: the operator puts the next recipient in its place before this one expires. */
  readonly recipientFile: string;
  /** Older ones are removed from `dir`, as soon as there is a newer one. */
  readonly retentionMs: number;
}
export interface MadeBackup {
  readonly path: string;
  readonly bytes: number;
  readonly recipient: BackupRecipient;
}

/**
 * One file with everything that this holder needs beside its secret: a snapshot of the database as it is at one moment,
 * and the generations of the storage key that its rows are under; not the keys that shares are sealed to. Encrypted to
 * the recipient, who is offline. That one was made is noted before it is begun, so that what is said of an erasure later
 * is never too little. Not while the storage key rotates, or shares are destroyed.
 *
 * Refuses `CONFIG_INVALID` naming `BACKUP_RECIPIENT` for one that has expired, or is none.
 */
export async function makeBackup(parts: BackupParts, settings: BackupSettings): Promise<MadeBackup> {
  const { database, backups, clock, keys } = parts;
  const recipient = await usableRecipient(settings.recipientFile, clock);
  const createdAtMs = clock.nowMs();
  backups.note(recipient, createdAtMs);
  await mkdir(settings.dir, { recursive: true, mode: 0o700 });
  const path = join(settings.dir, nameOf(keys, createdAtMs));
  const folder = mkdtempSync(join(folderOf(database), UNFINISHED));
  try {
    const snapshot = join(folder, 'snapshot.sqlite');
    await backup(database, snapshot);
    await writeDurably(parts, { path, snapshot, recipient, createdAtMs });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  await removeOld(parts, settings, path);
  const { size: bytes } = await stat(path);
  return { path, bytes, recipient };
}

const noRecipient = (reason: string) => refuse('CONFIG_INVALID', { setting: 'BACKUP_RECIPIENT', reason });

/** Also one that has expired: a holder that only has to be given another one starts. Refuses `CONFIG_INVALID`. */
export async function recipientIn(path: string): Promise<BackupRecipient> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw noRecipient('it cannot be read');
  });
  return readRecipient(text);
}

async function usableRecipient(path: string, clock: Clock): Promise<BackupRecipient> {
  const recipient = await recipientIn(path);
  if (recipient.expiresAtMs <= clock.nowMs()) throw noRecipient('it has expired: make another one');
  return recipient;
}

const UNFINISHED = 'backup-';
/** What a killed process left in clear in the data's folder: a copy of what lies beside it. */
export function removeUnfinished(dataDir: string): void {
  for (const entry of readdirSync(dataDir, { withFileTypes: true })) {
    if (entry.isDirectory() && entry.name.startsWith(UNFINISHED)) {
      rmSync(join(dataDir, entry.name), { recursive: true, force: true });
    }
  }
}

function folderOf(database: DatabaseSync): string {
  const location = database.location();
  if (location === null) throw refuse('INTERNAL');
  return dirname(location);
}

interface Making {
  readonly path: string;
  readonly snapshot: string;
  readonly recipient: BackupRecipient;
  readonly createdAtMs: ReturnType<Clock['nowMs']>;
}

async function writeDurably(parts: BackupParts, { path, snapshot, recipient, createdAtMs }: Making): Promise<void> {
  const { keys, keyring, database, random } = parts;
  const { n: logSize } = database.prepare('SELECT count(*) AS n FROM leaves').get() as { n: number };
  const [from, to] = [await open(snapshot, 'r'), await open(`${path}.unfinished`, 'w', 0o600)];
  const storage = encodeStorageKeys(keyring.storage.all());
  try {
    await writeBackup(to, {
      signing: keys.signing,
      recipient,
      about: { createdAtMs, schemaVersion: SCHEMA_VERSION, logSize, databaseBytes: (await from.stat()).size },
      keyring: storage,
      database: from,
      random,
    });
    await to.sync();
  } finally {
    storage.fill(0);
    await Promise.all([from.close(), to.close()]);
  }
  await renameDurably(`${path}.unfinished`, path);
}

const idOf = ({ signing }: HolderKeys): string => toHex(signing.publicKey).slice(0, 16);
const nameOf = (keys: HolderKeys, atMs: number): string =>
  `key-holder-${idOf(keys)}-${String(atMs).padStart(14, '0')}.backup`;

/** Of this holder's: those that are older than the retention, that nobody may open any more, or that were never ended. */
async function removeOld(
  { keys, clock, logger }: BackupParts,
  settings: BackupSettings,
  newest: string,
): Promise<void> {
  const own = new RegExp(`^key-holder-${idOf(keys)}-[0-9]{14}\\.backup(\\.unfinished)?$`);
  for (const name of await readdir(settings.dir)) {
    const path = join(settings.dir, name);
    if (!own.test(name) || path === newest) continue;
    try {
      if (await isOld(path, keys, clock.nowMs(), settings.retentionMs)) await rm(path);
    } catch (error) {
      logger.warn('backup.not_removed', { name, code: toUsufructError(error).code });
    }
  }
}

async function isOld(path: string, keys: HolderKeys, nowMs: number, retentionMs: number): Promise<boolean> {
  if (path.endsWith('.unfinished')) return true;
  const file = await open(path, 'r');
  try {
    const { header } = await readHeader(file, keys.signing.publicKey);
    return header.createdAtMs < asTimestampMs(nowMs) - retentionMs || header.recipientExpiresAtMs <= nowMs;
  } finally {
    await file.close();
  }
}
