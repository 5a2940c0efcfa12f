import { appraisalRefusal, failedChecks, type Appraisal, type AppraisedClaims } from '@usufruct/attestation';
import { fromBase64, type Hex32 } from '@usufruct/kernel';
import type { DaoView, EvidenceBundle } from '@usufruct/protocol';
import { decisionTime } from '../freshness.js';
import type { Holder } from '../holder.js';

/** What the evidence is asked to be good for. */
export interface AppraisalRequest {
  readonly bundle: EvidenceBundle;
  /** Our own, already consumed; base64. */
  readonly challenge: string;
  /** The job, or the DAO at a registration. */
  readonly jobId: Hex32;
  /** As this holder reads it from the chain now: a measurement withdrawn a second ago is not in it. */
  readonly dao: DaoView;
}

/** A result that is good, with what it claims. */
export type GoodAppraisal = Appraisal & { readonly claims: AppraisedClaims };

/**
 * Refuses `PROFILE_UNSUPPORTED`, `ATTESTATION_REFUSED`, which names the checks that failed, and `ATTESTATION_UNENDORSED`
 * where the evidence lacks nothing but what this holder's own endorsements were to show; `RUNNER_NOT_REGISTERED` for a
 * key that the DAO has withdrawn; and what `decisionTime` refuses.
 */
export async function appraise(
  holder: Holder,
  { bundle, challenge, jobId, dao }: AppraisalRequest,
): Promise<GoodAppraisal> {
  const { result, missing } = await holder.desk.appraise({
    bundle,
    ownChallenge: fromBase64(challenge, 'challenge'),
    jobId,
    dao,
    nowMs: await decisionTime(holder),
  });
  const { ok, claims } = result;
  if (ok && claims !== undefined) {
    holder.withdrawnRunners.requireOther(dao.id, claims.signingPublicKey);
    return { ...result, claims };
  }
  const failed = failedChecks(result);
  holder.logger.warn('attestation.refused', { jobId, profile: bundle.profile, failed, missing });
  throw appraisalRefusal({ result, missing });
}
