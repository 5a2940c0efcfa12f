import { EVIDENCE_PROFILES, LIMITS, parseAt, type AppraisalPolicy } from '@usufruct/protocol';
import { z } from 'zod';
import { jsonOf } from '../evidence-file.js';
import type { TeePolicy } from '../types.js';
import { zTeePolicy } from './tee-policy-book.js';

/**
 * A policy in a file: the appraisal policy as it is on the chain, and the documents for the hardware that the approved
 * measurements pin.
 */
const zPolicyFile = z.strictObject({
  format: z.literal('usufruct/appraisal-policy/v1'),
  policy: z.strictObject({
    version: z.int().positive(),
    profiles: z.array(z.enum(EVIDENCE_PROFILES)).max(EVIDENCE_PROFILES.length),
    measurements: z.array(z.string().regex(/^[0-9a-f]{96}$/)).max(256),
    resultTermMs: z.int().positive().max(LIMITS.runnerRegistrationTermMs),
  }),
  teePolicy: zTeePolicy.exactOptional(),
});

export interface PolicyFile {
  readonly policy: AppraisalPolicy;
  readonly teePolicy?: TeePolicy;
}

/** Refuses `INVALID_ARGUMENT` with the field for text that is not such a file. */
export function readPolicyFile(text: string): PolicyFile {
  const { policy, teePolicy } = parseAt(zPolicyFile, jsonOf(text, 'policy file'), 'policy file');
  return { policy, ...(teePolicy === undefined ? {} : { teePolicy }) };
}
