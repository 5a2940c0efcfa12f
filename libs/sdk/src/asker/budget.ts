import { asAmount, refuse, type AmountUnits } from '@usufruct/kernel';

/** What was spent so far, in units of the escrow coin. */
export interface Spending {
  readonly maxUnits: AmountUnits;
  /**
   * Escrows of open sessions, what was paid out of them included, and prices of questions that are gone on with in
   * sessions of other processes: it may come back, and cannot be spent twice.
   */
  readonly lockedUnits: AmountUnits;
  /** What closed sessions have cost, and answered questions in sessions of other processes. */
  readonly paidUnits: AmountUnits;
}

/** Null is no limit. */
export const lesserLimit = (a: AmountUnits | null, b: AmountUnits | null): AmountUnits | null =>
  a === null || (b !== null && b < a) ? b : a;

/**
 * A limit on what is locked and paid together, so that it holds whatever becomes of the open sessions. It lives as
 * long as its process: it is no account, and a second process has a limit of its own.
 */
export class Budget {
  private locked = 0n;
  private paid = 0n;
  constructor(readonly maxUnits: AmountUnits) {}

  /** What can still be locked. */
  get leftUnits(): bigint {
    return this.maxUnits - this.locked - this.paid;
  }

  /** How many of the wanted questions at this price can still be locked, with what is locked for them already. */
  affordable(priceUnits: AmountUnits, wanted: number, lockedUnits = 0n): number {
    if (priceUnits === 0n) return wanted;
    const count = (this.leftUnits + lockedUnits) / priceUnits;
    return count >= BigInt(wanted) ? wanted : Number(count > 0n ? count : 0n);
  }

  /** Refuses `SPENDING_LIMIT` before anything is locked. */
  lock(units: bigint): void {
    if (units > this.leftUnits) throw refuse('SPENDING_LIMIT', { limit: 'max-spend' });
    this.locked += units;
  }

  /** A session is over: so much of what was locked for it was paid, the rest came back. */
  settle(lockedUnits: bigint, paidUnits: bigint): void {
    this.locked -= lockedUnits;
    this.paid += paidUnits;
  }

  get spending(): Spending {
    return { maxUnits: this.maxUnits, lockedUnits: asAmount(this.locked), paidUnits: asAmount(this.paid) };
  }
}
