import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** SQLite copies the log into the database at this size, and begins it anew: a thousand pages of 4 KiB. */
const LOG_BYTES = 1_000 * 4_096;
/** SQLite's result code. */
const FULL = 13;

/**
 * Gives the write-ahead log of a database its full size beforehand. SQLite writes over what is there, and that is on the
 * disk several times as fast as what makes the file longer, which the file system must note in a journal of its own. Without
 * it the first thousand pages after each start are slow. Costs about 4 MB of disk, once; nothing for one in memory, and
 * where the disk is full.
 */
export function reserveLog(database: DatabaseSync): void {
  const file = database.location();
  if (file === null) return;
  try {
    // Where the process ended in the middle of this.
    database.exec('drop table if exists log_reserve');
    if (logBytes(file) >= LOG_BYTES) return;
    // In two steps: what is dropped before it is written is not written at all.
    database.exec('create table log_reserve (filler blob) strict');
    database.prepare('insert into log_reserve values (zeroblob(?))').run(LOG_BYTES);
    database.exec('drop table log_reserve; pragma wal_checkpoint(restart)');
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

const isFull = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === FULL;

const logBytes = (file: string): number => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
