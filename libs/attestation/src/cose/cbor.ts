import { equalBytes, fromUtf8 } from '@usufruct/kernel';

/**
 * What the evidence of an enclave is made of (RFC 8949 §3): whole numbers, byte and text strings, arrays, maps and null.
 * A map keeps its order; its keys are text or whole numbers.
 */
export type CborValue = number | string | null | Uint8Array | readonly CborValue[] | CborMap;
export type CborMap = ReadonlyMap<string | number, CborValue>;

const CBOR_BYTES_AT_MOST = 64 * 1024;
const DEPTH_AT_MOST = 6;
const ITEMS_AT_MOST = 512;
const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, simple: 7 } as const;
const NULL = 22;
/** Values up to here stand in the first byte; above, 24 to 27 say that 1, 2, 4 or 8 bytes follow. */
const IMMEDIATE_AT_MOST = 23;
const ARGUMENT_BYTES: Readonly<Record<number, number>> = { 24: 1, 25: 2, 26: 4, 27: 8 };

/** What is wrong with the bytes. Never leaves this file. */
class Malformed extends Error {}

/**
 * Exactly one value, or undefined. Refused are: lengths that are indefinite or longer than they need be (RFC 8949
 * §4.2.1: so one value has one encoding), a key that is there twice (§5.6), text that is not UTF-8, numbers beyond what
 * a double holds exactly, floats, tags, booleans and `undefined` (nothing here uses them), bytes behind the value, and
 * sizes and depths that no evidence has. Lengths are compared with what is left before anything is allocated.
 */
export function parseCbor(bytes: Uint8Array): CborValue | undefined {
  if (bytes.length > CBOR_BYTES_AT_MOST) return undefined;
  const reader = new Reader(bytes);
  try {
    const value = reader.value(1);
    return reader.isDone ? value : undefined;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

class Reader {
  private at = 0;
  private items = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get isDone(): boolean {
    return this.at === this.bytes.length;
  }

  value(depth: number): CborValue {
    this.items += 1;
    if (depth > DEPTH_AT_MOST || this.items > ITEMS_AT_MOST) throw new Malformed();
    const { major, argument } = this.head();
    switch (major) {
      case MAJOR.unsigned:
        return argument;
      case MAJOR.negative:
        return -1 - argument;
      case MAJOR.bytes:
        return this.take(argument);
      case MAJOR.text:
        return textOf(this.take(argument));
      case MAJOR.array:
        return this.array(argument, depth);
      case MAJOR.map:
        return this.map(argument, depth);
      case MAJOR.simple:
        if (argument === NULL) return null;
        throw new Malformed();
      default:
        throw new Malformed();
    }
  }

  /** RFC 8949 §3: the major type and its argument, which must be written as short as it can be. */
  private head(): { readonly major: number; readonly argument: number } {
    const initial = this.take(1)[0]!;
    const [major, info] = [initial >> 5, initial & 0x1f];
    if (info <= IMMEDIATE_AT_MOST) return { major, argument: info };
    const length = ARGUMENT_BYTES[info];
    if (length === undefined || major === MAJOR.simple) throw new Malformed();
    const argument = this.take(length).reduce((value, byte) => value * 256 + byte, 0);
    const shorterHolds = length === 1 ? IMMEDIATE_AT_MOST : 256 ** (length / 2) - 1;
    if (argument <= shorterHolds || !Number.isSafeInteger(argument)) throw new Malformed();
    return { major, argument };
  }

  private take(length: number): Uint8Array {
    const end = this.at + length;
    if (end > this.bytes.length) throw new Malformed();
    const part = this.bytes.subarray(this.at, end);
    this.at = end;
    return part;
  }

  private array(length: number, depth: number): CborValue[] {
    const values: CborValue[] = [];
    for (let i = 0; i < length; i++) values.push(this.value(depth + 1));
    return values;
  }

  private map(length: number, depth: number): CborMap {
    const map = new Map<string | number, CborValue>();
    for (let i = 0; i < length; i++) {
      const key = this.value(depth + 1);
      if ((typeof key !== 'string' && typeof key !== 'number') || map.has(key)) throw new Malformed();
      map.set(key, this.value(depth + 1));
    }
    return map;
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    const text = fromUtf8(bytes);
    // A mark of the byte order is dropped by the decoder, so two encodings would be one text.
    if (equalBytes(new TextEncoder().encode(text), bytes)) return text;
  } catch {
    // said below
  }
  throw new Malformed();
}

/** The value as the type that it must have; null for any other. */
export const asMap = (value: CborValue | undefined): CborMap | null =>
  value instanceof Map ? (value as CborMap) : null;
export const asList = (value: CborValue | undefined): readonly CborValue[] | null =>
  Array.isArray(value) ? (value as readonly CborValue[]) : null;
export const asBytes = (value: CborValue | undefined): Uint8Array | null =>
  value instanceof Uint8Array ? value : null;

/** The bytes of a byte or text string with the head that RFC 8949 §3 puts before it. */
export function cborBytes(bytes: Uint8Array, major: 'bytes' | 'text' = 'bytes'): Uint8Array<ArrayBuffer> {
  const { length } = bytes;
  const first = MAJOR[major] << 5;
  const head =
    length <= IMMEDIATE_AT_MOST
      ? [first | length]
      : length < 0x100
        ? [first | 24, length]
        : [first | 25, length >> 8, length & 0xff];
  const out = new Uint8Array(head.length + length);
  out.set(head);
  out.set(bytes, head.length);
  return out;
}
