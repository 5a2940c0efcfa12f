import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { toUsufructError, type Logger as OurLogger, type TimestampMs } from '@usufruct/kernel';
import { Logger, run, runMigrations, type Runner, type Task } from 'graphile-worker';
import pg from 'pg';
import type { Config } from '../config/config.js';
import { describeFault } from '@usufruct/service';
import { toDate, type Database } from '../prisma/index.js';
import { CONFIG, LOGGER } from '../tokens.js';

export type OutboxTask = (payload: unknown, signal: AbortSignal) => Promise<void>;
export interface OutboxJob {
  readonly task: string;
  readonly payload: Readonly<Record<string, string>>;
  /** A job with the key of a waiting one replaces it; with the key of a running one it follows it. */
  readonly key: string;
  readonly runAtMs?: TimestampMs;
}

const CONCURRENCY = 16;
const POLL_MS = 500;
const RESTART_MS = 1_000;

/**
 * Work that must happen although this process may die: a row that is written in the same transaction as its cause.
 * A task may run twice, so each one is idempotent.
 */
@Injectable()
export class OutboxService {
  private readonly tasks = new Map<string, OutboxTask>();
  private readonly resumptions: (() => Promise<void>)[] = [];
  private readonly stopping = new AbortController();
  private runner: Runner | undefined;
  private readonly pool: pg.Pool;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(LOGGER) private readonly logger: OurLogger,
  ) {
    this.pool = new pg.Pool({ connectionString: config.databaseUrl, max: CONCURRENCY });
    // Ours, not the queue's own: that one stops listening before its connections are closed, and a server that goes
    // away in that moment would take this process with it.
    const onLost = (error: Error): void => this.logger.warn('outbox_connection_lost', describeFault(error));
    this.pool.on('error', onLost);
    this.pool.on('connect', (client) => client.on('error', onLost));
  }

  register(name: string, task: OutboxTask): void {
    this.tasks.set(name, task);
  }

  /**
   * Called whenever the queue starts. A worker that dies takes the tasks that it was at with it: the queue keeps them
   * locked for hours. So each part adds what it is responsible for anew; the keys keep that from doubling anything.
   */
  onStart(resume: () => Promise<void>): void {
    this.resumptions.push(resume);
  }

  async add(db: Database, { task, payload, key, runAtMs }: OutboxJob): Promise<void> {
    const runAt = runAtMs === undefined ? null : toDate(runAtMs);
    await db.$executeRaw`select 1 from graphile_worker.add_job(
      identifier => ${task}::text, payload => ${JSON.stringify(payload)}::json, job_key => ${key}::text,
      run_at => ${runAt}::timestamptz)`;
  }

  /** The queue's own tables; before anything is added. */
  async prepare(): Promise<void> {
    await runMigrations({ pgPool: this.pool, logger: this.quietLogger() });
  }

  async start(): Promise<void> {
    const taskList = Object.fromEntries([...this.tasks].map(([name, task]) => [name, this.guarded(name, task)]));
    for (const resume of this.resumptions) await resume();
    const runner = await run({
      pgPool: this.pool,
      concurrency: CONCURRENCY,
      pollInterval: POLL_MS,
      noHandleSignals: true,
      taskList,
      logger: this.quietLogger(),
    });
    this.runner = runner;
    void runner.promise.catch(() => undefined).then(() => this.restart());
  }

  /** The queue's workers give up when the database goes away under them; they are wanted again when it is back. */
  private async restart(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      this.logger.warn('outbox_restart');
      await sleep(RESTART_MS, undefined, { signal }).catch(() => undefined);
      try {
        if (!signal.aborted) await this.start();
        return;
      } catch (error) {
        this.logger.warn('outbox_restart_failed', describeFault(error));
      }
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    // A queue that has stopped by itself says so by rejecting: it is what is wanted.
    await this.runner?.stop().catch(() => undefined);
    this.runner = undefined;
    await this.pool.end();
  }

  /** A task that fails is tried again by the queue, later each time; the log says which, not with what. */
  private guarded(name: string, task: OutboxTask): Task {
    return async (payload) => {
      try {
        await task(payload, this.stopping.signal);
      } catch (error) {
        const { code } = toUsufructError(error);
        this.logger.warn('outbox_task_failed', { task: name, code, ...(code === 'INTERNAL' && describeFault(error)) });
        throw new Error(code, { cause: error });
      }
    };
  }

  private quietLogger(): Logger {
    return new Logger(() => (level) => {
      if (level === 'error' && !this.stopping.signal.aborted) this.logger.warn('outbox_queue', { level });
    });
  }
}
