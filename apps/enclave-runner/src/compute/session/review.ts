import { toUsufructError } from '@usufruct/kernel';
import type { RunnerContext } from '../../context.js';
import { forgetShown } from '../extraction/monitor.js';
import { allowedContributions } from './consent.js';
import type { Session } from './session.js';
import type { Sessions } from './sessions.js';
import { endOf, readStanding } from './standing.js';
import { cancelJob, withdrawalOf } from './withdrawal.js';

/**
 * End the sessions that stand on nothing any more, and have the others forget what is no longer allowed. Each question
 * does the same for itself before it is answered; this is for sessions that nobody asks. Never rejects: what cannot be
 * read now is looked at the next time, and no session outlives its term.
 */
export async function reviewSessions(context: RunnerContext, sessions: Pick<Sessions, 'all' | 'end'>): Promise<void> {
  for (const session of sessions.all()) {
    try {
      await review(context, sessions, session);
    } catch (error) {
      context.logger.warn('session.review_failed', { jobId: session.job.id, code: toUsufructError(error).code });
    }
  }
}

async function review(context: RunnerContext, sessions: Pick<Sessions, 'end'>, session: Session): Promise<void> {
  const { chain, clock } = context;
  // One that is being opened has registered nobody yet, and asks for itself.
  if (session.usedIds.size === 0 && !session.isOver) return;
  const { id: jobId, datasetId } = session.job;
  const standing = await readStanding(context, jobId);
  const reason = endOf(standing, clock.nowMs());
  if (reason !== null || session.isOver) return sessions.end(jobId, { session, reason });
  const contributions = await chain.contributionsOf(datasetId);
  const allowed = await allowedContributions(context, standing, contributions, clock.nowMs());
  const { grants } = allowed;
  for (const { id } of contributions.filter(({ tombstonedAtMs }) => tombstonedAtMs !== null)) {
    if (session.contributionIds.has(id)) await forgetShown(context, id);
    session.drop(id);
  }
  const withdrawn = withdrawalOf(session, standing, allowed);
  if (withdrawn !== null) {
    cancelJob(context, session, withdrawn);
    return sessions.end(jobId, { session, reason: withdrawn });
  }
  if ([...session.contributionIds].some((id) => !grants.has(id))) session.restrictTo(new Set(grants.keys()));
  session.noteAllowed(grants.size);
  void session.keep();
}
