import { refuse } from '@usufruct/kernel';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;
/** `90000` is `1 minute 30 seconds`. */
export function durationWords(ms: number): string {
  const parts: string[] = [];
  let left = ms;
  for (const [name, unitMs] of UNITS) {
    const count = Math.floor(left / unitMs);
    left -= count * unitMs;
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? '' : 's'}`);
  }
  if (left > 0 || parts.length === 0) parts.push(`${left} ms`);
  return parts.join(' ');
}

const SHORT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
type Short = keyof typeof SHORT_MS;

/** `3d`, `2h`, `15m`, `90s` or `500ms` as milliseconds. Refuses `INVALID_ARGUMENT` with the field's name. */
export function parseDuration(text: string, field: string): number {
  const [, count, unit] = /^([0-9]{1,12})(d|h|m|s|ms)$/.exec(text.trim()) ?? [];
  if (count === undefined) throw refuse('INVALID_ARGUMENT', { field, expected: 'a time as 3d, 2h, 15m, 90s or 500ms' });
  return Number(count) * SHORT_MS[unit as Short];
}

/** What `parseDuration` reads back: in the longest unit that divides it. */
export function durationText(ms: number): string {
  const unit = (Object.keys(SHORT_MS) as Short[]).find((each) => ms % SHORT_MS[each] === 0) ?? 'ms';
  return `${ms / SHORT_MS[unit]}${unit}`;
}
