import { lockFolder } from '@usufruct/service';
import { UsufructError } from '@usufruct/kernel';
import { LocalSystemError } from './errors.js';

/** One launcher per home. Returns what gives it back. */
export function lockHome(home: string): () => void {
  try {
    return lockFolder({ folder: home, name: 'launcher.lock', setting: 'USUFRUCT_HOME' });
  } catch (error) {
    if (!(error instanceof UsufructError)) throw error;
    throw new LocalSystemError(`the system of ${home} is running already (set USUFRUCT_HOME for a second one)`);
  }
}
