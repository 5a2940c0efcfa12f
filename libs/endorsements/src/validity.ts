import type { SignedValidity } from '@usufruct/attestation';
import type { HeldItem } from './folder/endorsement-folder.js';

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

/** Why something may not be used now although its signature is good; null if it may. */
export function outOfDate({ fromMs, untilMs }: SignedValidity, nowMs: number): string | null {
  // Written so that a date that is not a number counts as out of date.
  if (!(nowMs >= fromMs)) return `it is not valid before ${day(fromMs)} UTC`;
  return nowMs <= untilMs ? null : `its signed validity ended ${day(untilMs)} UTC`;
}

/** Nobody need be asked: it may be used, and its answer is as young as the vendor wants it. */
export function isFresh({ validity, entry }: HeldItem, nowMs: number): boolean {
  // An answer from the future was fetched before the clock was set back: how old it is, nobody knows.
  const isYoung = entry !== null && entry.fetchedAtMs <= nowMs && nowMs < entry.freshUntilMs;
  return isYoung && outOfDate(validity, nowMs) === null;
}

/**
 * Why what is held may not be used now; null if it may. What nobody signed is good as long as it is fresh. That something
 * was revoked is handed out for ever: who keeps a newer answer away must not gain by the old one's end.
 */
export function unusableNow(held: HeldItem, nowMs: number): string | null {
  if (held.validity.isRevocation === true && nowMs >= held.validity.fromMs) return null;
  if (held.validity.isSigned || isFresh(held, nowMs)) return outOfDate(held.validity, nowMs);
  return 'nobody signs it, and it is no longer fresh';
}
