import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
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

/** Names a file by its content, so that the same one is contributed once from wherever it is read. */
export const contentDigest = (file: LocalFile): Promise<Digest> => digestOfStream(file.open());
