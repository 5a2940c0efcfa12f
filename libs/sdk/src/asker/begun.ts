import type { JobId } from '@usufruct/kernel';
import type { Budget } from './budget.js';

interface Counted {
  readonly jobId: JobId;
  readonly lockedUnits: bigint;
  readonly paidUnits: bigint;
}

/**
 * Questions that another process has begun, in a session of its own, and that this one goes on with. What the session
 * holds counts against the limit of whoever funded it; what this process may have paid out of it, the price of the
 * question, counts here, once: locked until it is known whether it was paid.
 */
export class BegunQuestions {
  private readonly counted = new Map<string, Counted>();
  constructor(private readonly budget: Budget) {}

  has(askKey: string): boolean {
    return this.counted.has(askKey);
  }

  /** Refuses `SPENDING_LIMIT`. */
  lock(askKey: string, jobId: JobId, priceUnits: bigint): void {
    this.budget.lock(priceUnits);
    this.counted.set(askKey, { jobId, lockedUnits: priceUnits, paidUnits: 0n });
  }

  /** It has cost so much, or will never cost anything. Told once; nothing happens for a question that is not counted here. */
  end(askKey: string, paidUnits: bigint): void {
    const one = this.counted.get(askKey);
    if (one === undefined || one.paidUnits > 0n) return;
    this.budget.settle(one.lockedUnits, paidUnits);
    if (paidUnits === 0n) this.counted.delete(askKey);
    else this.counted.set(askKey, { ...one, lockedUnits: 0n, paidUnits });
  }

  unitsIn(jobId: JobId): bigint {
    return this.in(jobId).reduce((sum, [, { lockedUnits, paidUnits }]) => sum + lockedUnits + paidUnits, 0n);
  }

  /** The session is this process's from now on, and counts as a whole. */
  handOver(jobId: JobId): void {
    for (const [askKey, { lockedUnits, paidUnits }] of this.in(jobId)) {
      this.budget.settle(lockedUnits, -paidUnits);
      this.counted.delete(askKey);
    }
  }

  private in(jobId: JobId): [string, Counted][] {
    return [...this.counted].filter(([, one]) => one.jobId === jobId);
  }
}
