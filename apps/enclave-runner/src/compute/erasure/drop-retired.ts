import { toUsufructError, type ContributionId } from '@usufruct/kernel';
import type { RunnerContext } from '../../context.js';
import type { Session } from '../session/session.js';
import type { Sessions } from '../session/sessions.js';

/**
 * Drop from every open session what the chain says is retired. Each question does the same for itself before it is
 * answered; this is for sessions that nobody asks. Never rejects: what cannot be read now is looked at the next time.
 */
export async function dropRetired(
  { chain, logger }: Pick<RunnerContext, 'chain' | 'logger'>,
  sessions: Pick<Sessions, 'all'>,
): Promise<void> {
  const holding = sessions.all().filter(({ contributionIds }) => contributionIds.size > 0);
  const byDataset = Map.groupBy(holding, ({ job }) => job.datasetId);
  for (const [datasetId, open] of byDataset) {
    try {
      const retired = (await chain.contributionsOf(datasetId)).filter(({ tombstonedAtMs }) => tombstonedAtMs !== null);
      for (const { id } of retired) dropFrom(open, id);
    } catch (error) {
      logger.warn('erasure.sweep_failed', { datasetId, code: toUsufructError(error).code });
    }
  }
}

/** How many sessions had it. */
export function dropFrom(sessions: readonly Session[], contributionId: ContributionId): number {
  const had = sessions.filter((session) => session.contributionIds.has(contributionId)).length;
  for (const session of sessions) session.drop(contributionId);
  return had;
}
