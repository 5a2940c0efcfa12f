import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';

/** A file that is being written. */
export interface NewFile {
  write(bytes: Uint8Array): Promise<void>;
  /** When it resolves, what was written outlives a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What the store does to its folder. A port, so that a test can cut it off at any byte and fill the disk. */
export interface StoreFiles {
  makeFolder(path: string): Promise<void>;
  namesIn(path: string): Promise<readonly string[]>;
  create(path: string): Promise<NewFile>;
  /** All bytes, or those from `start` to `end`; `null` where there is no file. Fewer when the file is shorter. */
  read(path: string, start?: number, end?: number): Promise<Uint8Array | null>;
  rename(from: string, to: string): Promise<void>;
  /** Nothing there is no fault. */
  remove(path: string): Promise<void>;
  /** A name in a folder outlives a power cut only when the folder was synced. */
  syncFolder(path: string): Promise<void>;
}

export const diskFiles: StoreFiles = {
  makeFolder: async (path) => void (await mkdir(path, { recursive: true })),
  namesIn: (path) => readdir(path),
  create: async (path) => {
    const file = await open(path, 'wx');
    return {
      write: async (bytes) => file.writeFile(bytes),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  read: async (path, start = 0, end) => {
    const file = await open(path).catch(absentAsNull);
    if (file === null) return null;
    try {
      const length = (end ?? (await file.stat()).size) - start;
      const bytes = new Uint8Array(Math.max(0, length));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  },
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { force: true }),
  syncFolder: async (path) => {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

function absentAsNull(error: unknown): null {
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}
