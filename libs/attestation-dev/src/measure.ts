import { lengthPrefixed, refuse, toHex, utf8 } from '@usufruct/kernel';

export interface MeasuredFile {
  /** Relative, with forward slashes: the same on every machine. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * The measurement of a set of files: SHA-384 over each path and content, length-prefixed, in order of the paths' code
 * units. 96 lower-case hex digits. Order of the argument, time stamps and modes do not matter; a renamed, added,
 * removed or changed file does. Refuses `INVALID_ARGUMENT` for no files or a path given twice.
 */
export async function measureFiles(files: readonly MeasuredFile[]): Promise<string> {
  const paths = new Set(files.map((file) => file.path));
  if (files.length === 0 || paths.size !== files.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'files', expected: 'at least one, each path once' });
  }
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const message = lengthPrefixed(...sorted.flatMap(({ path, bytes }) => [utf8(path), bytes]));
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-384', message)));
}
