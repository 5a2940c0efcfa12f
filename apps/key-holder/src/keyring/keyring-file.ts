import * as nodeFs from 'node:fs';
import { join } from 'node:path';
import type { RandomSource } from '@usufruct/kernel';

/** What is used of node:fs; a test puts one in its place that dies between any two calls. */
export type FileSystem = Pick<
  typeof nodeFs,
  | 'chmodSync'
  | 'closeSync'
  | 'existsSync'
  | 'fsyncSync'
  | 'linkSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readFileSync'
  | 'renameSync'
  | 'statSync'
  | 'unlinkSync'
  | 'writeFileSync'
>;

/**
 * One small file that is replaced as a whole: whoever dies in the middle finds the old one or the new one. The old bytes
 * are overwritten before they are unlinked, also by the next process where this one died before it did.
 *
 * It speaks of the file, not of the disk: a file system that copies on write, a snapshot or flash memory keep blocks that
 * no program can reach.
 */
export class KeyringFile {
  constructor(
    private readonly dir: string,
    private readonly random: RandomSource,
    private readonly fs: FileSystem = nodeFs,
  ) {}

  private get path(): string {
    return join(this.dir, 'keyring');
  }
  private get nextPath(): string {
    return `${this.path}.next`;
  }
  private get oldPath(): string {
    return `${this.path}.old`;
  }

  /** Null where there is none. What a killed process left beside it is gone afterwards. */
  read(): Uint8Array | null {
    if (!this.fs.existsSync(this.path)) return null;
    this.tidy();
    return this.fs.readFileSync(this.path);
  }

  /** Durable when it returns, and what was there before is overwritten. */
  replace(bytes: Uint8Array): void {
    const { fs } = this;
    fs.mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    fs.chmodSync(this.dir, 0o700);
    this.tidy();
    this.write(this.nextPath, 'wx', bytes);
    // A second name for what is there, so that it can be found and overwritten after it has lost the first one.
    if (fs.existsSync(this.path)) fs.linkSync(this.path, this.oldPath);
    fs.renameSync(this.nextPath, this.path);
    this.syncFolder();
    if (fs.existsSync(this.oldPath)) this.shred(this.oldPath);
  }

  private tidy(): void {
    const { fs } = this;
    if (fs.existsSync(this.nextPath)) this.shred(this.nextPath);
    if (!fs.existsSync(this.oldPath)) return;
    // Killed before the new one took its place: this is the keyring itself, by its second name.
    const isSame = fs.existsSync(this.path) && fs.statSync(this.oldPath).ino === fs.statSync(this.path).ino;
    if (isSame) fs.unlinkSync(this.oldPath);
    else this.shred(this.oldPath);
    this.syncFolder();
  }

  private shred(path: string): void {
    const { size } = this.fs.statSync(path);
    this.write(path, 'r+', this.random(size));
    this.fs.unlinkSync(path);
    this.syncFolder();
  }

  private write(path: string, flag: 'wx' | 'r+', bytes: Uint8Array): void {
    const file = this.fs.openSync(path, flag, 0o600);
    try {
      this.fs.writeFileSync(file, bytes);
      this.fs.fsyncSync(file);
    } finally {
      this.fs.closeSync(file);
    }
  }

  private syncFolder(): void {
    const folder = this.fs.openSync(this.dir, 'r');
    try {
      this.fs.fsyncSync(folder);
    } finally {
      this.fs.closeSync(folder);
    }
  }
}
