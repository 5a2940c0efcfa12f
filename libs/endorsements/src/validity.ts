import type { SignedValidity } from '@usufruct/attestation';

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

/** Why something may not be used now although its signature is good; null if it may. */
export function outOfDate({ fromMs, untilMs }: SignedValidity, nowMs: number): string | null {
  // Written so that a date that is not a number counts as out of date.
  if (!(nowMs >= fromMs)) return `it is not valid before ${day(fromMs)} UTC`;
  return nowMs <= untilMs ? null : `its signed validity ended ${day(untilMs)} UTC`;
}
