import { setTimeout as sleep } from 'node:timers/promises';
import {
  asTimestampMs,
  refuse,
  toUsufructError,
  type ContributionId,
  type ErrorCode,
  type TimestampMs,
  type UsufructError,
} from '@usufruct/kernel';
import { LIMITS, type JobState, type JobView } from '@usufruct/protocol';
import { ensureRegistered } from '../../attest/registration.js';
import type { RunnerContext } from '../../context.js';
import type { Corpus } from '../rag/index.js';
import { keepIndex, type KeepOptions } from './keep-index.js';
import { provision, type LeftOut, type Provisioned } from './provision.js';
import type { Share } from './room.js';
import { StandingMemory } from './standing-memory.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** Another copy in the store may be whole; but the same wrong bytes again and again are no outage that passes. */
const MISMATCHES_AT_MOST = 3;

/**
 * One escrow, one appraisal, one release, then many questions for at most ten minutes (DESIGN.md, stage 6). The
 * plaintext index lives in this object only and is dropped with it.
 */
export class Session {
  #expiresAtMs: TimestampMs;
  #state: JobState = 'attesting';
  #provisioned: Provisioned | null = null;
  #error: UsufructError | null = null;
  #usedIds: ReadonlySet<ContributionId> = new Set();
  readonly #dropped = new Set<ContributionId>();
  #kept: Promise<void> = Promise.resolve();
  /** One after the other: each takes away from what the one before it has left. */
  #revision: Promise<unknown> = Promise.resolve();
  readonly #ended = new AbortController();
  /** Resolves when questions can be answered; rejects with why they cannot. */
  readonly ready: Promise<void>;
  /** What the chain says of it, as it is now. */
  readonly memory: StandingMemory;

  /**
   * @param unreadable What an attempt to open it, or another session, has found to stay so: the next one asks for none of
   *   their keys, and loses no time with them.
   * @param share Of the memory of the process.
   */
  constructor(
    private readonly context: RunnerContext,
    readonly job: JobView,
    private readonly unreadable: Map<ContributionId, ErrorCode>,
    private readonly share: Share,
  ) {
    const endsAtMs = Math.min(context.clock.nowMs() + LIMITS.sessionTermMs, job.expiresAtMs);
    this.#expiresAtMs = asTimestampMs(endsAtMs);
    this.memory = new StandingMemory(context, job);
    this.ready = this.#start(job);
    // Whoever asks gets the rejection; a session that nobody waits for must not end the process.
    this.ready.catch(() => undefined);
  }

  /** No later than the job and, once it is known, this runner's registration. */
  get expiresAtMs(): TimestampMs {
    return this.#expiresAtMs;
  }
  /** Whether it ended or has to. */
  get isOver(): boolean {
    return this.#ended.signal.aborted || this.context.clock.nowMs() >= this.#expiresAtMs;
  }
  /** Aborted when it ends. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }
  get state(): JobState {
    return this.#state;
  }
  /** Why it failed, or what it waits for. */
  get error(): UsufructError | null {
    return this.#error;
  }
  get documents(): number {
    return this.#provisioned?.corpus.documentCount ?? 0;
  }
  get chunks(): number {
    return this.#provisioned?.corpus.passages.length ?? 0;
  }
  get leftOut(): readonly LeftOut[] {
    return this.#provisioned?.leftOut ?? [];
  }

  /** The index and the digest of the evidence that its keys were released for. Refuses `ATTESTATION_STALE` when over. */
  async use(): Promise<Provisioned> {
    await this.ready;
    return this.#open();
  }

  /** Refuses `ATTESTATION_STALE` when it is over: what was worked out meanwhile is not given out. */
  requireOpen(): void {
    this.#open();
  }

  #open(): Provisioned {
    if (this.#provisioned === null || this.isOver) throw over();
    return this.#provisioned;
  }

  /**
   * The index without what is no longer allowed, as it is now: what was dropped meanwhile does not come back. Whoever asks
   * waits for what was taken back before to leave it, and so searches nothing that was. Refuses `ATTESTATION_STALE` when
   * it is over, and ends where the index cannot be made without what is to leave it.
   */
  restrictTo(allowed: ReadonlySet<ContributionId>): Promise<Corpus> {
    const revised = this.#revision.then(() => this.#restrict(allowed));
    this.#revision = revised.catch(() => undefined);
    return revised;
  }

  async #restrict(allowed: ReadonlySet<ContributionId>): Promise<Corpus> {
    const before = this.#provisioned?.corpus ?? null;
    if (before === null) throw over();
    const corpus = await before.restrictedTo(allowed, this.signal).catch((error: unknown) => {
      if (this.#provisioned === null) throw over();
      this.end(toUsufructError(error));
      throw error;
    });
    if (this.#provisioned === null) {
      corpus.close();
      throw over();
    }
    // Other things may be known of it since.
    if (corpus !== before) this.#provisioned = restricted(this.#provisioned, corpus, allowed);
    return corpus;
  }

  /** What the index is made of where the disk has no such index; null where it has, and where there is none (any more). */
  get notKept(): Provisioned | null {
    return this.#provisioned === null || this.#provisioned.isKept || this.isOver ? null : this.#provisioned;
  }

  /** So many contributions may be used now: with other grants than before it is to be kept again. */
  noteAllowed(allowedCount: number): void {
    const provisioned = this.#provisioned;
    if (provisioned === null || provisioned.allowedCount === allowedCount) return;
    this.#provisioned = { ...provisioned, allowedCount, isKept: false };
  }

  /** Have the disk keep the index as it is then, one time after another. Never rejects. */
  keep(options: KeepOptions = {}): Promise<void> {
    this.#kept = this.#kept.then(() => keepIndex(this.context, this, options));
    return this.#kept;
  }

  searches(corpus: Corpus): boolean {
    return this.#provisioned?.corpus === corpus && !this.isOver;
  }

  /** The disk has it now, or will not: nobody need try again before it changes. */
  settleKept(contents: Provisioned): void {
    if (this.#provisioned === contents) this.#provisioned = { ...this.#provisioned, isKept: true };
  }

  get contributionIds(): ReadonlySet<ContributionId> {
    return this.#provisioned?.corpus.contributionIds ?? new Set();
  }

  /** All that it opened, also what was dropped since. */
  get usedIds(): ReadonlySet<ContributionId> {
    return this.#usedIds;
  }

  /**
   * Forget what its owner has retired, documents, passages and index; also what is being opened just now. Resolves when it
   * has: with the session where it cannot be forgotten without the rest.
   */
  async drop(contributionIds: readonly ContributionId[]): Promise<void> {
    for (const id of contributionIds) this.#dropped.add(id);
    const gone = [...this.contributionIds].filter((id) => this.#dropped.has(id));
    if (gone.length === 0) return;
    const kept = [...this.contributionIds].filter((id) => !this.#dropped.has(id));
    await this.restrictTo(new Set(kept)).catch(() => undefined);
    if (this.#provisioned !== null) this.#provisioned = noted(this.#provisioned, gone);
  }

  /** Forget the plaintext. */
  end(reason: UsufructError | null = null): void {
    this.#ended.abort();
    this.#provisioned?.corpus.close();
    this.#provisioned = null;
    this.share.close();
    this.#state = 'expired';
    this.#error = reason ?? this.#error;
  }

  /**
   * What may pass by itself (a holder, the chain or the store is away) is tried again for as long as the session may
   * last; everything else ends it.
   */
  async #start(job: JobView): Promise<void> {
    let mismatches = 0;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await this.#attempt(job);
      } catch (cause) {
        this.share.set(0);
        this.#error = toUsufructError(cause);
        const isInTime = this.context.clock.nowMs() + pauseMs < this.expiresAtMs && !this.#ended.signal.aborted;
        if (this.#error.code === 'BLOB_MISMATCH') mismatches += 1;
        const mayPass = this.#error.entry.retry === 'later' && mismatches < MISMATCHES_AT_MOST;
        const isWorthWaiting = mayPass && isInTime;
        this.context.logger.warn(isWorthWaiting ? 'session.waits' : 'session.failed', {
          jobId: job.id,
          code: this.#error.code,
        });
        this.#state = isWorthWaiting ? 'attesting' : 'failed';
        if (!isWorthWaiting) throw this.#error;
      }
      await sleep(pauseMs, undefined, { signal: this.#ended.signal, ref: false }).catch(() => undefined);
    }
  }

  /**
   * Have questions answered from it, without what was dropped meanwhile, also while this is worked out: whoever drops
   * something finds it either here or in use.
   */
  async #useWithoutDropped(provisioned: Provisioned): Promise<void> {
    let current = provisioned;
    for (;;) {
      if (this.#ended.signal.aborted) {
        current.corpus.close();
        throw over();
      }
      const { contributionIds } = current.corpus;
      const gone = [...contributionIds].filter((id) => this.#dropped.has(id));
      if (gone.length === 0) break;
      const kept = new Set([...contributionIds].filter((id) => !this.#dropped.has(id)));
      current = noted(restricted(current, await current.corpus.restrictedTo(kept, this.signal), kept), gone);
    }
    this.#provisioned = current;
  }

  async #attempt(job: JobView): Promise<void> {
    this.share.requireWanted();
    const dao = await this.context.chain.dao(job.daoId);
    const registeredUntilMs = await ensureRegistered(this.context, dao);
    this.#expiresAtMs = asTimestampMs(Math.min(this.#expiresAtMs, registeredUntilMs));
    const provisioned = await provision(this.context, job, dao, {
      onKeys: () => (this.#state = 'provisioning'),
      signal: this.#ended.signal,
      unreadable: this.unreadable,
      share: this.share,
    });
    this.#usedIds = new Set(provisioned.corpus.contributionIds);
    await this.#useWithoutDropped(provisioned);
    if (provisioned.endsAtMs !== null)
      this.#expiresAtMs = asTimestampMs(Math.min(this.#expiresAtMs, provisioned.endsAtMs));
    this.#error = null;
    this.#state = 'running';
    const { documents, leftOut } = this;
    const isLeased = provisioned.endsAtMs !== null;
    this.context.logger.info('session.running', { jobId: job.id, documents, leftOut: leftOut.length, isLeased });
    // No question waits for the disk.
    void this.keep({ dao, isNew: true });
  }
}

const over = () => refuse('ATTESTATION_STALE', { reason: 'the session is over' });

const restricted = (provisioned: Provisioned, corpus: Corpus, allowed: ReadonlySet<ContributionId>): Provisioned => ({
  ...provisioned,
  corpus,
  documents: provisioned.documents.filter(({ contributionId }) => allowed.has(contributionId)),
  isKept: false,
});

/** With what was retired told. */
function noted(provisioned: Provisioned, gone: readonly ContributionId[]): Provisioned {
  const retired = new Set(gone);
  const others = ({ contributionId }: { readonly contributionId: ContributionId }): boolean =>
    !retired.has(contributionId);
  const codes = gone.map((contributionId): LeftOut => ({ contributionId, code: 'TOMBSTONED' }));
  const { unreadable, leftOut } = provisioned;
  return { ...provisioned, unreadable: unreadable.filter(others), leftOut: [...leftOut.filter(others), ...codes] };
}
