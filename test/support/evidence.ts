import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from '@jest/globals';

/** Recorded evidence of real machines; it is no part of this repository. */
const EVIDENCE_DIR = resolve(process.env['EVIDENCE_DIR'] ?? join(import.meta.dirname, '../../../shared/evidence'));

export const readEvidence = (path: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(readFileSync(join(EVIDENCE_DIR, path)));

export const readEvidenceText = (path: string): string => readFileSync(join(EVIDENCE_DIR, path), 'utf8');

/** A group of tests that need a folder of recorded evidence; where it is missing they count as one skip. */
export function describeRecorded(name: string, folder: string, body: () => void): void {
  if (existsSync(join(EVIDENCE_DIR, folder))) {
    describe(name, body);
  } else {
    it.skip(`${name} (skipped: no recorded evidence; EVIDENCE_DIR names no folder with ${folder}/)`, () => undefined);
  }
}
