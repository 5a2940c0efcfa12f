import { toUsufructError } from '@usufruct/kernel';
import type { DaoView } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { grantsNow } from '../../keys/leased-key.js';
import type { Session } from './session.js';

export interface KeepOptions {
  /** Read anew without. */
  readonly dao?: DaoView;
  readonly isNew?: boolean;
}

/**
 * Have the disk keep the session's index as it is, under a new key for the grants as they are now, where it has none.
 * Tried once for each change of the index: the next session does without where it fails. Never rejects.
 *
 * A session that just opened what the disk's index had not (`isNew`) replaces that one; another one's may be as good.
 */
export async function keepIndex(
  context: RunnerContext,
  session: Session,
  { dao, isNew = false }: KeepOptions,
): Promise<void> {
  const { indexes, chain, logger } = context;
  const contents = session.notKept;
  if (indexes === undefined || contents === null || contents.documents.length === 0) return;
  session.settleKept(contents);
  const { job } = session;
  const { corpus, documents, unreadable, sketchKey } = contents;
  const keepAsItIs = async (replaces: boolean): Promise<void> => {
    if (!session.searches(corpus)) return;
    const index = await corpus.encoded();
    const grants = await grantsNow(context, job);
    const usable = new Set(grants.usable);
    const isCurrent = documents.every(({ contributionId }) => usable.has(contributionId));
    // What was revoked meanwhile leaves the session with the next question or review, and then it is kept without.
    if (!isCurrent) return;
    const kept = { documents, unreadable, sketchKey, index };
    await indexes.keep(context, { job, dao: dao ?? (await chain.dao(job.daoId)), grants }, kept, replaces);
  };
  try {
    // After a revocation it is completed again in the background, and may be revised once more meanwhile.
    await corpus.fitted;
    await keepAsItIs(isNew);
    // That takes minutes, which the session may not have: so it was kept without, too.
    if (await corpus.linked) await keepAsItIs(true);
  } catch (error) {
    logger.warn('index.not_kept', { jobId: job.id, reason: toUsufructError(error).code });
  }
}
