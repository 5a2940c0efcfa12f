import { failedChecks, type RootSet } from '@usufruct/attestation';
import { fixedEndorsements } from '@usufruct/endorsements';
import { asTimestampMs, fromBase64 } from '@usufruct/kernel';
import { decodeEndorsements, type Report } from './report.js';
import { appraise } from './trials.js';

/**
 * The evidence of a report judged anew as of then, by the policy and the endorsements that it holds and these roots: the
 * names of the checks that fail, none where it is good. That nonce, policy and measurement were the right ones to ask for
 * is its signer's word alone; the measurement can be held against the chain.
 */
export async function judgeAgain(report: Report, roots: RootSet): Promise<readonly string[]> {
  const { atMs, measurement, teePolicy, evidence } = report;
  const endorsements = fixedEndorsements(decodeEndorsements(report.endorsements));
  const judging = {
    desk: { roots, endorsements },
    teePolicy,
    measurement,
    jobId: evidence.bundle.jobId,
    clock: { nowMs: () => asTimestampMs(atMs) },
  };
  const { result } = await appraise(judging, evidence.bundle, fromBase64(evidence.nonce));
  if (result.ok) return [];
  const failed = failedChecks(result);
  return failed.length === 0 ? ['a required check is missing'] : failed;
}
