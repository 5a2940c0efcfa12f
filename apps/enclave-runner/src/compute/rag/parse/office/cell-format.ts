/** How a number of a cell is shown, as far as it changes what it says. */
export type CellFormat = 'number' | 'percent' | 'date' | 'time' | 'date-time' | 'elapsed';

const DAY_SECONDS = 86_400;
/** Formats that have a number and no code in the file (ECMA-376 part 1 §18.8.30), those of East Asian locales too. */
const BUILT_IN = new Map<number, CellFormat>([
  [9, 'percent'],
  [10, 'percent'],
  ...[14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58].map((id) => [id, 'date'] as const),
  ...[18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56].map((id) => [id, 'time'] as const),
  [22, 'date-time'],
  [46, 'elapsed'],
]);

export function cellFormat(id: number, code: string | undefined): CellFormat {
  if (code === undefined) return BUILT_IN.get(id) ?? 'number';
  // Only the form of positive numbers counts; quoted text, escaped characters and [colours] are no fields.
  const fields = (code.slice(0, 255).split(';')[0] ?? '').replace(/"[^"]*"|\\.|_.|\*./g, '');
  if (/\[(?:h+|m+|s+)\]/i.test(fields)) return 'elapsed';
  const plain = fields.replace(/\[[^\]]*\]/g, '').replace(/general/gi, '');
  const hasTime = /[hs]/i.test(plain);
  const hasDate = /[yd]/i.test(plain) || (/m/i.test(plain) && !hasTime);
  if (hasDate) return hasTime ? 'date-time' : 'date';
  if (hasTime) return 'time';
  return plain.includes('%') ? 'percent' : 'number';
}

/**
 * A cell's number in plain text: decimal with at most the 15 digits that spreadsheets compute with, percentages with
 * their sign, dates as ISO 8601 without a zone. A number that is no date of the calendar stays a number.
 */
export function cellText(value: number, format: CellFormat, is1904: boolean): string {
  if (format === 'percent') return `${plainNumber(value * 100)}%`;
  if (format === 'number' || value < 0 || value >= 2_958_466) return plainNumber(value);
  const seconds = Math.round(value * DAY_SECONDS);
  if (format === 'elapsed') return clock(seconds, Math.floor(seconds / 3_600));
  const [day, second] = [Math.floor(seconds / DAY_SECONDS), seconds % DAY_SECONDS];
  const time = clock(second, Math.floor(second / 3_600));
  if (format === 'time') return time;
  const date = dateOf(day, is1904);
  return format === 'date' && second === 0 ? date : `${date} ${time}`;
}

const plainNumber = (value: number): string => String(Number(value.toPrecision(15)));

const clock = (seconds: number, hours: number): string =>
  [hours, Math.floor((seconds % 3_600) / 60), seconds % 60].map((part) => String(part).padStart(2, '0')).join(':');

/** Day 1 is 1 January 1900, and day 60 the 29 February 1900 that never was; with the other epoch day 0 is 1 January 1904. */
function dateOf(day: number, is1904: boolean): string {
  if (!is1904 && day === 60) return '1900-02-29';
  const epoch = is1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, day < 60 ? 31 : 30);
  return new Date(epoch + day * DAY_SECONDS * 1_000).toISOString().slice(0, 10);
}
