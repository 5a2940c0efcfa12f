import { seal } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64, type ContributionId } from '@usufruct/kernel';
import {
  ReleaseLeafBcs,
  shareReleaseInfo,
  type Claims,
  type DaoView,
  type DatasetView,
  type JobView,
  type Release,
  type ReleaseAnswer,
  type ReleaseLeaf,
  type ReleaseRequest,
} from '@usufruct/protocol';
import { seatIn, type Holder, type Seat } from '../holder.js';
import { appraise } from './appraisal.js';
import { decideRelease, readContributions, type ReleaseDecision } from './release-decision.js';

/** One appraised runner, for one job: what all contributions of a request have in common. */
export interface ReleaseSession {
  readonly job: JobView;
  readonly dao: DaoView;
  readonly dataset: DatasetView;
  readonly seat: Seat;
  readonly claims: Claims;
  /** 32 bytes: our own. */
  readonly challenge: Uint8Array;
}

/**
 * Release this holder's shares to an attested runner: one appraisal, then one decision for each contribution, on this
 * holder's own view of the chain. Every decision, refusals too, is in the log, durably and under a signed head, before
 * any share leaves.
 *
 * The whole request is refused, and not logged, as long as nothing proves who asks: `CHALLENGE_*`, `NOT_FOUND` (the
 * job), `FORBIDDEN` (no seat; more contributions than the dataset has), `ATTESTATION_REFUSED`, `PROFILE_UNSUPPORTED`,
 * `RATE_LIMITED`, `INVALID_ARGUMENT` (the attested HPKE key is no key), `CHAIN_UNAVAILABLE`.
 */
export async function release(holder: Holder, request: ReleaseRequest): Promise<ReleaseAnswer> {
  const session = await openSession(holder, request);
  const contributions = await readContributions(holder, session, request.contributionIds);
  const decisions = await Promise.all(contributions.map((one) => decideRelease(holder, session, one)));
  const wrapped = await Promise.all(decisions.map((decision) => wrapShare(session, decision)));
  const leaves = decisions.map((decision) => leafOf(holder, session, decision));
  const entries = leaves.map((leaf, i) => ({ contributionId: decisions[i]!.contributionId, leaf }));
  const { firstIndex, treeSize, head } = await holder.log.append(entries, session.seat);
  const releases = decisions.map((decision, i): Release => {
    const leafIndex = firstIndex + i;
    return {
      leaf: toBase64(leaves[i]!),
      leafIndex,
      inclusionProof: holder.log.inclusionProof(leafIndex, treeSize),
      ...(decision.share === null ? { refusal: decision.refusal.toWire() } : { wrappedShare: wrapped[i]! }),
    };
  });
  report(holder, session, decisions);
  return { releases, head };
}

async function openSession(holder: Holder, request: ReleaseRequest): Promise<ReleaseSession> {
  const { jobId, challenge, bundle, contributionIds } = request;
  if (new Set(contributionIds).size !== contributionIds.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'contributionIds', expected: 'each contribution once' });
  }
  holder.challenges.consume({ challenge, purpose: 'release', subject: jobId });
  const job = await holder.chain.job(jobId);
  const [dao, dataset] = await Promise.all([holder.chain.dao(job.daoId), holder.chain.dataset(job.datasetId)]);
  const seat = await seatIn(holder, dao.policy.holderSetId);
  const claims = await appraise(holder, { bundle, challenge, jobId, dao });
  holder.releasesPerRunner.take(bundle.signingPublicKey, 'requests of one runner');
  if (contributionIds.length > dataset.contributionCount) {
    const { measurement } = claims;
    holder.logger.warn('anomaly', { jobId, measurement, reason: 'asks for more than the dataset of its job has' });
    throw refuse('FORBIDDEN', { jobId, reason: 'more contributions than the dataset of this job has' });
  }
  const session = { job, dao, dataset, seat, claims, challenge: fromBase64(challenge, 'challenge') };
  await requireUsableKey(session);
  return session;
}

/** An attested key may still be no key: found out before anything is decided, not in the middle. */
async function requireUsableKey({ claims }: ReleaseSession): Promise<void> {
  const empty = new Uint8Array();
  try {
    await seal({ recipientPublicKey: claims.hpkePublicKey, info: empty, aad: empty, plaintext: empty });
  } catch {
    throw refuse('INVALID_ARGUMENT', { field: 'bundle.hpkePublicKey', expected: 'an X25519 public key' });
  }
}

async function wrapShare(session: ReleaseSession, { contributionId, share }: ReleaseDecision): Promise<string | null> {
  if (share === null) return null;
  const info = shareReleaseInfo({
    chainId: session.seat.info.chainId,
    packageId: session.seat.info.packageId,
    policyDigest: session.dao.policyDigest,
    challenge: session.challenge,
    jobId: session.job.id,
    contributionId,
  });
  const recipientPublicKey = session.claims.hpkePublicKey;
  return toBase64(await seal({ recipientPublicKey, info, aad: new Uint8Array(), plaintext: share }));
}

function leafOf({ clock }: Holder, session: ReleaseSession, decision: ReleaseDecision): Uint8Array {
  const { job, claims } = session;
  const leaf: ReleaseLeaf = {
    holderSetId: decision.holderSetId,
    shareIndex: decision.shareIndex,
    jobId: job.id,
    datasetId: job.datasetId,
    contributionId: decision.contributionId,
    grantId: decision.grantId,
    purpose: job.purpose,
    kind: job.kind,
    protection: job.protection,
    measurement: claims.measurement,
    runnerSigningKey: claims.signingPublicKey,
    evidenceDigest: claims.evidenceDigest,
    decision: decision.share === null ? decision.refusal.code : 'RELEASED',
    atMs: clock.nowMs(),
  };
  return ReleaseLeafBcs.serialize(leaf).toBytes();
}

function report({ logger }: Holder, { job, claims }: ReleaseSession, decisions: readonly ReleaseDecision[]): void {
  const refused = decisions.flatMap(
    ({ contributionId, refusal }): { contributionId: ContributionId; code: string }[] =>
      refusal === null ? [] : [{ contributionId, code: refusal.code }],
  );
  const released = decisions.length - refused.length;
  logger.info('release.decided', { jobId: job.id, released, refused: refused.length, standIn: claims.standIn });
  for (const one of refused.slice(0, 16)) logger.info('release.refused', { jobId: job.id, ...one });
}
