import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { refuse, type Digest } from '@usufruct/kernel';
import { digestOfStream } from '@usufruct/crypto';

export interface LocalFile {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** Refuses `NOT_FOUND` for what is no readable file. */
export async function localFile(path: string): Promise<LocalFile> {
  const about = await stat(path).catch((cause: unknown) => {
    throw refuse('NOT_FOUND', { object: 'file', path }, cause);
  });
  if (!about.isFile()) throw refuse('NOT_FOUND', { object: 'file', path });
  return { path, name: basename(path), sizeBytes: about.size, open: () => createReadStream(path) };
}

/** A file, or all files of a folder and of those in it, in the order of their paths; what is hidden is left out. */
export async function localFiles(path: string): Promise<LocalFile[]> {
  const about = await stat(path).catch(() => null);
  if (about === null || !about.isDirectory()) return [await localFile(path)];
  const entries = (await readdir(path, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: LocalFile[] = [];
  for (const entry of entries) {
    const inside = join(path, entry.name);
    // Links are followed by nobody here: they may lead out of the folder, or round in a circle.
    if (entry.isDirectory()) files.push(...(await localFiles(inside)));
    else if (entry.isFile()) files.push(await localFile(inside));
  }
  return files;
}

/** Names a file by its content, so that the same one is contributed once from wherever it is read. */
export const contentDigest = (file: LocalFile): Promise<Digest> => digestOfStream(file.open());
