import type { JobId, TimestampMs } from '@usufruct/kernel';
import type { OutboxJob } from '../../platform/outbox/index.js';

export const FOLLOW_JOB = 'job.follow';

/** One waiting task per job: adding it again moves it. `failures` in a row decide how long it waits. */
export const followTask = (jobId: JobId, runAtMs?: TimestampMs, failures = 0): OutboxJob => ({
  task: FOLLOW_JOB,
  payload: { jobId, failures: String(failures) },
  key: `job:${jobId}`,
  ...(runAtMs === undefined ? {} : { runAtMs }),
});
