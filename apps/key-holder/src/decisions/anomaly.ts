import { refuse, toBase64 } from '@usufruct/kernel';
import { LIMITS, type AnomalyReason, type DatasetView, type JobView } from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import type { NewAnomaly } from '../store/anomalies.js';
import type { Asker } from '../store/release-requests.js';

/** What a holder knows of a request when it asks whether the job can need it. */
export interface RequestFacts {
  readonly job: Pick<JobView, 'fundedAtMs' | 'expiresAtMs'>;
  readonly dataset: Pick<DatasetView, 'contributionCount'>;
  /** Contributions in the request. */
  readonly askedFor: number;
  /** Answered to this runner for this job before. */
  readonly requestsBefore: number;
  /** Other keys that this job's shares were released to. */
  readonly otherRunners: number;
}

/**
 * A runner asks again when an answer was lost, a holder was away or a document could not be read, in pauses that grow to
 * 15 s, for as long as a session lasts: 44 times in ten minutes.
 */
const REQUESTS_PER_SESSION = 48;
/** A restart makes new keys, and a job may be handed on; but keys that are made to be given shares look like this, too. */
const RUNNERS_PER_JOB = 16;

/** Why this job cannot need this request, or null. Pure. */
export function anomalyOf({ job, dataset, askedFor, ...past }: RequestFacts): AnomalyReason | null {
  if (askedFor > dataset.contributionCount) return 'more-than-dataset';
  const sessions = Math.max(1, Math.ceil((job.expiresAtMs - job.fundedAtMs) / LIMITS.sessionTermMs));
  if (past.requestsBefore >= sessions * REQUESTS_PER_SESSION) return 'too-often';
  if (past.requestsBefore === 0 && past.otherRunners >= RUNNERS_PER_JOB) return 'too-many-runners';
  return null;
}

/**
 * Refuses `FORBIDDEN` what the job cannot need, and keeps it as an anomaly; and everything of a runner that was stopped
 * for this job. A list that is longer than the dataset stops nobody for good: this holder's view of the chain may be
 * behind the runner's.
 */
export function requireNoAnomaly(
  holder: Holder,
  about: Omit<NewAnomaly, 'reason'>,
  facts: Omit<RequestFacts, 'requestsBefore' | 'otherRunners'>,
): void {
  const { jobId } = about;
  if (holder.anomalies.isStopped(about)) throw refuse('FORBIDDEN', { jobId, reason: 'stopped after an anomaly' });
  const reason = anomalyOf({ ...facts, ...holder.requests.before(about) });
  if (reason === null) return;
  flag(holder, about, reason);
  throw refuse('FORBIDDEN', { jobId, reason });
}

/** The same, and nothing is kept of it: who goes on asking is flagged with the next request. */
export function refuseAnomaly(
  holder: Holder,
  by: Asker,
  facts: Omit<RequestFacts, 'requestsBefore' | 'otherRunners'>,
): void {
  const isStopped = holder.anomalies.isStopped(by);
  const reason = isStopped ? 'stopped after an anomaly' : anomalyOf({ ...facts, ...holder.requests.before(by) });
  if (reason !== null) throw refuse('FORBIDDEN', { jobId: by.jobId, reason });
}

/** Durable when it returns: in the log of this process, in its database and in what it tells the DAO. */
export function flag(holder: Holder, about: Omit<NewAnomaly, 'reason'>, reason: AnomalyReason): void {
  const { jobId, daoId, measurement, runnerSigningKey } = about;
  holder.anomalies.keep({ ...about, reason }, holder.clock.nowMs());
  holder.logger.warn('anomaly', { jobId, daoId, measurement, runnerSigningKey, reason });
}

/** What `GET /v1/anomalies` answers for one DAO. */
export const shownAnomalies = (holder: Holder, daoId: NewAnomaly['daoId']) =>
  holder.anomalies.of(daoId).map(({ request, signature, ...rest }) => ({
    ...rest,
    request: toBase64(request),
    signature: toBase64(signature),
  }));
