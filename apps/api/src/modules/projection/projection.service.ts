import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { followEvents, type ChainReader } from '@usufruct/chain';
import { refuse, toUsufructError, UsufructError, type Clock, type Logger } from '@usufruct/kernel';
import type { ChainEvent } from '@usufruct/protocol';
import { describeFault } from '@usufruct/service';
import { Readiness } from '../../platform/health/index.js';
import { Prisma, PrismaService, type Database } from '../../platform/prisma/index.js';
import { CHAIN, CLOCK, LOGGER } from '../../platform/tokens.js';
import type { Projector } from './projector.js';

const RETRY_MS = 500;
const TRANSACTION_LIMIT_MS = 30_000;
const DIGEST_LIMIT_MS = 600_000;
const CURSOR_ID = 1;

/**
 * Follows the chain's events from its own cursor and lets each module's projector apply them: one SQL transaction per
 * event, with the cursor in it. A gap, a reorder or another chain stops it for good (`CHAIN_EVENTS_BROKEN`, not
 * ready): a projection that skipped something must be rebuilt, not continued.
 */
@Injectable()
export class ProjectionService {
  private readonly projectors: Projector[] = [];
  private readonly listeners = new Set<(event: ChainEvent) => void>();
  private readonly stopping = new AbortController();
  private following: Promise<void> | undefined;
  private broken: UsufructError | undefined;

  constructor(
    @Inject(CHAIN) private readonly chain: ChainReader,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly prisma: PrismaService,
    readiness: Readiness,
  ) {
    readiness.register('projection', () => {
      if (this.broken !== undefined) throw this.broken;
    });
  }

  register(projector: Projector): void {
    this.projectors.push(projector);
  }

  /** Told after an event was committed; may miss events of another process, so it is a hint and no source of truth. */
  onApplied(listener: (event: ChainEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    this.following ??= this.keepFollowing();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  /** The last event that was applied; 0 before the first. */
  async appliedSeq(): Promise<number> {
    const cursor = await this.prisma.projectionCursor.findUnique({ where: { id: CURSOR_ID } });
    return cursor?.seq ?? 0;
  }

  /** Every table that holds nothing but what events say. */
  tables(): string[] {
    return ['projection_cursor', ...this.projectors.flatMap((projector) => projector.tables)];
  }

  /** Empty everything that comes from events, so that it is made again from the first one. */
  async reset(): Promise<void> {
    const list = Prisma.join(this.tables().map((table) => Prisma.raw(`"${table}"`)));
    await this.prisma.$executeRaw`truncate table ${list}`;
    this.broken = undefined;
  }

  /** SHA-256 over every row of every table of the projection, whatever order the rows lie in. */
  async digest(): Promise<string> {
    const digests = await this.prisma.$transaction(
      async (tx) => {
        const each: string[] = [];
        for (const table of this.tables()) each.push(`${table} ${await digestOf(tx, table)}`);
        return each;
      },
      { isolationLevel: 'RepeatableRead', timeout: DIGEST_LIMIT_MS },
    );
    return createHash('sha256').update(digests.join('\n')).digest('hex');
  }

  /** Apply all events up to the chain's present end, then return how many there are. For rebuilding and for tests. */
  async catchUp(): Promise<number> {
    const chainId = (await this.chain.info()).chainId;
    for (;;) {
      const events = await this.chain.events(await this.begin(chainId), { waitMs: 0 });
      if (events.length === 0) return this.appliedSeq();
      for (const event of events) await this.applyEvent(event);
    }
  }

  /**
   * Wait for something that a client has just done on the chain and that the events will tell any moment. Null when
   * it did not come in time.
   */
  async waitFor<T>(look: () => Promise<T | null>, timeoutMs = 2_000): Promise<T | null> {
    const deadline = this.clock.nowMs() + timeoutMs;
    for (;;) {
      const applied = this.nextApplied(Math.max(1, Math.min(250, deadline - this.clock.nowMs())));
      const found = await look();
      if (found !== null || this.clock.nowMs() >= deadline || this.stopping.signal.aborted) return found;
      await applied;
    }
  }

  /** Apply one event, once. Refuses `CHAIN_EVENTS_BROKEN` unless it is the next one or was applied already. */
  async applyEvent(event: ChainEvent): Promise<void> {
    const applied = await this.prisma.$transaction(
      async (tx) => {
        const { count } = await tx.projectionCursor.updateMany({
          where: { id: CURSOR_ID, seq: event.seq - 1 },
          data: { seq: event.seq },
        });
        if (count === 0) {
          const cursor = await tx.projectionCursor.findUniqueOrThrow({ where: { id: CURSOR_ID } });
          if (cursor.seq >= event.seq) return false;
          throw refuse('CHAIN_EVENTS_BROKEN', { expected: String(cursor.seq + 1), found: String(event.seq) });
        }
        for (const projector of this.projectors) await projector.apply(tx, event);
        return true;
      },
      { timeout: TRANSACTION_LIMIT_MS, maxWait: TRANSACTION_LIMIT_MS },
    );
    if (applied) for (const listener of this.listeners) listener(event);
  }

  private async keepFollowing(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.follow(signal);
      } catch (thrown) {
        const error = toUsufructError(thrown);
        if (error.code === 'CHAIN_EVENTS_BROKEN') {
          this.broken = error;
          this.logger.error('projection_stopped', { ...error.toWire() });
          return;
        }
        this.logger.warn('projection_retry', { code: error.code, ...describeFault(thrown) });
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const { chainId } = await this.chain.info();
    await followEvents(this.chain, {
      after: await this.begin(chainId),
      chainId,
      signal,
      retryMs: RETRY_MS,
      onEvents: async (events) => {
        for (const event of events) {
          if (signal.aborted) return;
          await this.applyEvent(event);
        }
      },
      onUnavailable: () => this.logger.warn('chain_unavailable'),
    });
  }

  /** Where to go on; on a fresh database, the beginning of this chain. */
  private async begin(chainId: string): Promise<number> {
    const cursor = await this.prisma.projectionCursor.upsert({
      where: { id: CURSOR_ID },
      create: { id: CURSOR_ID, chainId, seq: 0 },
      update: {},
    });
    if (cursor.chainId !== chainId) {
      throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'another chain', expected: cursor.chainId, found: chainId });
    }
    return cursor.seq;
  }

  private nextApplied(atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        unsubscribe();
        resolve();
      };
      const timer = setTimeout(done, atMostMs);
      const unsubscribe = this.onApplied(done);
    });
  }
}

async function digestOf(tx: Database, table: string): Promise<string> {
  const [row] = await tx.$queryRaw<{ digest: string }[]>`
    select encode(sha256(convert_to(coalesce(string_agg(digest, '' order by digest), ''), 'UTF8')), 'hex') as digest
    from (select encode(sha256(convert_to(t::text, 'UTF8')), 'hex') collate "C" as digest
      from ${Prisma.raw(`"${table}"`)} t) rows`;
  return row?.digest ?? '';
}
