import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { refuse } from '@usufruct/kernel';

export interface FolderLock {
  readonly folder: string;
  /** Of the lock's own file. */
  readonly name: string;
  /** Which setting names the folder. */
  readonly setting: string;
}

/** SQLite's result codes. */
const BUSY = [5, 6];

/**
 * One process in a folder. SQLite's lock is held by the operating system and ends with the process, however it ends.
 * Returns what gives it back. Refuses `CONFIG_INVALID` while another process has it; throws what the file system does.
 */
export function lockFolder({ folder, name, setting }: FolderLock): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(folder, name));
  try {
    lock.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (error) {
    lock.close();
    const isTaken =
      typeof error === 'object' && error !== null && 'errcode' in error && BUSY.includes(Number(error.errcode));
    throw isTaken ? refuse('CONFIG_INVALID', { setting, reason: 'another process works in this folder' }) : error;
  }
  return () => lock.close();
}
