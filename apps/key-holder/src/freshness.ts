import { asTimestampMs, refuse, type TimestampMs } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import type { Holder } from './holder.js';

/** A signed request is good for as long as clocks may differ. Refuses `INVALID_ARGUMENT`. */
export function requireFresh({ clock }: Pick<Holder, 'clock'>, issuedAtMs: TimestampMs): void {
  if (Math.abs(issuedAtMs - clock.nowMs()) > LIMITS.clockSkewMs) {
    throw refuse('INVALID_ARGUMENT', { field: 'issuedAtMs', expected: `within ${LIMITS.clockSkewMs} ms of our clock` });
  }
}

/**
 * The time that decisions about keys go by: this holder's clock, or the chain's newest event where that is later. A
 * clock that is behind then keeps nothing open for longer than until the chain moves on, and at most a job's term,
 * because that a job was funded is an event. Refuses `LOG_BEHIND`, `CHAIN_UNAVAILABLE`.
 */
export async function decisionTime({ clock, caughtUp }: Pick<Holder, 'clock' | 'caughtUp'>): Promise<TimestampMs> {
  const shownMs = await caughtUp.latestEventMs();
  return asTimestampMs(Math.max(clock.nowMs(), shownMs));
}
