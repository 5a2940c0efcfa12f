import { refuse, toUsufructError, type TimestampMs, type UsufructError, asTimestampMs } from '@usufruct/kernel';
import { LIMITS, type JobState, type JobView } from '@usufruct/protocol';
import { ensureRegistered } from '../../attest/registration.js';
import type { RunnerContext } from '../../context.js';
import type { Corpus } from '../rag/index.js';
import { provision, type LeftOut, type Provisioned } from './provision.js';

/**
 * One escrow, one appraisal, one release, then many questions for at most ten minutes (DESIGN.md, stage 6). The
 * plaintext index lives in this object only and is dropped with it.
 */
export class Session {
  readonly expiresAtMs: TimestampMs;
  #state: JobState = 'attesting';
  #provisioned: Provisioned | null = null;
  #error: UsufructError | null = null;
  /** Resolves when questions can be answered; rejects with why they cannot. */
  readonly ready: Promise<void>;

  constructor(
    private readonly context: RunnerContext,
    job: JobView,
  ) {
    const endsAtMs = Math.min(context.clock.nowMs() + LIMITS.sessionTermMs, job.expiresAtMs);
    this.expiresAtMs = asTimestampMs(endsAtMs);
    this.ready = this.#start(job);
    // Whoever asks gets the rejection; a session that nobody waits for must not end the process.
    this.ready.catch(() => undefined);
  }

  get state(): JobState {
    return this.#state;
  }
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
    if (this.#provisioned === null || this.context.clock.nowMs() >= this.expiresAtMs) {
      throw refuse('ATTESTATION_STALE', { reason: 'the session is over' });
    }
    return this.#provisioned;
  }

  /** Keep the index without what is no longer allowed. */
  replaceCorpus(corpus: Corpus): void {
    if (this.#provisioned !== null) this.#provisioned = { ...this.#provisioned, corpus };
  }

  /** Forget the plaintext. */
  end(): void {
    this.#provisioned = null;
    this.#state = 'expired';
  }

  async #start(job: JobView): Promise<void> {
    const { chain, logger } = this.context;
    try {
      const dao = await chain.dao(job.daoId);
      await ensureRegistered(this.context, dao);
      const provisioned = await provision(this.context, job, dao, () => (this.#state = 'provisioning'));
      if (this.#state === 'expired') throw refuse('ATTESTATION_STALE', { reason: 'the session is over' });
      this.#provisioned = provisioned;
      this.#state = 'running';
      logger.info('session.running', { jobId: job.id, documents: this.documents, leftOut: this.leftOut.length });
    } catch (cause) {
      this.#error = toUsufructError(cause);
      this.#state = 'failed';
      logger.warn('session.failed', { jobId: job.id, code: this.#error.code });
      throw this.#error;
    }
  }
}
