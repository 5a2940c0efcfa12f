import { parseAt, zBase64, zEvidenceBundle, type EvidenceBundle } from '@usufruct/protocol';
import { fromBase64, refuse } from '@usufruct/kernel';
import { z } from 'zod';

/** A whole file; the largest bundle that an appraisal reads fits in it. */
export const EVIDENCE_FILE_BYTES_AT_MOST = 4 * 1024 * 1024;

/** Evidence in a file: a bundle, and the challenge that whoever keeps the file made for it. */
const zEvidenceFile = z.strictObject({
  format: z.literal('usufruct/evidence/v1'),
  /** 32 bytes: one of the bundle's challenges. */
  ownChallenge: zBase64(32),
  bundle: zEvidenceBundle,
});
type WrittenEvidence = z.output<typeof zEvidenceFile>;

export interface EvidenceFile {
  readonly bundle: EvidenceBundle;
  /** Null for a bundle alone: whoever reads it must know which challenge was theirs. */
  readonly ownChallenge: Uint8Array | null;
}

/**
 * The text of a file, as `evidenceFile` writes it, or a bundle alone as it travels. Refuses `INVALID_ARGUMENT` with the
 * field; nothing in it is judged.
 */
export function readEvidenceFile(text: string): EvidenceFile {
  const content = jsonOf(text, 'evidence file');
  const isBare = !(typeof content === 'object' && content !== null && 'format' in content);
  if (isBare) return { bundle: parseAt(zEvidenceBundle, content, 'evidence file'), ownChallenge: null };
  const { bundle, ownChallenge } = parseAt(zEvidenceFile, content, 'evidence file');
  return { bundle, ownChallenge: fromBase64(ownChallenge) };
}

/** What to write, as JSON. */
export const evidenceFile = (bundle: EvidenceBundle, ownChallenge: string): WrittenEvidence => ({
  format: 'usufruct/evidence/v1',
  ownChallenge,
  bundle,
});

/** JSON of a bounded size; refuses `INVALID_ARGUMENT`, and repeats nothing of it. */
export function jsonOf(text: string, boundary: string): unknown {
  if (text.length > EVIDENCE_FILE_BYTES_AT_MOST) {
    throw refuse('INVALID_ARGUMENT', { boundary, expected: `at most ${EVIDENCE_FILE_BYTES_AT_MOST} characters` });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw refuse('INVALID_ARGUMENT', { boundary, expected: 'JSON' });
  }
}
