import { refuse, type UsufructError } from '@usufruct/kernel';
import type { RunnerContext } from '../../context.js';
import type { Allowed } from './consent.js';
import type { Session } from './session.js';
import type { Standing } from './standing.js';

/**
 * Why the DAO's policy of this moment ends the job: under `cancel`, the first contribution that the session has used and
 * that is no longer allowed, also where it was dropped before. A grant that was revoked, a contribution that was retired
 * and a grant that has expired are the same here. Null where the job goes on, with what is allowed. Pure.
 */
export function withdrawalOf(
  { job, usedIds }: Pick<Session, 'job' | 'usedIds'>,
  { dao }: Pick<Standing, 'dao'>,
  { refused }: Allowed,
): UsufructError | null {
  if (dao.policy.onRevocation !== 'cancel') return null;
  for (const [contributionId, reason] of refused) {
    if (usedIds.has(contributionId)) return refuse('DATA_WITHDRAWN', { jobId: job.id, contributionId, reason });
  }
  return null;
}

/** For good: no later question of this job opens another session here, not after a restart either. */
export function cancelJob(
  { store, clock, logger }: Pick<RunnerContext, 'store' | 'clock' | 'logger'>,
  session: Session,
  reason: UsufructError,
): void {
  store.cancelJob(session.job.id, clock.nowMs());
  session.end(reason);
  logger.info('job.cancelled', { jobId: session.job.id, code: reason.code });
}
