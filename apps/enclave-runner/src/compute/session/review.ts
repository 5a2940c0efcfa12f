import { toUsufructError } from '@usufruct/kernel';
import type { RunnerContext } from '../../context.js';
import { forgetRetired } from '../extraction/monitor.js';
import type { Session } from './session.js';
import type { Sessions } from './sessions.js';
import { endOf } from './standing.js';
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
  // One that is being opened has registered nobody yet, and asks for itself.
  if (session.usedIds.size === 0 && !session.isOver) return;
  const jobId = session.job.id;
  const { standing, allowed } = await session.memory.read();
  const reason = endOf(standing, context.clock.nowMs());
  if (reason !== null || session.isOver) return sessions.end(jobId, { session, reason });
  const { grants, refused } = allowed;
  const retired = [...refused].flatMap(([id, code]) => (code === 'TOMBSTONED' ? [id] : []));
  await session.drop(retired);
  // After it: an answer from before may have noted something of it meanwhile. A question may have dropped it, too.
  await forgetRetired(
    context,
    retired.filter((id) => session.usedIds.has(id)),
  );
  const withdrawn = withdrawalOf(session, standing, allowed);
  if (withdrawn !== null) {
    cancelJob(context, session, withdrawn);
    return sessions.end(jobId, { session, reason: withdrawn });
  }
  if ([...session.contributionIds].some((id) => !grants.has(id))) await session.restrictTo(new Set(grants.keys()));
  session.noteAllowed(grants.size);
  void session.keep();
}
