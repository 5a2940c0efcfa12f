import { sign, verify } from '@usufruct/crypto';
import { asTimestampMs, fromBase64, refuse, toBase64 } from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  registrationTermMs,
  RunnerStatementBcs,
  TAGS,
  type RegistrationRequest,
} from '@usufruct/protocol';
import { requireFresh } from '../freshness.js';
import { seatIn, type Holder } from '../holder.js';
import { appraise } from './appraisal.js';

/**
 * Vouch for a runner's key: appraise its evidence against the DAO's policy on the chain and sign the statement that the
 * chain's registry counts. k holders sign the same bytes, because all that could differ between them comes from the
 * request or the chain.
 *
 * Refuses `SIGNATURE_INVALID` (the attested key did not sign the same statement), `INVALID_ARGUMENT` (a time that is not ours), `CHALLENGE_*`, `NOT_FOUND` (the DAO), `FORBIDDEN` (no seat),
 * `ATTESTATION_REFUSED`, `PROFILE_UNSUPPORTED`, `RATE_LIMITED`.
 */
export async function registerRunner(holder: Holder, request: RegistrationRequest) {
  const { daoId, challenge, bundle, payTo, issuedAtMs } = request;
  requireFresh(holder, issuedAtMs);
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
    payTo,
    issuedAtMs,
    expiresAtMs: asTimestampMs(issuedAtMs + registrationTermMs(dao.policy.appraisal)),
  }).toBytes();
  await requireRunnersWord(claims.signingPublicKey, message, request);
  const { secretKey } = holder.keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.runnerStatement, message });
  holder.logger.info('runner.vouched', { daoId, measurement: claims.measurement, standIn: claims.standIn });
  return { statement: toBase64(message), signature: toBase64(signature) };
}

/** The attested key signed these very bytes: whoever carried the request cannot have chosen who is paid. */
async function requireRunnersWord(
  publicKey: Uint8Array,
  message: Uint8Array,
  request: RegistrationRequest,
): Promise<void> {
  const signature = fromBase64(request.signature, 'signature');
  if (!(await verify({ publicKey, domainTag: TAGS.runnerStatement, message, signature }))) {
    throw refuse('SIGNATURE_INVALID', { field: 'signature' });
  }
}
