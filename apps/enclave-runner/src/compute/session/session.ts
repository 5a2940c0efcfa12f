import { setTimeout as sleep } from 'node:timers/promises';
import {
  asTimestampMs,
  refuse,
  toUsufructError,
  type ContributionId,
  type TimestampMs,
  type UsufructError,
} from '@usufruct/kernel';
import { LIMITS, type JobState, type JobView } from '@usufruct/protocol';
import { ensureRegistered } from '../../attest/registration.js';
import type { RunnerContext } from '../../context.js';
import type { Corpus } from '../rag/index.js';
import { keepIndex, type KeepOptions } from './keep-index.js';
import { provision, type LeftOut, type Provisioned } from './provision.js';

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
  readonly #ended = new AbortController();
  /** Resolves when questions can be answered; rejects with why they cannot. */
  readonly ready: Promise<void>;

  constructor(
    private readonly context: RunnerContext,
    readonly job: JobView,
  ) {
    const endsAtMs = Math.min(context.clock.nowMs() + LIMITS.sessionTermMs, job.expiresAtMs);
    this.#expiresAtMs = asTimestampMs(endsAtMs);
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
    if (this.#provisioned === null || this.isOver) throw refuse('ATTESTATION_STALE', { reason: 'the session is over' });
    return this.#provisioned;
  }

  /** Keep the index without what is no longer allowed, as it is now: what was dropped meanwhile does not come back. */
  restrictTo(allowed: ReadonlySet<ContributionId>): Corpus {
    if (this.#provisioned === null) throw refuse('ATTESTATION_STALE', { reason: 'the session is over' });
    this.#provisioned = restricted(this.#provisioned, allowed);
    return this.#provisioned.corpus;
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

  /** Forget what its owner has retired, documents, passages and index; also what is being opened just now. */
  drop(contributionId: ContributionId): void {
    this.#dropped.add(contributionId);
    if (this.#provisioned !== null) this.#provisioned = withoutDropped(this.#provisioned, this.#dropped);
  }

  /** Forget the plaintext. */
  end(reason: UsufructError | null = null): void {
    this.#ended.abort();
    this.#provisioned = null;
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

  async #attempt(job: JobView): Promise<void> {
    const dao = await this.context.chain.dao(job.daoId);
    const registeredUntilMs = await ensureRegistered(this.context, dao);
    this.#expiresAtMs = asTimestampMs(Math.min(this.#expiresAtMs, registeredUntilMs));
    const provisioned = await provision(this.context, job, dao, () => (this.#state = 'provisioning'));
    if (this.#ended.signal.aborted) throw refuse('ATTESTATION_STALE', { reason: 'the session is over' });
    this.#usedIds = new Set(provisioned.corpus.contributionIds);
    this.#provisioned = withoutDropped(provisioned, this.#dropped);
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

/** The same where nothing is left out by it. */
function restricted(provisioned: Provisioned, allowed: ReadonlySet<ContributionId>): Provisioned {
  const corpus = provisioned.corpus.restrictedTo(allowed);
  if (corpus === provisioned.corpus) return provisioned;
  const documents = provisioned.documents.filter(({ contributionId }) => allowed.has(contributionId));
  return { ...provisioned, corpus, documents, isKept: false };
}

function withoutDropped(provisioned: Provisioned, dropped: ReadonlySet<ContributionId>): Provisioned {
  const { corpus, leftOut, unreadable } = provisioned;
  const gone = [...corpus.contributionIds].filter((id) => dropped.has(id));
  if (gone.length === 0) return provisioned;
  const kept = new Set([...corpus.contributionIds].filter((id) => !dropped.has(id)));
  const codes = gone.map((contributionId): LeftOut => ({ contributionId, code: 'TOMBSTONED' }));
  return {
    ...restricted(provisioned, kept),
    unreadable: unreadable.filter(({ contributionId }) => !dropped.has(contributionId)),
    leftOut: [...leftOut, ...codes],
  };
}
