import { sign } from '@usufruct/crypto';
import { asTimestampMs, refuse, toBase64, type TimestampMs } from '@usufruct/kernel';
import { appraisalPolicyDigest, LIMITS, RunnerStatementBcs, TAGS, type RegistrationRequest } from '@usufruct/protocol';
import { seatIn, type Holder } from '../holder.js';
import { appraise } from './appraisal.js';

/**
 * Vouch for a runner's key: appraise its evidence against the DAO's policy on the chain and sign the statement that the
 * chain's registry counts. k holders sign the same bytes, because all that could differ between them comes from the
 * request or the chain.
 *
 * Refuses `INVALID_ARGUMENT` (a time that is not ours), `CHALLENGE_*`, `NOT_FOUND` (the DAO), `FORBIDDEN` (no seat),
 * `ATTESTATION_REFUSED`, `PROFILE_UNSUPPORTED`, `RATE_LIMITED`.
 */
export async function registerRunner(holder: Holder, request: RegistrationRequest) {
  const { daoId, challenge, bundle, issuedAtMs } = request;
  requireOurTime(holder, issuedAtMs);
  holder.challenges.consume({ challenge, purpose: 'registration', subject: daoId });
  const dao = await holder.chain.dao(daoId);
  const { info } = await seatIn(holder, dao.policy.holderSetId);
  const claims = await appraise(holder, { bundle, challenge, jobId: daoId, dao });
  holder.releasesPerRunner.take(bundle.signingPublicKey, 'requests of one runner');
  const message = RunnerStatementBcs.serialize({
    chainId: info.chainId,
    daoId,
    profile: claims.profile,
    measurement: claims.measurement,
    signingPublicKey: claims.signingPublicKey,
    hpkePublicKey: claims.hpkePublicKey,
    appraisalPolicyDigest: appraisalPolicyDigest(dao.policy.appraisal),
    issuedAtMs,
    expiresAtMs: asTimestampMs(issuedAtMs + LIMITS.runnerRegistrationTermMs),
  }).toBytes();
  const { secretKey } = holder.keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.runnerStatement, message });
  holder.logger.info('runner.vouched', { daoId, measurement: claims.measurement, standIn: claims.standIn });
  return { statement: toBase64(message), signature: toBase64(signature) };
}

function requireOurTime({ clock }: Holder, issuedAtMs: TimestampMs): void {
  if (Math.abs(issuedAtMs - clock.nowMs()) > LIMITS.clockSkewMs) {
    throw refuse('INVALID_ARGUMENT', { field: 'issuedAtMs', expected: `within ${LIMITS.clockSkewMs} ms of our clock` });
  }
}
