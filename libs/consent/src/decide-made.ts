import { asTimestampMs, refused, type Result, type TimestampMs } from '@usufruct/kernel';
import type { ContributionView, DaoView, DatasetView, GrantView, JobView } from '@usufruct/protocol';
import { decide, type Permission } from './decide.js';

/** A use that a receipt says was made. */
export interface MadeUse {
  readonly contribution: ContributionView;
  readonly dataset: Pick<DatasetView, 'id' | 'tombstonedAtMs'>;
  /** The one that the receipt names; null where there is none of that id. */
  readonly grant: GrantView | null;
  readonly job: JobView;
  readonly dao: Pick<DaoView, 'id' | 'policy'>;
  /** When the receipt was issued, by its signer's clock. */
  readonly atMs: TimestampMs;
  /** How far that clock may be from the chain's. */
  readonly clockSkewMs: number;
}

/**
 * Whether this grant covered that use when it was made: the rules of `decide`, for that moment. What was revoked, retired
 * or has expired since takes nothing from who was used before; the policy is the one that the job was funded under, which
 * the chain compared then, and whether the DAO is paused is the chain's business. It judges no privacy budget: the caller
 * refuses what spends one.
 */
export function decideMade(made: MadeUse): Result<Permission> {
  const { contribution, dataset, grant, job, dao, atMs, clockSkewMs } = made;
  if (grant === null || grant.givenAtMs > atMs + clockSkewMs) {
    return refused('GRANT_REQUIRED', { rule: 'grant', contributionId: contribution.id });
  }
  const policy = { ...dao.policy, purposes: [job.purpose], kinds: [job.kind], protections: [job.protection] };
  const givenAtMs = asTimestampMs(Math.min(grant.givenAtMs, atMs));
  return decide({
    contribution: asOf(atMs, contribution),
    dataset: asOf(atMs, dataset),
    grants: [{ ...grant, givenAtMs, revokedAtMs: before(atMs, grant.revokedAtMs) }],
    dao: { id: dao.id, policy, paused: false },
    use: job,
    nowMs: atMs,
  });
}

const before = (atMs: TimestampMs, endedAtMs: TimestampMs | null): TimestampMs | null =>
  endedAtMs !== null && endedAtMs <= atMs ? endedAtMs : null;

const asOf = <T extends { readonly tombstonedAtMs: TimestampMs | null }>(atMs: TimestampMs, one: T): T => ({
  ...one,
  tombstonedAtMs: before(atMs, one.tombstonedAtMs),
});
