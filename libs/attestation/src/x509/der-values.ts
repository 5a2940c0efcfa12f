import { DER_TAG, parseDer, type DerElement } from './der.js';

const TIME_BYTES_AT_MOST = '20500101000000Z'.length;
const TIME = { utc: 0x17, generalized: 0x18 } as const;

/** RFC 5280 §5.1.2.4: UTCTime to 2049, GeneralizedTime after it, both with seconds and in Zulu. */
export function timeOf({ tag, contents }: DerElement): number | null {
  if (contents.length > TIME_BYTES_AT_MOST) return null;
  const text = String.fromCharCode(...contents);
  const [, year, month, day, hour, minute, second] =
    /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text) ?? [];
  if (year === undefined || year.length !== (tag === TIME.utc ? 2 : 4)) return null;
  if (tag !== TIME.utc && tag !== TIME.generalized) return null;
  const century = Number(year) < 50 ? '20' : '19';
  const ms = Date.parse(`${tag === TIME.utc ? century : ''}${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? null : ms;
}

/** An Extension (RFC 5280 §4.1) that must be understood by whoever uses what it stands in. */
export const isCritical = ({ children }: DerElement): boolean =>
  children.some(({ tag, contents }) => tag === DER_TAG.boolean && contents[0] === 0xff);

/** SEQUENCE { r, s } as r ‖ s of a fixed length each; throws for a number that is longer. */
export function rawEcdsa(der: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const raw = new Uint8Array(2 * length);
  for (const [i, { contents }] of (parseDer(der)?.children ?? []).entries()) {
    const digits = contents[0] === 0 ? contents.subarray(1) : contents;
    if (digits.length > length) throw new RangeError('a number of the signature is longer than the curve');
    raw.set(digits, (i + 1) * length - digits.length);
  }
  return raw;
}
