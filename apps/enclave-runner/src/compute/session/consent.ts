import { decide } from '@usufruct/consent';
import type { Address, ContributionId, ErrorCode, GrantId, TimestampMs } from '@usufruct/kernel';
import type { ContributionView, DaoView, DatasetView, JobView } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { forSlices } from '../../slices.js';

export interface Allowed {
  /** The grant under which each contribution may be used. */
  readonly grants: ReadonlyMap<ContributionId, GrantId>;
  /** Of each of them, on the chain. */
  readonly owners: ReadonlyMap<ContributionId, Address>;
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
  const owners = new Map<ContributionId, Address>();
  const refused = new Map<ContributionId, ErrorCode>();
  const given = await chain.grantsOfEach(contributions.map(({ id }) => id));
  const entries = contributions.map((contribution, i) => ({ contribution, given: given[i] ?? [] }));
  await forSlices(entries, ({ contribution, given: own }) => {
    const decision = decide({ contribution, dataset, grants: own, dao, use: job, job, nowMs });
    if (decision.ok) {
      grants.set(contribution.id, decision.value.grant.id);
      owners.set(contribution.id, contribution.owner);
    } else refused.set(contribution.id, decision.refusal.code);
  });
  return { grants, owners, refused };
}
