import { refuse, type TimestampMs } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import type { Holder } from './holder.js';

/** A signed request is good for as long as clocks may differ. Refuses `INVALID_ARGUMENT`. */
export function requireFresh({ clock }: Pick<Holder, 'clock'>, issuedAtMs: TimestampMs): void {
  if (Math.abs(issuedAtMs - clock.nowMs()) > LIMITS.clockSkewMs) {
    throw refuse('INVALID_ARGUMENT', { field: 'issuedAtMs', expected: `within ${LIMITS.clockSkewMs} ms of our clock` });
  }
}
