import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { refuse } from '@usufruct/kernel';

const FILES_AT_MOST = 4_096;

/**
 * What a model is known by, 32 bytes: the SHA-256 of its file, or, of a folder, that of the list which
 * `find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum` prints in it, so that anybody can say it again.
 *
 * Refuses `CONFIG_INVALID` naming the setting for what cannot be read, for an empty folder, and for a folder with
 * anything but files and folders: what a link points to can change. Does not prove that the server uses these files, or
 * that they stay as they are: that is for the measured image.
 */
export async function hashModel(setting: string, path: string): Promise<Uint8Array> {
  try {
    const kind = await lstat(path);
    if (kind.isFile()) return await hashFile(path);
    if (kind.isDirectory()) return await hashFolder(path);
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting, expected: EXPECTED }, cause);
  }
  throw refuse('CONFIG_INVALID', { setting, expected: EXPECTED });
}

const EXPECTED = 'a file, or a folder of files, that can be read';

async function hashFolder(folder: string): Promise<Uint8Array> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  const isPlain = files.length > 0 && files.length <= FILES_AT_MOST && files.every((entry) => entry.isFile());
  if (!isPlain) throw new Error('not a folder of files');
  const names = files.map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  const list = createHash('sha256');
  for (const name of names.sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))) {
    list.update(`${Buffer.from(await hashFile(join(folder, name))).toString('hex')}  ${name}\n`);
  }
  return new Uint8Array(list.digest());
}

async function hashFile(file: string): Promise<Uint8Array> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file, { highWaterMark: 1024 ** 2 })) hash.update(piece as Buffer);
  return new Uint8Array(hash.digest());
}
