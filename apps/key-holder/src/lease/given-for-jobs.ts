import type { DatabaseSync } from 'node:sqlite';
import type { ContributionId, TimestampMs } from '@usufruct/kernel';
import { LIMITS, type JobView } from '@usufruct/protocol';

/** No job lasts so long, so what is older counts for none. */
const REMEMBERED_MS = 2 * LIMITS.jobTermMs;

/**
 * What this holder knows jobs with one output to rest on: contributions of which it released its share, and those that
 * were usable when it took or leased its share of a key for what was made of the dataset.
 */
export class GivenForJobs {
  constructor(private readonly database: DatabaseSync) {}

  /** Part of the transaction that writes the log. Sessions of questions have no such output, and are not kept. */
  note(job: Pick<JobView, 'id' | 'kind'>, contributionIds: readonly ContributionId[], nowMs: TimestampMs): void {
    if (job.kind === 'rag') return;
    this.database.prepare('DELETE FROM given_for_jobs WHERE at_ms < ?').run(nowMs - REMEMBERED_MS);
    const insert = this.database.prepare('INSERT OR IGNORE INTO given_for_jobs VALUES (?, ?, ?)');
    for (const contributionId of contributionIds) insert.run(job.id, contributionId, nowMs);
  }

  of({ id }: Pick<JobView, 'id'>): ContributionId[] {
    const rows = this.database.prepare('SELECT contribution_id FROM given_for_jobs WHERE job_id = ?').all(id);
    return rows.map((row) => row['contribution_id'] as ContributionId);
  }
}
