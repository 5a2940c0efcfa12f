import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Chain } from '@usufruct/chain';
import {
  asId,
  asTimestampMs,
  fromWire,
  refuse,
  toUsufructError,
  UsufructError,
  type Clock,
  type DatasetId,
  type ErrorCode,
  type JobId,
} from '@usufruct/kernel';
import { parseAnswer, zHex32, type JobState, type JobView, type RunnerJob } from '@usufruct/protocol';
import { z } from 'zod';
import type { Config } from '../../platform/config/config.js';
import { OutboxService } from '../../platform/outbox/index.js';
import { Prisma, PrismaService, toJson } from '../../platform/prisma/index.js';
import { CHAIN, CLOCK, CONFIG } from '../../platform/tokens.js';
import { JobEvents } from './job-events.js';
import { JobKeeper } from './job-keeper.js';
import { FOLLOW_JOB, followTask } from './job-task.js';
import { rankRunners } from './rank-runners.js';
import { RunnerClient } from './runner-client.js';
import { RunnerLoads } from './runner-loads.js';

const zPayload = z.object({ jobId: zHex32<JobId>(), failures: z.string().regex(/^\d{1,6}$/) });

/** How often a runner that prepares a job is asked, and how long in one go. */
const PREPARING_POLL_MS = 200;
const PREPARING_LIMIT_MS = 60_000;
/** A running job is looked after at this pace, so that a runner that was restarted takes it up again. */
const RUNNING_PACE_MS = 5_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
/** The chain's clock may be a little behind ours. */
const AFTER_EXPIRY_MS = 500;

/** What a runner may say about a job; how it ends is the chain's word alone. */
const PROGRESS: Partial<Record<JobState, string>> = {
  attesting: 'AttestationStarted',
  provisioning: 'ProvisioningStarted',
  running: 'SessionStarted',
  egress_review: 'EgressReviewStarted',
  settling: 'SettlementStarted',
  failed: 'JobFailed',
};
const PREPARING: readonly JobState[] = ['queued', 'attesting', 'provisioning'];

/**
 * Brings funded jobs to a runner and keeps at it until the chain says that they have ended: a runner that is down is
 * tried again, later each time, until the job expires; then the keeper has the chain refund it.
 */
@Injectable()
export class JobDispatch {
  constructor(
    @Inject(CHAIN) private readonly chain: Chain,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly prisma: PrismaService,
    private readonly outbox: OutboxService,
    private readonly events: JobEvents,
    private readonly runners: RunnerClient,
    private readonly keeper: JobKeeper,
    private readonly loads: RunnerLoads,
  ) {
    outbox.register(FOLLOW_JOB, (payload, signal) => this.follow(payload, signal));
    outbox.onStart(() => this.resume());
  }

  private async resume(): Promise<void> {
    const open = await this.prisma.chainJob.findMany({ where: { state: 'funded' }, select: { id: true } });
    for (const { id } of open) await this.hurry(asId<JobId>(id, 'jobId'));
  }

  /** Look after the job now instead of when its turn comes. */
  async hurry(jobId: JobId): Promise<void> {
    await this.outbox.add(this.prisma, followTask(jobId));
  }

  /**
   * Run something at the runner of this job: the one that has it, else another (`rankRunners`), which takes the job over;
   * so, too, where it has no room. `beforeAnother` may refuse that. Throws `RUNNER_UNAVAILABLE` when none does it.
   */
  async atRunner<T>(
    jobId: JobId,
    use: (url: string) => Promise<T>,
    beforeAnother: () => Promise<void> = async () => undefined,
  ): Promise<T> {
    const { runnerUrl } = await this.prisma.jobProgress.findUniqueOrThrow({ where: { jobId } });
    let cause: unknown;
    for (const url of await this.ranked(jobId, runnerUrl)) {
      if (runnerUrl !== null && url !== runnerUrl) await beforeAnother();
      try {
        const result = await use(url);
        await this.answered(jobId, url, runnerUrl);
        return result;
      } catch (error) {
        cause = error;
        if (isCode(error, 'RUNNER_UNAVAILABLE')) continue;
        if (!isCode(error, 'UPSTREAM_UNAVAILABLE')) {
          // It answers, be it with a refusal.
          await this.answered(jobId, url, runnerUrl);
          throw error;
        }
        this.loads.noteDown(url);
      }
    }
    throw refuse('RUNNER_UNAVAILABLE', { jobId }, cause);
  }

  /** All that may know something of the job, the likeliest first. */
  async runnersOf(jobId: JobId): Promise<string[]> {
    const { runnerUrl } = await this.prisma.jobProgress.findUniqueOrThrow({ where: { jobId } });
    return this.ranked(jobId, runnerUrl);
  }

  private async answered(jobId: JobId, url: string, before: string | null): Promise<void> {
    this.loads.noteUp(url);
    if (url === before) return;
    await this.prisma.jobProgress.update({ where: { jobId }, data: { runnerUrl: url } });
    // It has to prepare the session before it can be asked, and to register before it is believed.
    if (before !== null) await this.hurry(jobId);
  }

  private async ranked(jobId: JobId, current: string | null): Promise<string[]> {
    const urls = this.config.runnerUrls;
    if (urls.length <= 1) return [...urls];
    const job = await this.prisma.chainJob.findUnique({ where: { id: jobId }, select: { datasetId: true } });
    const datasetId = job === null ? null : asId<DatasetId>(job.datasetId, 'datasetId');
    return rankRunners(await this.loads.known(urls), { jobId, datasetId, current });
  }

  private async follow(payload: unknown, signal: AbortSignal): Promise<void> {
    const { jobId, failures } = parseAnswer(zPayload, payload, 'outbox');
    const job = await this.chain.job(jobId);
    if (job.state !== 'funded') return;
    if (this.clock.nowMs() >= job.expiresAtMs) return this.expire(job);
    try {
      const state = await this.advance(job, signal);
      if (state === 'failed') await this.again(job, job.expiresAtMs);
      else await this.again(job, PREPARING.includes(state) ? this.clock.nowMs() : this.clock.nowMs() + RUNNING_PACE_MS);
    } catch (thrown) {
      if (signal.aborted) return await this.again(job, this.clock.nowMs());
      const error = toUsufructError(thrown);
      if (error.code === 'INTERNAL') throw thrown;
      const tries = Number(failures);
      await this.noteTrouble(jobId, error);
      await this.again(job, this.clock.nowMs() + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** tries), tries + 1);
    }
  }

  /** Start (or continue) the job and watch it until it runs, fails or takes too long for one go. */
  private async advance(job: JobView, signal: AbortSignal): Promise<JobState> {
    const deadline = Math.min(job.expiresAtMs, this.clock.nowMs() + PREPARING_LIMIT_MS);
    let told = await this.atRunner(job.id, (url) => this.runners.startJob(url, job.id, signal));
    await this.noteProgress(told);
    while (PREPARING.includes(told.state) && this.clock.nowMs() < deadline) {
      await sleep(PREPARING_POLL_MS, undefined, { signal });
      told = await this.atRunner(job.id, (url) => this.runners.job(url, job.id, signal));
      await this.noteProgress(told);
    }
    return told.state;
  }

  /** Keep what the runner says, and record an event when its state is another than before. */
  private async noteProgress(told: RunnerJob): Promise<void> {
    const { jobId, state, runnerId, error } = told;
    const name = PROGRESS[state];
    const changed = await this.prisma.$transaction(async (tx) => {
      const before = await tx.jobProgress.update({
        where: { jobId },
        data: {
          runnerId,
          documents: told.documents,
          chunks: told.chunks,
          leftOut: toJson(told.leftOut),
          error: error === null ? Prisma.DbNull : toJson(error),
        },
      });
      if (name === undefined || before.state === state) return false;
      const dedupeKey = `runner:${runnerId}:${state}:${before.lastEventSeq}`;
      const details = { runnerId, documents: String(told.documents), chunks: String(told.chunks) };
      return this.events.append(tx, {
        jobId,
        state,
        name,
        dedupeKey,
        details,
        ...(error !== null && { error: fromWire(error, 'runner').toWire() }),
      });
    });
    if (changed) this.events.announce(jobId);
  }

  /** Once a minute at most: an outage is news, each failed try is not. */
  private async noteTrouble(jobId: JobId, error: UsufructError): Promise<void> {
    const minute = Math.floor(this.clock.nowMs() / 60_000);
    const dedupeKey = `trouble:${error.code}:${minute}`;
    await this.events.record({ jobId, name: 'RunnerTroubled', dedupeKey, error: error.toWire() });
  }

  private async expire(job: JobView): Promise<void> {
    const done = await this.keeper.expire(job.id);
    if (!done) await this.again(job, this.clock.nowMs());
  }

  /** Nothing waits beyond the job's end: then it is time for the refund. */
  private async again(job: JobView, atMs: number, failures = 0): Promise<void> {
    const afterEnd = Math.max(job.expiresAtMs, this.clock.nowMs()) + AFTER_EXPIRY_MS;
    const runAtMs = asTimestampMs(atMs < job.expiresAtMs ? atMs : afterEnd);
    await this.outbox.add(this.prisma, followTask(job.id, runAtMs, failures));
  }
}

const isCode = (error: unknown, code: ErrorCode): boolean => error instanceof UsufructError && error.code === code;
