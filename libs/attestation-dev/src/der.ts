import { concatBytes } from '@usufruct/kernel';

/** One DER element; the tags are those of X.690 §8. Contents of up to 65,535 bytes. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const contents = concatBytes(...parts);
  const { length } = contents;
  if (length < 0x80) return concatBytes(Uint8Array.of(tag, length), contents);
  const header = length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return concatBytes(Uint8Array.from(header), contents);
}

export const derSequence = (...parts: readonly Uint8Array[]): Uint8Array => der(0x30, ...parts);
export const derOctets = (bytes: Uint8Array): Uint8Array => der(0x04, bytes);

/** A non-negative INTEGER below 2³¹. */
export function derInteger(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let left = value; left > 0; left >>>= 8) bytes.unshift(left & 0xff);
  if (bytes.length === 0 || bytes[0]! >= 0x80) bytes.unshift(0);
  return der(0x02, Uint8Array.from(bytes));
}

/** An OBJECT IDENTIFIER given in dotted form. */
export function derObjectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}
