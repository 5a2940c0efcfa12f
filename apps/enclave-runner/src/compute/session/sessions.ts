import { refuse, type ContributionId, type ErrorCode, type JobId, type UsufructError } from '@usufruct/kernel';
import type { JobState, JobView, RunnerJob } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { noRoom, Room, Share } from './room.js';
import { Session } from './session.js';

/** Each holds documents in memory. */
export const MAX_SESSIONS = 16;

/** The sessions of this process. They do not survive it: after a restart the next request opens a new one. */
export class Sessions {
  readonly #sessions = new Map<JobId, { readonly session: Session; timer: NodeJS.Timeout }>();

  /** Half a minute for each of a hundred hostile documents, and no session would ever begin. */
  readonly #unreadable = new Map<ContributionId, ErrorCode>();
  /** Being opened, also those that were ended meanwhile: what one reads just now it still has. */
  readonly #opening = new Set<Session>();

  constructor(
    private readonly context: RunnerContext,
    private readonly room = new Room(),
  ) {}

  /**
   * The job's session, opened if there is none that runs or starts. Refuses `JOB_STATE`, `JOB_EXPIRED`,
   * `SCOPE_MISMATCH` (not a job for this runner), `DATA_WITHDRAWN` (the DAO's policy has ended the job) and
   * `RUNNER_UNAVAILABLE` (too many sessions, or too large ones).
   */
  open(job: JobView): Session {
    const known = this.#sessions.get(job.id);
    const isUsable = known !== undefined && known.session.state !== 'failed' && !known.session.isOver;
    if (isUsable) return known.session;
    requireRunnable(job, this.context.clock.nowMs());
    if (this.context.store.isCancelled(job.id)) throw cancelled(job);
    this.end(job.id);
    if (this.taken >= MAX_SESSIONS) throw refuse('RUNNER_UNAVAILABLE', { limit: `${MAX_SESSIONS} sessions` });
    // What it takes shows when it is open; with less than this most would be read in vain.
    if (this.room.left < this.room.bytes / MAX_SESSIONS) throw noRoom(this.room);
    const session = new Session(this.context, job, this.#unreadable, new Share(this.room));
    const entry = { session, timer: this.#endInTime(session) };
    this.#sessions.set(job.id, entry);
    this.#opening.add(session);
    const onOpened = (): void => void this.#opening.delete(session);
    session.ready.then(onOpened, onOpened);
    // It may have to end earlier than it was thought: with this runner's registration.
    const isSet = (): boolean => this.#sessions.get(job.id) === entry;
    const setAgain = (): void => {
      if (!isSet()) return;
      clearTimeout(entry.timer);
      entry.timer = this.#endInTime(session);
    };
    session.ready.then(setAgain, () => undefined);
    return session;
  }

  /** With `only`, that one and none that was opened since; and why. */
  end(jobId: JobId, only?: { readonly session: Session; readonly reason: UsufructError | null }): void {
    const known = this.#sessions.get(jobId);
    only?.session.end(only.reason);
    if (known === undefined || (only !== undefined && known.session !== only.session)) return;
    clearTimeout(known.timer);
    known.session.end();
    this.#sessions.delete(jobId);
    if (only?.reason) this.context.logger.info('session.ended', { jobId, code: only.reason.code });
  }

  #endInTime(session: Session): NodeJS.Timeout {
    const leftMs = Math.max(0, session.expiresAtMs - this.context.clock.nowMs());
    return setTimeout(() => this.end(session.job.id, { session, reason: null }), leftMs).unref();
  }

  endAll(): void {
    for (const jobId of this.#sessions.keys()) this.end(jobId);
  }

  all(): Session[] {
    return [...this.#sessions.values()].map(({ session }) => session);
  }

  /** All that may have documents in memory. */
  holding(): Session[] {
    return [...new Set([...this.all(), ...this.#opening])];
  }

  /** Of `MAX_SESSIONS`. One that came to nothing has nothing in memory, and is kept to say why. */
  get taken(): number {
    return this.holding().filter(({ state }) => state !== 'failed').length;
  }

  view(job: JobView): RunnerJob {
    const session = this.#sessions.get(job.id)?.session;
    const isCancelled = job.state === 'funded' && this.context.store.isCancelled(job.id);
    const error = isCancelled ? cancelled(job) : (session?.error ?? null);
    return {
      jobId: job.id,
      state: isCancelled ? 'failed' : stateOf(job, session),
      runnerId: this.context.keys.runnerId,
      documents: session?.documents ?? 0,
      chunks: session?.chunks ?? 0,
      leftOut: [...(session?.leftOut ?? [])],
      error: error?.toWire() ?? null,
    };
  }
}

/** The chain's word on the end of a job counts before anything that happens here. */
const stateOf = (job: JobView, session: Session | undefined): JobState =>
  job.state === 'funded' ? (session?.state ?? 'queued') : job.state;

const cancelled = ({ id: jobId }: JobView) => refuse('DATA_WITHDRAWN', { jobId });

function requireRunnable(job: JobView, nowMs: number): void {
  if (job.state === 'expired' || (job.state === 'funded' && nowMs >= job.expiresAtMs)) {
    throw refuse('JOB_EXPIRED', { jobId: job.id });
  }
  if (job.state !== 'funded') throw refuse('JOB_STATE', { state: job.state });
  if (job.kind !== 'rag') throw refuse('SCOPE_MISMATCH', { asked: job.kind, allowed: 'rag' });
  if (job.protection !== 'tee') throw refuse('SCOPE_MISMATCH', { asked: job.protection, allowed: 'tee' });
}
