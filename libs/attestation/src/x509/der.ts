import { equalBytes } from '@usufruct/kernel';

/** One element of DER (X.690 §8 and §10). `bytes` is the whole element, `contents` what its length covers. */
export interface DerElement {
  readonly tag: number;
  readonly bytes: Uint8Array;
  readonly contents: Uint8Array;
  /** Empty for a primitive element. */
  readonly children: readonly DerElement[];
}

export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectId: 0x06,
  enumerated: 0x0a,
  ia5String: 0x16,
  sequence: 0x30,
} as const;

/** A certificate nests about ten deep; the CRL of a large family has some thousand entries of eight elements. */
const DEPTH_AT_MOST = 24;
const ELEMENTS_AT_MOST = 200_000;
const CONSTRUCTED = 0x20;
const HIGH_TAG_NUMBER = 0x1f;

/**
 * Exactly one element of strict DER, or null: indefinite and non-minimal lengths, trailing bytes, padded integers,
 * BOOLEANs other than 00 and FF, unused bits that are set and long-form tags are all refused (X.690 §10.1, §8.3, §11.1,
 * §11.2). The X.509 library behind it accepts some of them, so two encodings could stand for one certificate; and it
 * recurses without a limit, which the depth here gives it.
 */
export function parseDer(bytes: Uint8Array): DerElement | null {
  const budget = { elements: ELEMENTS_AT_MOST };
  const element = readElement(bytes, 0, 1, budget);
  return element !== null && element.bytes.length === bytes.length ? element : null;
}

interface Budget {
  elements: number;
}

function readElement(bytes: Uint8Array, start: number, depth: number, budget: Budget): DerElement | null {
  budget.elements -= 1;
  if (depth > DEPTH_AT_MOST || budget.elements < 0) return null;
  const tag = bytes[start];
  if (tag === undefined || (tag & HIGH_TAG_NUMBER) === HIGH_TAG_NUMBER) return null;
  const length = readLength(bytes, start + 1);
  if (length === null || length.contentsAt + length.value > bytes.length) return null;
  const end = length.contentsAt + length.value;
  const contents = bytes.subarray(length.contentsAt, end);
  const children = (tag & CONSTRUCTED) === 0 ? [] : readChildren(contents, depth + 1, budget);
  if (children === null || !isCanonical(tag, contents)) return null;
  return { tag, bytes: bytes.subarray(start, end), contents, children };
}

function readChildren(contents: Uint8Array, depth: number, budget: Budget): DerElement[] | null {
  const children: DerElement[] = [];
  for (let offset = 0; offset < contents.length;) {
    const child = readElement(contents, offset, depth, budget);
    if (child === null) return null;
    children.push(child);
    offset += child.bytes.length;
  }
  return children;
}

/** X.690 §10.1: definite, and in as few octets as possible. Four octets of length are more than any input here has. */
function readLength(bytes: Uint8Array, at: number): { readonly value: number; readonly contentsAt: number } | null {
  const first = bytes[at];
  if (first === undefined) return null;
  if (first < 0x80) return { value: first, contentsAt: at + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 3 || at + 1 + count > bytes.length) return null;
  let value = 0;
  for (let i = 0; i < count; i++) value = value * 256 + bytes[at + 1 + i]!;
  const isMinimal = value >= 0x80 && bytes[at + 1] !== 0;
  return isMinimal ? { value, contentsAt: at + 1 + count } : null;
}

function isCanonical(tag: number, contents: Uint8Array): boolean {
  switch (tag) {
    case DER_TAG.boolean:
      return contents.length === 1 && (contents[0] === 0 || contents[0] === 0xff);
    case DER_TAG.integer:
    case DER_TAG.enumerated:
      return isMinimalInteger(contents);
    case DER_TAG.bitString:
      return hasZeroPadding(contents);
    case DER_TAG.null:
      return contents.length === 0;
    case DER_TAG.objectId:
      return contents.length > 0 && contents.at(-1)! < 0x80;
    default:
      return true;
  }
}

function isMinimalInteger(contents: Uint8Array): boolean {
  const [first, second] = contents;
  if (first === undefined) return false;
  if (second === undefined) return true;
  return !(first === 0 && second < 0x80) && !(first === 0xff && second >= 0x80);
}

function hasZeroPadding(contents: Uint8Array): boolean {
  const unused = contents[0];
  if (unused === undefined || unused > 7) return false;
  if (contents.length === 1) return unused === 0;
  return (contents.at(-1)! & ((1 << unused) - 1)) === 0;
}

/** A non-negative INTEGER or ENUMERATED of at most four octets; null for anything else. */
export function smallInteger(element: DerElement): number | null {
  const { tag, contents } = element;
  if (tag !== DER_TAG.integer && tag !== DER_TAG.enumerated) return null;
  if (contents.length > 4 || contents[0]! >= 0x80) return null;
  return contents.reduce((value, byte) => value * 256 + byte, 0);
}

/** The contents of an OCTET STRING of this many bytes, or null. */
export const octets = ({ tag, contents }: DerElement, length: number): Uint8Array | null =>
  tag === DER_TAG.octetString && contents.length === length ? contents : null;

/** True if the element is this OBJECT IDENTIFIER, given as its encoded contents. */
export const isObjectId = ({ tag, contents }: DerElement, encoded: Uint8Array): boolean =>
  tag === DER_TAG.objectId && equalBytes(contents, encoded);

/** The contents of an OBJECT IDENTIFIER in dotted form (X.690 §8.19). */
export function encodeObjectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return Uint8Array.from([first * 40 + second, ...rest].flatMap(base128));
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) + 128);
  return digits;
}
