import { concatBytes, utf8 } from '@usufruct/kernel';

/** Values that an attestation document is made of; a list of pairs is a map, so that keys can come twice. */
export type CborInput = number | string | null | Uint8Array | readonly CborInput[] | CborPairs;
export interface CborPairs {
  readonly pairs: readonly (readonly [CborInput, CborInput])[];
}

/** RFC 8949 §3 in the preferred form: the shortest head, definite lengths, the order as given. */
export function encodeCbor(value: CborInput): Uint8Array<ArrayBuffer> {
  if (value === null) return Uint8Array.of(0xf6);
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (typeof value === 'string') return concatBytes(head(3, utf8(value).length), utf8(value));
  if (value instanceof Uint8Array) return concatBytes(head(2, value.length), value);
  if ('pairs' in value) return concatBytes(head(5, value.pairs.length), ...value.pairs.flat().map(encodeCbor));
  return concatBytes(head(4, value.length), ...value.map(encodeCbor));
}

function head(major: number, argument: number): Uint8Array<ArrayBuffer> {
  const first = major << 5;
  if (argument < 24) return Uint8Array.of(first | argument);
  const width = [1, 2, 4, 8].find((bytes) => argument < 256 ** bytes) ?? 8;
  const out = new Uint8Array(1 + width);
  out[0] = first | (24 + Math.log2(width));
  let left = argument;
  for (let at = width; at > 0; at--) {
    out[at] = left % 256;
    left = Math.floor(left / 256);
  }
  return out;
}
