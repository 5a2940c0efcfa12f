import { BASIS_POINTS_WHOLE, refuse } from '@usufruct/kernel';
import type { RevenueSplit } from '@usufruct/protocol';

/** What people type, read exactly. Everything here refuses `INVALID_ARGUMENT` with the field and what was expected. */
export function integerOf(text: string, field: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw refuse('INVALID_ARGUMENT', { field, expected: 'an integer' });
  return Number(text);
}

/** At least one of something. */
export function countOf(text: string, field: string): number {
  const count = integerOf(text, field);
  if (count === 0) throw refuse('INVALID_ARGUMENT', { field, expected: 'at least 1' });
  return count;
}

/** For an option that may be repeated. */
export const collected = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** `contributors,treasury,runner,protocol` in parts of ten thousand. */
export function splitOf(text: string): RevenueSplit {
  const parts = text.split(',').map((part) => integerOf(part, 'split'));
  const [contributorsBps, treasuryBps, runnerBps, protocolBps] = parts;
  if (parts.length !== 4) throw refuse('INVALID_ARGUMENT', { field: 'split', expected: 'four integers' });
  return {
    contributorsBps: contributorsBps!,
    treasuryBps: treasuryBps!,
    runnerBps: runnerBps!,
    protocolBps: protocolBps!,
  };
}

/** `50.01` percent is 5001 parts of ten thousand. */
export function percentOf(text: string, field: string): number {
  const [, whole, fraction = ''] = /^([0-9]{1,3})(?:\.([0-9]{1,2}))?$/.exec(text) ?? [];
  const bps = Number(whole) * 100 + Number(fraction.padEnd(2, '0'));
  if (whole === undefined || bps > BASIS_POINTS_WHOLE) {
    throw refuse('INVALID_ARGUMENT', { field, expected: 'a percentage with at most two decimals' });
  }
  return bps;
}
