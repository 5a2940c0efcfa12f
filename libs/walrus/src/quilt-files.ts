import { refuse } from '@usufruct/kernel';
import type { QuiltFile, StoreAbilities } from './blob-store.js';

/**
 * A part of what Walrus allows (unique, not empty, not beginning with `_`, at most 65,535 bytes): what is the same in a
 * URL, a header and a form field whoever writes or reads it.
 */
const IDENTIFIER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const MOST_TAGS = 16;
const TAG = /^[\x20-\x7e]{1,256}$/;

/**
 * Refuses what cannot be a quilt before anything is sent: `FILE_EMPTY`, `REQUEST_TOO_LARGE` (more files or bytes than
 * the store takes), `INVALID_ARGUMENT` (an identifier or a tag that is not allowed, or an identifier that is there twice).
 */
export function requireQuiltFiles(
  files: readonly QuiltFile[],
  { maxQuiltFiles, maxBlobBytes }: Pick<StoreAbilities, 'maxQuiltFiles' | 'maxBlobBytes'>,
): void {
  if (files.length === 0 || files.some(({ bytes }) => bytes.length === 0)) throw refuse('FILE_EMPTY');
  if (files.length > maxQuiltFiles) throw refuse('REQUEST_TOO_LARGE', { limitFiles: String(maxQuiltFiles) });
  const totalBytes = files.reduce((total, { bytes }) => total + bytes.length, 0);
  if (totalBytes > maxBlobBytes) throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(maxBlobBytes) });
  const identifiers = new Set(files.map(({ identifier }) => identifier));
  if (identifiers.size !== files.length || files.some(({ identifier }) => !IDENTIFIER.test(identifier)))
    throw refuse('INVALID_ARGUMENT', { field: 'identifier', expected: 'unique, of letters, digits, dot, dash, _' });
  if (files.some(({ tags = {} }) => !areTags(tags)))
    throw refuse('INVALID_ARGUMENT', { field: 'tags', expected: `at most ${MOST_TAGS} of printable ASCII` });
}

function areTags(tags: Readonly<Record<string, string>>): boolean {
  const entries = Object.entries(tags);
  return entries.length <= MOST_TAGS && entries.every(([key, value]) => TAG.test(key) && TAG.test(value));
}
