import { closeSync, existsSync, openSync, read } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { refuse } from '@usufruct/kernel';

const BESIDE = ['-wal', '-journal'] as const;
const PIECE_BYTES = 1024 * 1024;
const readAt = promisify(read);

/**
 * Bring the files into the state that the rows are in: the write-ahead log, which still has the old pages, is written
 * back and cut to nothing, and where a deleted row can be found in the file all the same, the file is written anew.
 *
 * It speaks of the files, not of the disk: a file system that copies on write, snapshots, and flash memory keep blocks
 * that no program can reach. What lies there is under a storage key that rotates. Refuses `INTERNAL`, to be
 * tried again, while something else reads the database.
 */
export async function scrub(database: DatabaseSync, deleted: readonly Uint8Array[]): Promise<void> {
  checkpoint(database);
  if (!(await isAnywhere(database, deleted))) return;
  database.exec('VACUUM');
  checkpoint(database);
  if (await isAnywhere(database, deleted))
    throw refuse('INTERNAL', { reason: 'a destroyed share is in the file still' });
}

/** Where what was deleted is not known any more, the whole file is written anew. */
export function rewrite(database: DatabaseSync): void {
  checkpoint(database);
  database.exec('VACUUM');
  checkpoint(database);
}

function checkpoint(database: DatabaseSync): void {
  const { busy } = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
  if (busy !== 0) throw refuse('INTERNAL', { reason: 'the database is being read' });
}

async function isAnywhere(database: DatabaseSync, needles: readonly Uint8Array[]): Promise<boolean> {
  const path = database.location();
  if (needles.length === 0 || path === null) return false;
  if (await has(descriptorOf(database, path), needles)) return true;
  for (const suffix of BESIDE) {
    if (existsSync(`${path}${suffix}`) && (await fileHas(`${path}${suffix}`, needles))) return true;
  }
  return false;
}

/**
 * Opened once and never closed: a process that closes any descriptor of a file loses all its locks on it (POSIX), and
 * SQLite's would be gone; the next process to open the database would take it for abandoned, and remove the write-ahead
 * log from under this one.
 */
const descriptors = new WeakMap<DatabaseSync, number>();
function descriptorOf(database: DatabaseSync, path: string): number {
  const known = descriptors.get(database);
  if (known !== undefined) return known;
  const descriptor = openSync(path, 'r');
  descriptors.set(database, descriptor);
  return descriptor;
}

/** Whether one of these byte strings is in the file; read a piece at a time. Not for a database that is open here. */
export async function fileHas(path: string, needles: readonly Uint8Array[]): Promise<boolean> {
  const descriptor = openSync(path, 'r');
  try {
    return await has(descriptor, needles);
  } finally {
    closeSync(descriptor);
  }
}

async function has(descriptor: number, needles: readonly Uint8Array[]): Promise<boolean> {
  const longest = Math.max(...needles.map(({ length }) => length));
  let kept = Buffer.alloc(0);
  for (let at = 0; ;) {
    const { bytesRead, buffer } = await readAt(descriptor, Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES, at);
    if (bytesRead === 0) return false;
    at += bytesRead;
    const bytes = Buffer.concat([kept, buffer.subarray(0, bytesRead)]);
    if (needles.some((needle) => bytes.includes(Buffer.from(needle)))) return true;
    kept = Buffer.from(bytes.subarray(Math.max(0, bytes.length - longest + 1)));
  }
}
