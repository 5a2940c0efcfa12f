import { createReadStream, existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { refuse } from '@usufruct/kernel';

const FILES = ['', '-wal', '-journal'] as const;

/**
 * Bring the files into the state that the rows are in: the write-ahead log, which still has the old pages, is written
 * back and cut to nothing, and where a deleted row can be found in the file all the same, the file is written anew.
 *
 * It speaks of the files, not of the disk: a file system that copies on write, snapshots, and flash memory keep blocks
 * that no program can reach. What lies there is a share encrypted under this holder's secret. Refuses `INTERNAL`, to be
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
  for (const suffix of FILES) {
    if (existsSync(`${path}${suffix}`) && (await fileHas(`${path}${suffix}`, needles))) return true;
  }
  return false;
}

/** Whether one of these byte strings is in the file; read a piece at a time. */
export async function fileHas(path: string, needles: readonly Uint8Array[]): Promise<boolean> {
  const longest = Math.max(...needles.map(({ length }) => length));
  let kept = Buffer.alloc(0);
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    const bytes = Buffer.concat([kept, piece]);
    if (needles.some((needle) => bytes.includes(Buffer.from(needle)))) return true;
    kept = Buffer.from(bytes.subarray(Math.max(0, bytes.length - longest + 1)));
  }
  return false;
}
