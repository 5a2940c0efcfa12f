import { useRefusal } from '@usufruct/consent';
import { refuse, type TimestampMs, type UsufructError } from '@usufruct/kernel';
import { appraisalPolicyDigest, type DaoView, type JobView, type RunnerView } from '@usufruct/protocol';
import { registrationOf } from '../../attest/registration.js';
import type { RunnerContext } from '../../context.js';
import type { JobOnChain } from './consent.js';

/** What a session of a job stands on, as the chain has it now. */
export interface Standing extends JobOnChain {
  /** This runner's registration with the job's DAO; null where there is none, or it was withdrawn. */
  readonly runner: RunnerView | null;
}

/** Refuses `CHAIN_UNAVAILABLE`: what cannot be read now allows nothing. */
export async function readStanding(
  context: Pick<RunnerContext, 'chain' | 'keys'>,
  jobId: JobView['id'],
): Promise<Standing> {
  const { chain } = context;
  const job = await chain.job(jobId);
  const [dao, dataset] = await Promise.all([chain.dao(job.daoId), chain.dataset(job.datasetId)]);
  return { job, dao, dataset, runner: await registrationOf(context, dao) };
}

/**
 * Why a session is over by what the chain says, whatever is granted: the job was closed or its term has ended, the
 * dataset was retired, the DAO is paused or no longer offers this use; or the runner is no longer one, because its
 * registration ended or was withdrawn, its measurement or profile was, or evidence is appraised by other rules since.
 * Null where it goes on. Pure. A runner that was registered again opens another session, with another release.
 */
export function endOf({ job, dao, dataset, runner }: Standing, nowMs: TimestampMs): UsufructError | null {
  const refusal = useRefusal({ dataset, dao, use: job, job, mustJudge: ['job'], nowMs });
  return refusal ?? runnerRefusal(dao, runner, nowMs);
}

function runnerRefusal({ policy }: DaoView, runner: RunnerView | null, nowMs: TimestampMs): UsufructError | null {
  const { appraisal } = policy;
  if (runner === null) return refuse('RUNNER_NOT_REGISTERED', { check: 'registered' });
  if (nowMs >= runner.expiresAtMs) return refuse('RUNNER_NOT_REGISTERED', { check: 'expired' });
  if (!appraisal.measurements.includes(runner.measurement)) {
    return refuse('ATTESTATION_REFUSED', { check: 'measurement' });
  }
  if (!appraisal.profiles.some((profile) => profile === runner.profile)) {
    return refuse('ATTESTATION_REFUSED', { check: 'profile' });
  }
  if (runner.appraisalPolicyDigest === appraisalPolicyDigest(appraisal)) return null;
  return refuse('ATTESTATION_STALE', { policyVersion: String(appraisal.version) });
}
