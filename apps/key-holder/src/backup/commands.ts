import { open, readFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { refuse, systemClock, systemRandom, toHex, type Logger } from '@usufruct/kernel';
import type { Environment } from '@usufruct/service';
import { readConfig } from '../config.js';
import { deriveHolderKeys } from '../identity.js';
import { Keyring } from '../keyring/keyring.js';
import { keyringPartsOf } from '../keyring/open.js';
import { requireKeysOf } from '../keyring/rotate-storage.js';
import { openDatabase } from '../store/database.js';
import { BackupsMade } from './backups-made.js';
import { makeBackup } from './make-backup.js';
import { makeBackupKey } from './recipient.js';
import { restoreBackup } from './restore.js';

const DAY_MS = 86_400_000;
const USUAL_DAYS = 90;

/**
 * What the process does instead of serving:
 *
 *   backup-key DIR [DAYS]   make a recipient of backups and its private key; needs no setting, so it can be done offline
 *   backup                  back up now, with the holder's settings, while the holder is stopped
 *   restore FILE KEY-FILE   with the holder's settings, into an empty DATA_DIR
 *
 * Refuses what they refuse, and `INVALID_ARGUMENT` for another command.
 */
export async function runCommand(
  [command, ...given]: readonly string[],
  environment: Environment,
  logger: Logger,
): Promise<void> {
  if (command === 'backup-key') return backupKey(given, logger);
  if (command === 'backup' && given.length === 0) return backupNow(environment, logger);
  if (command === 'restore' && given.length === 2) return restore(given[0]!, given[1]!, environment, logger);
  throw refuse('INVALID_ARGUMENT', {
    field: 'command',
    expected: 'backup-key DIR [DAYS], backup, or restore FILE KEY-FILE',
  });
}

async function backupKey([dir, days = String(USUAL_DAYS)]: readonly string[], logger: Logger): Promise<void> {
  if (dir === undefined || !/^[0-9]{1,3}$/.test(days)) {
    throw refuse('INVALID_ARGUMENT', { field: 'command', expected: 'backup-key DIR [DAYS]' });
  }
  const made = await makeBackupKey(systemRandom, systemClock.nowMs(), Number(days) * DAY_MS);
  const name = `backup-${made.id.slice(2, 18)}`;
  const [recipientFile, privateKeyFile] = [join(dir, `${name}.recipient.json`), join(dir, `${name}.private.json`)];
  await writeNew(privateKeyFile, made.privateFile);
  await writeNew(recipientFile, made.recipientFile);
  logger.info('backup.key_made', { recipient: made.id, days: Number(days), recipientFile, privateKeyFile });
}

/** Keys are never written over. */
async function writeNew(path: string, text: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx', 0o600);
  } catch {
    throw refuse('INVALID_ARGUMENT', { field: 'DIR', expected: 'a folder in which the file can be made' });
  }
  await file.writeFile(text);
  await file.sync();
  await file.close();
}

async function backupNow(environment: Environment, logger: Logger): Promise<void> {
  const config = readConfig(environment);
  if (config.backup === undefined) throw refuse('CONFIG_INVALID', { setting: 'BACKUP_DIR' });
  const keys = await deriveHolderKeys(config.holderSecret);
  const shared = { keys, clock: systemClock, random: systemRandom };
  const database = openDatabase(config.dataDir, toHex(keys.signing.publicKey), { isExclusive: true });
  try {
    const keyring = Keyring.open(keyringPartsOf({ ...config, ...shared }));
    requireKeysOf(database, keyring);
    const backups = new BackupsMade(database);
    const { path, bytes, recipient } = await makeBackup(
      { ...shared, keyring, database, backups, logger },
      config.backup,
    );
    logger.info('backup.made', { path, bytes, recipient: recipient.id, openableUntilMs: recipient.expiresAtMs });
  } finally {
    database.close();
  }
}

async function restore(file: string, keyFile: string, environment: Environment, logger: Logger): Promise<void> {
  const { dataDir, keyringDir, holderSecret } = readConfig(environment);
  const privateKey = await readFile(keyFile, 'utf8').catch(() => {
    throw refuse('BACKUP_INVALID', { check: 'private key', reason: 'it cannot be read' });
  });
  const restored = await restoreBackup({
    file,
    privateKey,
    dataDir,
    keyringDir,
    keys: await deriveHolderKeys(holderSecret),
    clock: systemClock,
    random: systemRandom,
  });
  logger.info('backup.restored', { ...restored });
}
