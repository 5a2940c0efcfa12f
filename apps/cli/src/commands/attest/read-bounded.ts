import { readFileSync, statSync } from 'node:fs';
import { EVIDENCE_FILE_BYTES_AT_MOST } from '@usufruct/attestation';
import { refuse } from '@usufruct/kernel';

/** A file's text. Refuses `NOT_FOUND` for what cannot be read and `INVALID_ARGUMENT` for what is too large to be one. */
export function readBounded(path: string, what: string): string {
  try {
    if (statSync(path).size <= EVIDENCE_FILE_BYTES_AT_MOST) return readFileSync(path, 'utf8');
  } catch (cause) {
    throw refuse('NOT_FOUND', { object: what, path }, cause);
  }
  throw refuse('INVALID_ARGUMENT', { field: what, expected: `at most ${EVIDENCE_FILE_BYTES_AT_MOST} bytes` });
}
