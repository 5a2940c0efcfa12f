import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LocalSystemError } from './errors.js';

/**
 * One launcher per home. SQLite's lock is held by the operating system and ends with the process, however it ends.
 * Returns what gives it back.
 */
export function lockHome(home: string): () => void {
  mkdirSync(home, { recursive: true });
  const lock = new DatabaseSync(join(home, 'launcher.lock'));
  try {
    lock.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch {
    lock.close();
    throw new LocalSystemError(`the system of ${home} is running already (set USUFRUCT_HOME for a second one)`);
  }
  return () => lock.close();
}
