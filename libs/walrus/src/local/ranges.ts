import { refuse } from '@usufruct/kernel';

/** Bytes from `start` up to, and not with, `end`. */
export interface Slice {
  readonly start: number;
  readonly end: number;
}

/** Not larger than any file, and small enough to be exact. */
const POSITION = /^\d{1,15}$/;

/**
 * The part that a `Range` header asks for; `null` for what is answered with 416. Walrus's aggregator takes one range
 * with both ends, inside the blob: no open ends, no suffixes, no lists, no other unit, and nothing is cut down to the
 * blob's size, all of which RFC 9110 §14 would allow (MystenLabs/walrus, client/daemon/routes.rs, `parse_range_header`).
 */
export function parseRange(header: string, sizeBytes: number): Slice | null {
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header.trim());
  if (match === null) return null;
  const [start, last] = [Number(match[1]), Number(match[2])];
  return start <= last && last < sizeBytes ? { start, end: last + 1 } : null;
}

/** The part that `/byte-range?start=…&length=…` asks for. Refuses `INVALID_ARGUMENT`. */
export function parseByteRange(query: URLSearchParams, sizeBytes: number): Slice {
  const read = (field: string): number => {
    const text = query.get(field) ?? '';
    if (!POSITION.test(text)) throw refuse('INVALID_ARGUMENT', { field, expected: 'a whole number' });
    return Number(text);
  };
  const start = read('start');
  const length = read('length');
  if (length === 0 || start + length > sizeBytes)
    throw refuse('INVALID_ARGUMENT', { field: 'length', expected: 'a range inside the blob that is not empty' });
  return { start, end: start + length };
}
