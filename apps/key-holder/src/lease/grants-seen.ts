import type { DatabaseSync } from 'node:sqlite';
import { GRANT_SET_RULES, grantSetOf, type GrantSet, type Use } from '@usufruct/consent';
import { refuse, type DatasetId, type Digest, type TimestampMs } from '@usufruct/kernel';
import type { JobView } from '@usufruct/protocol';
import type { Holder } from '../holder.js';

interface Seen {
  readonly facts: number;
  readonly version: Digest;
}

/**
 * The newest grants that this holder has seen for each use of each dataset. A node of the chain that lags, or that
 * somebody set back, shows fewer facts than were seen before, and so does a clock that was set back: an expiry has not
 * happened then. What is older than what was seen decides nothing here.
 */
export class GrantsSeen {
  constructor(private readonly database: DatabaseSync) {}

  /** Refuses `CHAIN_UNAVAILABLE` for an older view, and for one of another history. */
  requireNotOlder(datasetId: DatasetId, use: Use, { facts, version }: GrantSet): void {
    const seen = this.database
      .prepare('SELECT facts, version FROM grant_sets_seen WHERE about = ?')
      .get(aboutOf(datasetId, use)) as Seen | undefined;
    if (seen === undefined || seen.version === version || facts > seen.facts) return;
    throw refuse('CHAIN_UNAVAILABLE', { datasetId, reason: 'an older view of the grants than was seen before' });
  }

  /** The newest from now on; durable when it returns. */
  note(datasetId: DatasetId, use: Use, { facts, version }: GrantSet): void {
    this.database
      .prepare('INSERT OR REPLACE INTO grant_sets_seen VALUES (?, ?, ?)')
      .run(aboutOf(datasetId, use), facts, version);
  }
}

/** Other rules or another price count other grants: their numbers say nothing about each other. */
const aboutOf = (datasetId: DatasetId, { purpose, kind, protection, pricePerQuestionUnits }: Use): string =>
  [GRANT_SET_RULES, datasetId, purpose, kind, protection, pricePerQuestionUnits].join('/');

/**
 * The grants that count for this use now, on this holder's own view of the chain, for whoever has shown fresh evidence:
 * that its times agree with our clock is what makes the view worth remembering. Refuses `CHAIN_UNAVAILABLE`.
 */
export async function currentGrants(
  holder: Holder,
  { job, nowMs }: { readonly job: JobView; readonly nowMs: TimestampMs },
): Promise<GrantSet> {
  const set = await readGrants(holder, job.datasetId, job, nowMs);
  holder.grantsSeen.note(job.datasetId, job, set);
  return set;
}

/** The same, and nothing is remembered of it. */
export async function readGrants(
  { chain, grantsSeen }: Holder,
  datasetId: DatasetId,
  use: Use,
  nowMs: TimestampMs,
): Promise<GrantSet> {
  const contributions = await chain.contributionsOf(datasetId);
  // Grants last: a revocation counts up to the moment at which it is read.
  const grants = await chain.grantsOfEach(contributions.map(({ id }) => id));
  const set = grantSetOf({
    dataset: { id: datasetId },
    contributions: contributions.map((contribution, i) => ({ contribution, grants: grants[i] ?? [] })),
    use,
    nowMs,
  });
  grantsSeen.requireNotOlder(datasetId, use, set);
  return set;
}
