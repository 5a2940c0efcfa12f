import { sha256, type SigningKey } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64, toHex } from '@usufruct/kernel';
import { parseAt, zBase64 } from '@usufruct/protocol';
import { z } from 'zod';
import type { DeskAnswer } from './appraisal-desk.js';
import { signResult, verifySignedResult, zSignedResult, type EatClaims } from './eat.js';
import { jsonOf } from './evidence-file.js';
import { NVIDIA_ENDORSEMENTS } from './nvidia/endorsements.js';

const KEYS_BYTES_AT_MOST = 128 * 1024;

/**
 * What a verifier keeps of an appraisal, good or bad: its signed result, which names every endorsement that it rested on
 * by its digest, and the keys of NVIDIA's attestation service as they were. The rest can be had again for years; those
 * keys are gone in two days, and signed by nobody.
 */
const zAppraisalRecord = z.strictObject({
  format: z.literal('usufruct/appraisal-record/v1'),
  signed: zSignedResult,
  serviceKeys: zBase64(KEYS_BYTES_AT_MOST).exactOptional(),
});
const zEndorsementDigests = z.record(z.string(), z.string());
export type AppraisalRecord = z.output<typeof zAppraisalRecord>;

export async function recordAppraisal(
  { result, endorsements }: Pick<DeskAnswer, 'result' | 'endorsements'>,
  nowMs: number,
  key: SigningKey,
): Promise<AppraisalRecord> {
  const serviceKeys = endorsements[NVIDIA_ENDORSEMENTS.nrasKeys];
  return {
    format: 'usufruct/appraisal-record/v1',
    signed: await signResult(result, nowMs, key, endorsements),
    ...(serviceKeys === undefined ? {} : { serviceKeys: toBase64(serviceKeys) }),
  };
}

/**
 * The claims of a record in a file: signed by one of these verifiers, good, and not expired; the keys that it keeps are
 * those that the signed result names. Refuses `INVALID_ARGUMENT` for what is no record, `ATTESTATION_REFUSED` and
 * `ATTESTATION_STALE`. Of the evidence itself it proves only that this
 * verifier said so.
 */
export async function verifyAppraisalRecord(
  text: string,
  verifiers: readonly Uint8Array[],
  nowMs: number,
): Promise<EatClaims> {
  const { signed, serviceKeys } = parseAt(zAppraisalRecord, jsonOf(text, 'appraisal record'), 'appraisal record');
  const claims = await verifySignedResult(signed, verifiers, nowMs);
  const named = zEndorsementDigests.safeParse(claims.usufruct['endorsements']).data ?? {};
  const kept = serviceKeys === undefined ? undefined : toHex(sha256(fromBase64(serviceKeys)));
  if (kept !== named[NVIDIA_ENDORSEMENTS.nrasKeys]) throw refuse('ATTESTATION_REFUSED', { checks: 'SERVICE_KEYS' });
  return claims;
}

/** 32 bytes of a verifier's public key. Refuses `INVALID_ARGUMENT`. */
export function verifierKey(text: string, field: string): Uint8Array {
  const key = fromBase64(text.trim(), field);
  if (key.length !== 32) throw refuse('INVALID_ARGUMENT', { field, expected: '32 bytes in base64' });
  return key;
}
