import type { DatabaseSync } from 'node:sqlite';
import type { JobId, TimestampMs } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';

/** A runner's key, working for a job. */
export interface Asker {
  readonly jobId: JobId;
  /** Base64. */
  readonly runnerSigningKey: string;
}

/** No job lasts so long, so what is older counts for none. */
const REMEMBERED_MS = 2 * LIMITS.jobTermMs;

/** How often each runner was answered for each job; a restart forgets nothing of it. */
export class ReleaseRequests {
  constructor(private readonly database: DatabaseSync) {}

  before({ jobId, runnerSigningKey }: Asker): { readonly requestsBefore: number; readonly otherRunners: number } {
    const rows = this.database
      .prepare('SELECT runner_key, requests FROM release_requests WHERE job_id = ?')
      .all(jobId) as { runner_key: string; requests: number }[];
    const own = rows.find((row) => row.runner_key === runnerSigningKey);
    return { requestsBefore: own?.requests ?? 0, otherRunners: rows.length - (own === undefined ? 0 : 1) };
  }

  /** Part of the transaction that writes the log: what was answered and not counted, or the other way, cannot be. */
  count({ jobId, runnerSigningKey }: Asker, nowMs: TimestampMs): void {
    this.database.prepare('DELETE FROM release_requests WHERE last_at_ms < ?').run(nowMs - REMEMBERED_MS);
    this.database
      .prepare(
        `INSERT INTO release_requests VALUES (?, ?, 1, ?)
         ON CONFLICT (job_id, runner_key) DO UPDATE SET requests = requests + 1, last_at_ms = excluded.last_at_ms`,
      )
      .run(jobId, runnerSigningKey, nowMs);
  }
}
