import { seal, verify } from '@usufruct/crypto';
import { fromBase64, refuse, type Digest } from '@usufruct/kernel';
import {
  contributionListDigest,
  ReleaseRequestBcs,
  TAGS,
  type Claims,
  type DaoView,
  type DatasetView,
  type JobView,
  type ReleaseRequest,
} from '@usufruct/protocol';
import { seatIn, type Holder, type Seat } from '../holder.js';
import type { Asker } from '../store/release-requests.js';
import { flag, refuseAnomaly, requireNoAnomaly } from './anomaly.js';
import { appraise, type GoodAppraisal } from './appraisal.js';

/** One appraised runner, for one job: what all contributions of a request have in common. */
export interface ReleaseSession {
  readonly job: JobView;
  readonly dao: DaoView;
  readonly dataset: DatasetView;
  readonly seat: Seat;
  readonly attestation: GoodAppraisal;
  readonly claims: Claims;
  /** 32 bytes: our own. */
  readonly challenge: Uint8Array;
  /** `contributionListDigest` of what was asked for. */
  readonly asked: Digest;
  readonly by: Asker;
  /** Keeps an anomaly of this request, with the runner's word for it. */
  readonly flag: (reason: Parameters<typeof flag>[2]) => void;
  /** In the end once more: those that came at once have been counted by then. Refuses `FORBIDDEN`. */
  readonly requireStillNoAnomaly: () => void;
}

/** Who asks, for what, and whether they may ask at all. Refuses what `release` refuses as a whole. */
export async function openSession(holder: Holder, request: ReleaseRequest): Promise<ReleaseSession> {
  const { jobId, challenge, bundle, contributionIds } = request;
  if (new Set(contributionIds).size !== contributionIds.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'contributionIds', expected: 'each contribution once' });
  }
  holder.challenges.consume({ challenge, purpose: 'release', subject: jobId });
  const job = await holder.chain.job(jobId);
  const [dao, dataset] = await Promise.all([holder.chain.dao(job.daoId), holder.chain.dataset(job.datasetId)]);
  const seat = await seatIn(holder, dao.policy.holderSetId);
  const attestation = await appraise(holder, { bundle, challenge, jobId, dao });
  const { claims } = attestation;
  const asked = contributionListDigest(contributionIds);
  const signed = await requireRunnersWord(request, claims, seat.info.chainId, asked);
  limitRate(holder, request, dao, dataset);
  const by: Asker = { jobId, runnerSigningKey: bundle.signingPublicKey };
  const about = { ...by, ...signed, daoId: dao.id, datasetId: dataset.id, measurement: claims.measurement };
  const facts = { job, dataset, askedFor: contributionIds.length };
  requireNoAnomaly(holder, about, facts);
  await requireUsableKey(claims);
  return {
    job,
    dao,
    dataset,
    seat,
    attestation,
    claims,
    challenge: fromBase64(challenge, 'challenge'),
    asked,
    by,
    flag: (reason) => flag(holder, about, reason),
    requireStillNoAnomaly: () => refuseAnomaly(holder, by, facts),
  };
}

/** The attested key signed this list for this challenge: what is asked for is the runner's own doing. */
async function requireRunnersWord(
  request: ReleaseRequest,
  { signingPublicKey: publicKey }: Claims,
  chainId: string,
  asked: Digest,
): Promise<{ readonly request: Uint8Array; readonly signature: Uint8Array }> {
  const { jobId } = request;
  const challenge = fromBase64(request.challenge, 'challenge');
  const message = ReleaseRequestBcs.serialize({ chainId, jobId, challenge, asked }).toBytes();
  const signature = fromBase64(request.signature, 'signature');
  if (!(await verify({ publicKey, domainTag: TAGS.releaseRequest, message, signature }))) {
    throw refuse('SIGNATURE_INVALID', { field: 'signature' });
  }
  return { request: message, signature };
}

/** Only what an attested runner asks for counts, so that nobody else uses up what is allowed. */
function limitRate(
  { releaseLimits }: Holder,
  { bundle, contributionIds }: ReleaseRequest,
  dao: DaoView,
  dataset: DatasetView,
): void {
  releaseLimits.perRunner.take(bundle.signingPublicKey, 'requests of one runner');
  releaseLimits.perDataset.take(dataset.id, 'requests for one dataset');
  releaseLimits.perDao.take(dao.id, 'requests for one DAO');
  releaseLimits.sharesPerRunner.take(bundle.signingPublicKey, 'shares of one runner', contributionIds.length);
  releaseLimits.sharesPerDao.take(dao.id, 'shares of one DAO', contributionIds.length);
}

/** An attested key may still be no key: found out before anything is decided, not in the middle. */
async function requireUsableKey({ hpkePublicKey }: Claims): Promise<void> {
  const empty = new Uint8Array();
  try {
    await seal({ recipientPublicKey: hpkePublicKey, info: empty, aad: empty, plaintext: empty });
  } catch {
    throw refuse('INVALID_ARGUMENT', { field: 'bundle.hpkePublicKey', expected: 'an X25519 public key' });
  }
}
