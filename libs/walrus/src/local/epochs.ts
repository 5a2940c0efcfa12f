import { asTimestampMs, refuse, type Clock, type TimestampMs } from '@usufruct/kernel';
import type { LeaseTable } from './lease-table.js';

/** How far the epochs can be moved on at once: more than any lease lasts. */
const MOST_STEPS = 1_000;

/**
 * The store's epochs: by the clock, and moved on by hand. They never go back: not when the clock does, not over a
 * restart, not when the length of an epoch is set anew.
 */
export class Epochs {
  private epoch: number;
  private startedMs: number;

  constructor(
    private readonly table: LeaseTable,
    private readonly clock: Clock,
    readonly epochMs: number,
  ) {
    const known = table.setting('epoch');
    this.epoch = known === null ? Math.floor(clock.nowMs() / epochMs) : Number(known);
    this.startedMs = known === null ? this.epoch * epochMs : Number(table.setting('epochStartedMs'));
    this.keep();
  }

  /** The epoch that it is now. */
  current(): number {
    const steps = Math.floor((this.clock.nowMs() - this.startedMs) / this.epochMs);
    if (steps > 0) {
      this.epoch += steps;
      this.startedMs += steps * this.epochMs;
    }
    return this.epoch;
  }

  /** When the current epoch ends by itself. */
  endsAtMs(): TimestampMs {
    this.current();
    return asTimestampMs(this.startedMs + this.epochMs);
  }

  /** So many epochs on: the one that comes then begins now. Durable when it returns. */
  advance(steps: number): number {
    if (!Number.isInteger(steps) || steps < 1 || steps > MOST_STEPS)
      throw refuse('INVALID_ARGUMENT', { field: 'epochs', expected: `an integer from 1 to ${MOST_STEPS}` });
    const before = { epoch: this.current(), startedMs: this.startedMs };
    this.epoch += steps;
    this.startedMs = this.clock.nowMs();
    try {
      this.keep();
    } catch (error) {
      Object.assign(this, before);
      throw error;
    }
    return this.epoch;
  }

  /** Written down, so that a clock that is set back over a restart revives no lease that has ended. */
  keep(): void {
    if (String(this.current()) === this.table.setting('epoch')) return;
    this.table.set({ epoch: String(this.epoch), epochStartedMs: String(this.startedMs) });
  }
}
