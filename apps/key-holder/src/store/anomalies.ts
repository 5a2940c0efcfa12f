import type { DatabaseSync } from 'node:sqlite';
import type { DaoId, DatasetId, JobId, TimestampMs } from '@usufruct/kernel';
import type { AnomalyReason } from '@usufruct/protocol';
import type { Asker } from './release-requests.js';

export interface NewAnomaly extends Asker {
  readonly daoId: DaoId;
  readonly datasetId: DatasetId;
  readonly measurement: string;
  readonly reason: AnomalyReason;
  /** ReleaseRequestBcs, and the runner's signature under it. */
  readonly request: Uint8Array;
  readonly signature: Uint8Array;
}
export interface KeptAnomaly extends NewAnomaly {
  readonly times: number;
  readonly firstAtMs: TimestampMs;
  readonly lastAtMs: TimestampMs;
}

const SHOWN_AT_MOST = 100;
/** A contribution never moves to another dataset: who asked for one of another did so knowingly. */
const STOPS: readonly AnomalyReason[] = ['other-dataset'];

/** What runners asked for that their job cannot need: a row for each runner, job and reason, kept for good. */
export class Anomalies {
  constructor(private readonly database: DatabaseSync) {}

  keep(anomaly: NewAnomaly, nowMs: TimestampMs): void {
    const { jobId, runnerSigningKey, reason, daoId, datasetId, measurement, request, signature } = anomaly;
    this.database
      .prepare(
        `INSERT INTO anomalies VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)
         ON CONFLICT (job_id, runner_key, reason) DO UPDATE SET times = times + 1, last_at_ms = excluded.last_at_ms,
           request = excluded.request, signature = excluded.signature`,
      )
      .run(jobId, runnerSigningKey, reason, daoId, datasetId, measurement, nowMs, nowMs, request, signature);
  }

  /** Whether this runner gets nothing more for this job. */
  isStopped({ jobId, runnerSigningKey }: Asker): boolean {
    const query = `SELECT 1 FROM anomalies WHERE job_id = ? AND runner_key = ? AND reason IN (${STOPS.map(() => '?').join()})`;
    return this.database.prepare(query).get(jobId, runnerSigningKey, ...STOPS) !== undefined;
  }

  /** The newest of a DAO. */
  of(daoId: DaoId): KeptAnomaly[] {
    const query = 'SELECT * FROM anomalies WHERE dao_id = ? ORDER BY last_at_ms DESC LIMIT ?';
    return this.database
      .prepare(query)
      .all(daoId, SHOWN_AT_MOST)
      .map((row) => ({
        jobId: row['job_id'] as JobId,
        runnerSigningKey: row['runner_key'] as string,
        reason: row['reason'] as AnomalyReason,
        daoId,
        datasetId: row['dataset_id'] as DatasetId,
        measurement: row['measurement'] as string,
        times: row['times'] as number,
        firstAtMs: row['first_at_ms'] as TimestampMs,
        lastAtMs: row['last_at_ms'] as TimestampMs,
        request: row['request'] as Uint8Array,
        signature: row['signature'] as Uint8Array,
      }));
  }
}
