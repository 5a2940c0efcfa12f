import { refuse, type JobId } from '@usufruct/kernel';
import type { JobState, JobView, RunnerJob } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { Session } from './session.js';

/** Each holds documents in memory. */
const MAX_SESSIONS = 16;

/** The sessions of this process. They do not survive it: after a restart the next request opens a new one. */
export class Sessions {
  readonly #sessions = new Map<JobId, { readonly session: Session; readonly timer: NodeJS.Timeout }>();

  constructor(private readonly context: RunnerContext) {}

  /**
   * The job's session, opened if there is none that runs or starts. Refuses `JOB_STATE`, `JOB_EXPIRED`,
   * `SCOPE_MISMATCH` (not a job for this runner) and `RUNNER_UNAVAILABLE` (too many sessions).
   */
  open(job: JobView): Session {
    const known = this.#sessions.get(job.id);
    const isUsable = known !== undefined && known.session.state !== 'failed' && !this.#isOver(known.session);
    if (isUsable) return known.session;
    requireRunnable(job, this.context.clock.nowMs());
    this.end(job.id);
    if (this.#sessions.size >= MAX_SESSIONS) throw refuse('RUNNER_UNAVAILABLE', { limit: `${MAX_SESSIONS} sessions` });
    const session = new Session(this.context, job);
    const timer = setTimeout(() => this.end(job.id), Math.max(0, session.expiresAtMs - this.context.clock.nowMs()));
    timer.unref();
    this.#sessions.set(job.id, { session, timer });
    return session;
  }

  end(jobId: JobId): void {
    const known = this.#sessions.get(jobId);
    if (known === undefined) return;
    clearTimeout(known.timer);
    known.session.end();
    this.#sessions.delete(jobId);
  }

  endAll(): void {
    for (const jobId of this.#sessions.keys()) this.end(jobId);
  }

  all(): Session[] {
    return [...this.#sessions.values()].map(({ session }) => session);
  }

  view(job: JobView): RunnerJob {
    const session = this.#sessions.get(job.id)?.session;
    return {
      jobId: job.id,
      state: stateOf(job, session),
      runnerId: this.context.keys.runnerId,
      documents: session?.documents ?? 0,
      chunks: session?.chunks ?? 0,
      leftOut: [...(session?.leftOut ?? [])],
      error: session?.error?.toWire() ?? null,
    };
  }

  #isOver = (session: Session): boolean => this.context.clock.nowMs() >= session.expiresAtMs;
}

/** The chain's word on the end of a job counts before anything that happens here. */
const stateOf = (job: JobView, session: Session | undefined): JobState =>
  job.state === 'funded' ? (session?.state ?? 'queued') : job.state;

function requireRunnable(job: JobView, nowMs: number): void {
  if (job.state === 'expired' || (job.state === 'funded' && nowMs >= job.expiresAtMs)) {
    throw refuse('JOB_EXPIRED', { jobId: job.id });
  }
  if (job.state !== 'funded') throw refuse('JOB_STATE', { state: job.state });
  if (job.kind !== 'rag') throw refuse('SCOPE_MISMATCH', { asked: job.kind, allowed: 'rag' });
  if (job.protection !== 'tee') throw refuse('SCOPE_MISMATCH', { asked: job.protection, allowed: 'tee' });
}
