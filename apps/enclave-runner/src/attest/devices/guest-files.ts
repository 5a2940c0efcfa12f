import { mkdir, open, rmdir, writeFile } from 'node:fs/promises';
import { refuse } from '@usufruct/kernel';

/** The few things that are done with the kernel's files, so that tests can put a kernel in their place. */
export interface GuestFiles {
  makeDirectory(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** To the end, at most 64 KiB. */
  read(path: string): Promise<Uint8Array>;
  /** In one write: the kernel takes it whole or not at all. */
  write(path: string, bytes: Uint8Array): Promise<void>;
}

const BYTES_AT_MOST = 64 * 1024;

export const kernelFiles: GuestFiles = {
  makeDirectory: (path) => mkdir(path).then(() => undefined),
  removeDirectory: (path) => rmdir(path),
  read: async (path) => {
    const file = await open(path, 'r');
    try {
      // The kernel gives no true size for such files, so they are read until they end.
      const buffer = new Uint8Array(BYTES_AT_MOST + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
        length += bytesRead;
        if (length > BYTES_AT_MOST) throw refuse('UPSTREAM_INVALID', { upstream: path, expected: 'at most 64 KiB' });
        if (bytesRead === 0) return buffer.slice(0, length);
      }
    } finally {
      await file.close();
    }
  },
  write: (path, bytes) => writeFile(path, bytes),
};

/** `EBUSY`, …; '' for an error that does not come from the kernel. */
export const kernelCode = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
