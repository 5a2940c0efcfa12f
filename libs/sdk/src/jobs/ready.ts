import { fromWire, refuse, type JobId, type UsufructError } from '@usufruct/kernel';
import type { JobState } from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import { JOB, type JobProgress } from './operations.js';

const BEFORE: readonly JobState[] = ['quoted', 'awaiting_approval', 'funded', 'queued', 'attesting', 'provisioning'];
const LIVE: readonly JobState[] = ['running', 'egress_review', 'settling'];

export interface WireErrorInfo {
  readonly code: string;
  readonly details: readonly { readonly key: string; readonly value: string }[];
}
/** The error that a runner gave, as the API tells it. */
export const errorOf = ({ code, details }: WireErrorInfo): UsufructError =>
  fromWire({ code, details: Object.fromEntries(details.map(({ key, value }) => [key, value])) }, 'runner');

/**
 * Is there a runner that can be asked? Refuses `RUNNER_UNAVAILABLE` (later) while it is being prepared, the runner's
 * error when that failed, and `JOB_STATE` when the session is over. Advice by the API: what it says costs only time.
 */
export async function requireRunning(context: ClientContext, jobId: JobId): Promise<JobProgress> {
  const { job } = await context.api.request(JOB, { jobId });
  if (job === null) throw refuse('NOT_FOUND', { object: 'job' });
  if (LIVE.includes(job.state)) return job;
  if (BEFORE.includes(job.state)) throw refuse('RUNNER_UNAVAILABLE', { state: job.state });
  throw job.error === null ? refuse('JOB_STATE', { state: job.state }) : errorOf(job.error);
}

/**
 * Not there yet, or out of reach for now: the same request may succeed later. A runner registers when it is given a
 * job, and between that and the chain's word lies a moment.
 */
export const isBeingPrepared = ({ code, details, entry }: UsufructError): boolean =>
  entry.retry === 'later' || (code === 'RUNNER_NOT_REGISTERED' && details['check'] === 'registered');
