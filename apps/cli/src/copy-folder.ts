import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { refuse } from '@usufruct/kernel';

/** Files of ciphertext by name, in one folder of the owner's; several contributions may share it. */
export interface CopyFolder {
  readonly keep: (name: string, bytes: Uint8Array) => Promise<void>;
  /** Null for what is not there. */
  readonly read: (name: string) => Promise<Uint8Array | null>;
}

/** A file has its name only once all of it is on the disk. */
export function copyFolder(path: string): CopyFolder {
  return {
    async keep(name, bytes) {
      await mkdir(path, { recursive: true });
      const file = await open(join(path, `${name}.new`), 'w');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(join(path, `${name}.new`), join(path, name));
    },
    async read(name) {
      try {
        return new Uint8Array(await readFile(join(path, name)));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw refuse('NOT_FOUND', { object: 'copy', path }, cause);
      }
    },
  };
}
