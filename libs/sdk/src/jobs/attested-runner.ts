import { toBase64, type DaoId, type JobId } from '@usufruct/kernel';
import { appraisalPolicyDigest, LIMITS, type Claims, type DaoView } from '@usufruct/protocol';
import { attestRunner } from '../attest.js';
import type { ClientContext } from '../context.js';
import { registeredRunner } from '../registered-runner.js';
import { requireRunning } from './ready.js';

/** One appraisal, then many questions, for as long as a session may last (DESIGN.md, stage 6). */
const REUSE_MS = LIMITS.sessionTermMs;

interface Appraised {
  readonly daoId: DaoId;
  readonly claims: Claims;
  /** Of the policy that it was appraised under. */
  readonly policyDigest: string;
  readonly untilMs: number;
}
type OnAppraise = (step: 'waiting' | 'attesting') => void;

/**
 * The runner of a job, appraised by this client once for a session and not for each question. A key that was bound to a
 * TEE is bound to it still: it never leaves the process that made it, and one that starts anew has another. What may change
 * meanwhile is read from the chain for each question: that the runner is registered and was not withdrawn, and that the
 * DAO's policy is the one that it was appraised under. What a vendor revokes meanwhile counts from the next appraisal, ten
 * minutes later at most, or when what the last one rests on expires.
 */
export class AttestedRunners {
  #known: Appraised | null = null;
  #appraising: Promise<Claims> | null = null;

  constructor(
    private readonly context: ClientContext,
    private readonly jobId: JobId,
  ) {}

  /** Refuses what `attestRunner` refuses, and `RUNNER_UNAVAILABLE` while the job is being prepared. */
  async current(onAppraise: OnAppraise): Promise<Claims> {
    const known = this.#known;
    if (known !== null && this.context.clock.nowMs() < known.untilMs && (await this.#isInForce(known))) {
      return known.claims;
    }
    // Whoever asks while an appraisal goes on waits for the same one.
    this.#appraising ??= this.#appraise(onAppraise).finally(() => (this.#appraising = null));
    return this.#appraising;
  }

  /** The runner with this key has said that the question was sealed to another, or that it never had it. */
  forget(runnerSigningKey: string): void {
    const known = this.#known?.claims.signingPublicKey;
    if (known !== undefined && toBase64(known) === runnerSigningKey) this.#known = null;
  }

  async #appraise(onAppraise: OnAppraise): Promise<Claims> {
    this.#known = null;
    onAppraise('waiting');
    await requireRunning(this.context, this.jobId);
    onAppraise('attesting');
    // The term begins before the evidence was asked for.
    const startedMs = this.context.clock.nowMs();
    const { claims, result, runner } = await attestRunner(this.context, this.jobId);
    const untilMs = Math.min(startedMs + REUSE_MS, result.expiresAtMs);
    this.#known = { daoId: runner.daoId, claims, policyDigest: runner.appraisalPolicyDigest, untilMs };
    return claims;
  }

  /** By the chain as it is now. What cannot be read, or does not hold, is found out from the beginning. */
  async #isInForce({ daoId, claims, policyDigest }: Appraised): Promise<boolean> {
    const { chain } = this.context;
    const dao: Promise<DaoView> = chain.dao(daoId);
    try {
      await registeredRunner(this.context, dao, { daoId, claims });
      return appraisalPolicyDigest((await dao).policy.appraisal) === policyDigest;
    } catch {
      return false;
    }
  }
}
