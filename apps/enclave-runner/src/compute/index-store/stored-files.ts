import { randomBytes } from 'node:crypto';
import * as disk from 'node:fs/promises';
import { join } from 'node:path';
import { refuse } from '@usufruct/kernel';

/** What this needs of the file system; tests give one that dies or is full. */
export type FileSystem = Pick<typeof disk, 'mkdir' | 'readdir' | 'stat' | 'open' | 'rename' | 'rm' | 'utimes'>;

export interface StoredFilesOptions {
  readonly folder: string;
  /** All files together; a new one may lie beside them while it is written. */
  readonly maxBytes: number;
  readonly fileSystem?: FileSystem;
}

/** Ids in hexadecimal digits with a kind: no name of ours leads out of the folder. */
const NAME = /^[0-9a-f-]{1,200}\.(?:index|segment)$/;
const UNFINISHED = '.part';

/** What the system calls a failure of a disk, such as `ENOSPC`; null for any other error. */
export const systemCode = (error: unknown): string | null =>
  typeof error === 'object' && error !== null && 'syscall' in error && 'code' in error ? String(error.code) : null;

/**
 * Ciphertext on the runner's disk, by name, bounded in size: what was used longest ago makes room. It is a cache: each
 * file is whole or not there, whenever the process dies, but the host may change, lose or bring back any of them, so
 * whoever reads one proves what it is.
 */
export class StoredFiles {
  /** In the order of use, the oldest first. */
  readonly #sizes = new Map<string, number>();
  #totalBytes = 0;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly folder: string,
    private readonly maxBytes: number,
    private readonly files: FileSystem,
  ) {}

  /** What an earlier process had not finished is deleted. Throws what the file system does. */
  static async openIn({ folder, maxBytes, fileSystem = disk }: StoredFilesOptions): Promise<StoredFiles> {
    await fileSystem.mkdir(folder, { recursive: true, mode: 0o700 });
    const stored = new StoredFiles(folder, maxBytes, fileSystem);
    const found: { name: string; size: number; usedAtMs: number }[] = [];
    for (const name of await fileSystem.readdir(folder)) {
      if (name.endsWith(UNFINISHED)) await fileSystem.rm(join(folder, name), { force: true });
      if (!NAME.test(name)) continue;
      const { size, mtimeMs } = await fileSystem.stat(join(folder, name));
      found.push({ name, size, usedAtMs: mtimeMs });
    }
    found.sort((a, b) => a.usedAtMs - b.usedAtMs);
    for (const { name, size } of found) stored.#note(name, size);
    await stored.#makeRoom(0, '');
    return stored;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }
  sizeOf(name: string): number | undefined {
    return this.#sizes.get(name);
  }
  names(): string[] {
    return [...this.#sizes.keys()];
  }

  /** Null where there is none. Throws what the file system does. */
  async read(name: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const size = this.#sizes.get(name);
    if (size === undefined) return null;
    const path = join(this.folder, name);
    const file = await this.files.open(path, 'r').catch((error: unknown) => this.#goneOr(name, error));
    if (file === null) return null;
    try {
      const bytes = await file.readFile();
      this.#note(name, bytes.length);
      // For the next process; that it cannot be written is no reason not to read.
      const now = new Date();
      await this.files.utimes(path, now, now).catch(() => undefined);
      return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
    } finally {
      await file.close();
    }
  }

  /**
   * Put a whole file in place, on the disk when it returns; until then, and where anything fails, what was there before
   * stays. One that need not be durable is not waited for: when the machine stops, it may be there with other bytes in
   * it, which whoever opens it finds out. Refuses `FILE_TOO_LARGE`; throws what the file system does and what the source throws.
   */
  write(name: string, source: AsyncIterable<Uint8Array>, { isDurable = true } = {}): Promise<void> {
    if (!NAME.test(name)) throw refuse('INVALID_ARGUMENT', { field: 'name' });
    const written = this.#writing.then(() => this.#write(name, source, isDurable));
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #write(name: string, source: AsyncIterable<Uint8Array>, isDurable: boolean): Promise<void> {
    const unfinished = join(this.folder, `${randomBytes(8).toString('hex')}${UNFINISHED}`);
    try {
      const size = await this.#fill(unfinished, source, isDurable);
      await this.#makeRoom(size, name);
      await this.files.rename(unfinished, join(this.folder, name));
      this.#note(name, size);
    } catch (error) {
      await this.files.rm(unfinished, { force: true }).catch(() => undefined);
      throw error;
    }
    if (isDurable) await this.#syncFolder();
  }

  async #fill(path: string, source: AsyncIterable<Uint8Array>, isDurable: boolean): Promise<number> {
    const file = await this.files.open(path, 'wx', 0o600);
    try {
      let size = 0;
      for await (const piece of source) {
        size += piece.length;
        if (size > this.maxBytes) throw refuse('FILE_TOO_LARGE', { limitBytes: String(this.maxBytes) });
        await file.write(piece);
      }
      if (isDurable) await file.sync();
      return size;
    } finally {
      await file.close();
    }
  }

  /** How many of them there were. Throws what the file system does: what cannot be deleted is not called deleted. */
  async remove(names: readonly string[]): Promise<number> {
    await this.#writing;
    const there = names.filter((name) => this.#sizes.has(name));
    for (const name of there) await this.#remove(name);
    if (there.length > 0) await this.#syncFolder();
    return there.length;
  }

  async #remove(name: string): Promise<void> {
    await this.files.rm(join(this.folder, name), { force: true });
    this.#forget(name);
  }

  /** All but `spared` count, which is about to be replaced. */
  async #makeRoom(bytes: number, spared: string): Promise<void> {
    const left = (): number => this.#totalBytes - (this.#sizes.get(spared) ?? 0) + bytes;
    for (const name of this.#sizes.keys()) {
      if (left() <= this.maxBytes) return;
      if (name !== spared) await this.#remove(name);
    }
  }

  #note(name: string, size: number): void {
    this.#forget(name);
    this.#sizes.set(name, size);
    this.#totalBytes += size;
  }

  #forget(name: string): void {
    this.#totalBytes -= this.#sizes.get(name) ?? 0;
    this.#sizes.delete(name);
  }

  #goneOr(name: string, error: unknown): null {
    if (systemCode(error) !== 'ENOENT') throw error;
    this.#forget(name);
    return null;
  }

  async #syncFolder(): Promise<void> {
    const folder = await this.files.open(this.folder, 'r');
    await folder.sync().finally(() => folder.close());
  }
}
