import { decide } from '@usufruct/consent';
import type { ContributionId, ErrorCode, GrantId, TimestampMs } from '@usufruct/kernel';
import type { ContributionView, DaoView, DatasetView, JobView } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { mapWindow } from '../../map-window.js';

const READS_AT_ONCE = 16;

export interface Allowed {
  /** The grant under which each contribution may be used. */
  readonly grants: ReadonlyMap<ContributionId, GrantId>;
  readonly refused: ReadonlyMap<ContributionId, ErrorCode>;
}

/** What the chain says about the work, read for each question anew. */
export interface JobOnChain {
  readonly job: JobView;
  readonly dao: DaoView;
  readonly dataset: DatasetView;
}

/**
 * Which of these contributions the job may use, by the grants and tombstones that the chain has now. The holders decide
 * the same for themselves before they release a key; the runner asks again for every question, so that a revocation or
 * a retirement counts from the next one.
 */
export async function allowedContributions(
  { chain }: Pick<RunnerContext, 'chain'>,
  { job, dao, dataset }: JobOnChain,
  contributions: readonly ContributionView[],
  nowMs: TimestampMs,
): Promise<Allowed> {
  const grants = new Map<ContributionId, GrantId>();
  const refused = new Map<ContributionId, ErrorCode>();
  const decisions = await mapWindow(contributions, READS_AT_ONCE, async (contribution) =>
    decide({ contribution, dataset, grants: await chain.grantsOf(contribution.id), dao, use: job, job, nowMs }),
  );
  contributions.forEach(({ id }, i) => {
    const decision = decisions[i]!;
    if (decision.ok) grants.set(id, decision.value.grant.id);
    else refused.set(id, decision.refusal.code);
  });
  return { grants, refused };
}
