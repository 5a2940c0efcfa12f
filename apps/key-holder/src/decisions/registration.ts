import { sign, verify } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64 } from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  registrationTermMs,
  RunnerStatementBcs,
  TAGS,
  type AppraisalPolicy,
  type RegistrationRequest,
} from '@usufruct/protocol';
import { requireFresh } from '../freshness.js';
import { seatIn, type Holder } from '../holder.js';
import { appraise, type GoodAppraisal } from './appraisal.js';

/**
 * Vouch for a runner's key: appraise its evidence against the DAO's policy on the chain and sign the statement that the
 * chain's registry counts. k holders sign the same bytes, because all that could differ between them comes from the
 * request or the chain.
 *
 * Refuses `SIGNATURE_INVALID` (the attested key did not sign the same statement), `INVALID_ARGUMENT` (a time that is not
 * ours; an end that is later than this holder would sign, with the latest that it would in `latestMs`), `CHALLENGE_*`,
 * `NOT_FOUND` (the DAO), `FORBIDDEN` (no seat), `ATTESTATION_REFUSED`, `PROFILE_UNSUPPORTED`, `RATE_LIMITED`.
 */
export async function registerRunner(holder: Holder, request: RegistrationRequest) {
  const { daoId, challenge, bundle, payTo, issuedAtMs, expiresAtMs } = request;
  requireFresh(holder, issuedAtMs);
  holder.challenges.consume({ challenge, purpose: 'registration', subject: daoId });
  const dao = await holder.chain.dao(daoId);
  const { info } = await seatIn(holder, dao.policy.holderSetId);
  const appraisal = await appraise(holder, { bundle, challenge, jobId: daoId, dao });
  const { claims } = appraisal;
  holder.releaseLimits.perRunner.take(bundle.signingPublicKey, 'requests of one runner');
  requireEnd(request, dao.policy.appraisal, appraisal);
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
    expiresAtMs,
  }).toBytes();
  await requireRunnersWord(claims.signingPublicKey, message, request);
  const { secretKey } = holder.keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.runnerStatement, message });
  holder.logger.info('runner.vouched', { daoId, measurement: claims.measurement, standIn: claims.standIn });
  return { statement: toBase64(message), signature: toBase64(signature) };
}

/**
 * A registration never outlives what its appraisal rests on: what was collateral then is none afterwards. The term counts
 * from the runner's time, on which all holders agree, and not from the moment of this appraisal.
 */
function requireEnd(
  { issuedAtMs, expiresAtMs }: RegistrationRequest,
  policy: AppraisalPolicy,
  { claims }: GoodAppraisal,
): void {
  const latestMs = Math.min(issuedAtMs + registrationTermMs(policy), claims.endorsedUntilMs);
  if (expiresAtMs > issuedAtMs && expiresAtMs <= latestMs) return;
  throw refuse('INVALID_ARGUMENT', {
    field: 'expiresAtMs',
    expected: 'after issuedAtMs, and not later than latestMs',
    latestMs: String(latestMs),
  });
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
