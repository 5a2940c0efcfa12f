import { useRefusal } from '@usufruct/consent';
import { verify } from '@usufruct/crypto';
import {
  fromBase64,
  refuse,
  type ContributionId,
  type Digest,
  type GrantId,
  type JobId,
  type TimestampMs,
  type UsufructError,
} from '@usufruct/kernel';
import {
  LeaseActionBcs,
  TAGS,
  type Claims,
  type DaoView,
  type DatasetView,
  type EvidenceBundle,
  type JobView,
  type LeaseAction,
} from '@usufruct/protocol';
import { appraise, type GoodAppraisal } from '../decisions/appraisal.js';
import { decisionTime } from '../freshness.js';
import { seatIn, type Holder, type Seat } from '../holder.js';
import type { RestsOn } from '../last-look.js';

/** An attested runner that wants something for one job. */
export interface LeaseSession {
  readonly job: JobView;
  readonly dao: DaoView;
  readonly dataset: DatasetView;
  readonly seat: Seat;
  readonly attestation: GoodAppraisal;
  readonly claims: Claims;
  /** 32 bytes: our own. */
  readonly challenge: Uint8Array;
  /** `decisionTime` when the chain was read. */
  readonly nowMs: TimestampMs;
}

interface Opening {
  readonly jobId: JobId;
  readonly challenge: string;
  readonly bundle: EvidenceBundle;
  readonly signature: string;
  readonly action: LeaseAction;
  /** What the runner signs that it asks for, once the job and our place in the DAO's set are known. */
  about(job: JobView, seat: Seat): Digest;
}

/**
 * Who asks, for which job. As long as nothing proves who asks, the whole request is refused and not logged:
 * `CHALLENGE_*`, `NOT_FOUND` (the job), `FORBIDDEN` (no seat, or stopped), `ATTESTATION_*`, `PROFILE_UNSUPPORTED`,
 * `SIGNATURE_INVALID` (the attested key did not ask for this), `RATE_LIMITED`, `CHAIN_UNAVAILABLE`, `LOG_BEHIND`.
 */
export async function openLeaseSession(holder: Holder, opening: Opening): Promise<LeaseSession> {
  const { jobId, challenge, bundle, action } = opening;
  holder.challenges.consume({ challenge, purpose: action === 'egress' ? 'egress' : 'lease', subject: jobId });
  const views = await readViews(holder, jobId);
  const { job, dao } = views;
  const seat = await seatIn(holder, dao.policy.holderSetId);
  const attestation = await appraise(holder, { bundle, challenge, jobId, dao });
  const { claims } = attestation;
  const message = LeaseActionBcs.serialize({
    chainId: seat.info.chainId,
    action,
    jobId,
    challenge: fromBase64(challenge),
    about: opening.about(job, seat),
  }).toBytes();
  const publicKey = claims.signingPublicKey;
  const signature = fromBase64(opening.signature, 'signature');
  if (!(await verify({ publicKey, domainTag: TAGS.leaseRequest, message, signature }))) {
    throw refuse('SIGNATURE_INVALID', { field: 'signature' });
  }
  if (holder.anomalies.isStopped({ jobId, runnerSigningKey: bundle.signingPublicKey })) {
    throw refuse('FORBIDDEN', { jobId, reason: 'stopped after an anomaly' });
  }
  holder.releaseLimits.perRunner.take(bundle.signingPublicKey, 'requests of one runner');
  holder.releaseLimits.perDataset.take(job.datasetId, 'requests for one dataset');
  holder.releaseLimits.perDao.take(dao.id, 'requests for one DAO');
  return { ...views, seat, attestation, claims, challenge: fromBase64(challenge) };
}

async function readViews(
  holder: Holder,
  jobId: JobId,
): Promise<Pick<LeaseSession, 'job' | 'dao' | 'dataset' | 'nowMs'>> {
  const { chain } = holder;
  const job = await chain.job(jobId);
  const [dao, dataset, nowMs] = await Promise.all([
    chain.dao(job.daoId),
    chain.dataset(job.datasetId),
    decisionTime(holder),
  ]);
  return { job, dao, dataset, nowMs };
}

/** What counts is read last: while the grants are read, the DAO may withdraw a measurement and the job may end. */
export async function readAgain(holder: Holder, session: LeaseSession): Promise<LeaseSession> {
  const views = await readViews(holder, session.job.id);
  return { ...session, ...views, seat: await seatIn(holder, views.dao.policy.holderSetId) };
}

/** What is against it before any grant is looked at. */
export const standingRefusal = ({ job, dao, dataset, attestation, nowMs }: LeaseSession): UsufructError | null =>
  useRefusal({ dataset, dao, use: job, job, attestation, mustJudge: ['job', 'attestation'], nowMs });

export const restsOn = (
  { job, dao, dataset, seat: { set }, nowMs: decidedAtMs }: LeaseSession,
  grants: readonly (ContributionId | GrantId)[] = [],
): RestsOn => ({ job, dao, set, others: [dataset.id, ...grants], decidedAtMs });

/** What a log entry says of who asked. */
export const askerOf = ({ job, claims, seat }: LeaseSession) => ({
  holderSetId: seat.holderSetId,
  jobId: job.id,
  measurement: claims.measurement,
  runnerSigningKey: claims.signingPublicKey,
  evidenceDigest: claims.evidenceDigest,
});
