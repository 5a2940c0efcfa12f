import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { refuse, type Clock, type JobId, type QuestionId, type WireError } from '@usufruct/kernel';
import { toWireJson, type JobState } from '@usufruct/protocol';
import { PrismaService, toDate, type Database } from '../../platform/prisma/index.js';
import { CLOCK } from '../../platform/tokens.js';
import { hasEnded, stateOf, toJobEvent } from './job-record.js';
import type { JobEventsPage, JobEventType } from './job.types.js';

export interface NewJobEvent {
  readonly jobId: JobId;
  readonly name: string;
  /** The state that the job is in after it; left out when it does not change. */
  readonly state?: JobState;
  /** Tells this event from every other of the job: told twice, it is recorded once. */
  readonly dedupeKey: string;
  readonly questionId?: QuestionId;
  readonly error?: WireError;
  readonly details?: Readonly<Record<string, string>>;
}

const PAGE = 100;
const MAX_PAGE = 500;
/** Events of another API process are found by looking; those of this one wake the subscriber at once. */
const LOOK_AGAIN_MS = 1_000;

/** What happened to each job, numbered from 1 without gaps, and how to follow it. */
@Injectable()
export class JobEvents {
  private readonly news = new EventEmitter().setMaxListeners(0);

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly prisma: PrismaService,
  ) {}

  /**
   * Record an event and the state that it leads to, in the caller's transaction. False if it was recorded before. A
   * job that has ended stays as it ended. Call `announce` after the commit.
   */
  async append(tx: Database, event: NewJobEvent): Promise<boolean> {
    const { jobId, name, dedupeKey } = event;
    // By a statement of its own: the next one then sees whatever was recorded before the lock was had.
    const [locked] = await tx.$queryRaw<{ state: string; last: number }[]>`
      select state, last_event_seq as last from job_progress where job_id = ${jobId} for update`;
    if (locked === undefined) return false;
    const before = stateOf(locked);
    const state = hasEnded(before) ? before : (event.state ?? before);
    const error = event.error === undefined ? 'null' : toWireJson(event.error);
    const recorded = await tx.$executeRaw`
      with told as (
        insert into job_event (job_id, seq, at, state, name, question_id, error, details, dedupe_key)
        values (${jobId}, ${locked.last + 1}::integer, ${toDate(this.clock.nowMs())}::timestamptz, ${state}, ${name},
          ${event.questionId ?? null}, ${error}::jsonb, ${toWireJson(event.details ?? {})}::jsonb, ${dedupeKey})
        on conflict (job_id, dedupe_key) do nothing
        returning seq)
      update job_progress set state = ${state}, last_event_seq = told.seq from told where job_id = ${jobId}`;
    return recorded === 1;
  }

  async record(event: NewJobEvent): Promise<void> {
    await this.prisma.$transaction((tx) => this.append(tx, event));
    this.announce(event.jobId);
  }

  /** Wake whoever follows this job. */
  announce(jobId: JobId): void {
    this.news.emit(jobId);
  }

  async page(jobId: JobId, after: number, first = PAGE): Promise<JobEventsPage> {
    if (after < 0) throw refuse('INVALID_ARGUMENT', { field: 'after', expected: 'at least 0' });
    if (first < 1 || first > MAX_PAGE) {
      throw refuse('INVALID_ARGUMENT', { field: 'first', expected: `1 to ${MAX_PAGE}` });
    }
    // The state is read first: an end that comes in between is told by the next page.
    const progress = await this.prisma.jobProgress.findUniqueOrThrow({ where: { jobId } });
    const rows = await this.prisma.jobEvent.findMany({
      where: { jobId, seq: { gt: after } },
      orderBy: { seq: 'asc' },
      take: first + 1,
    });
    const events = rows.slice(0, first).map(toJobEvent);
    return {
      events,
      lastSeq: events.at(-1)?.seq ?? after,
      hasMore: rows.length > first,
      ended: hasEnded(stateOf(progress)),
    };
  }

  /** Every event with `seq > after`, then new ones as they come; ends with the job. */
  async *follow(jobId: JobId, after: number): AsyncGenerator<JobEventType> {
    let last = after;
    for (;;) {
      const waiting = new AbortController();
      const wake = () => waiting.abort();
      this.news.once(jobId, wake);
      try {
        const page = await this.page(jobId, last);
        yield* page.events;
        last = page.lastSeq;
        if (page.ended && !page.hasMore) return;
        if (!page.hasMore) await sleep(LOOK_AGAIN_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
      } finally {
        this.news.off(jobId, wake);
      }
    }
  }
}
