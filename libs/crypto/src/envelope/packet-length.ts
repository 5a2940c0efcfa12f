/** Lengths of OpenPGP-format packets (RFC 9580 §4.2.1). */

/** One, two or five octets (§4.2.1.1 to §4.2.1.3). */
export function definiteLength(lengthBytes: number): Uint8Array {
  if (lengthBytes < 192) return Uint8Array.of(lengthBytes);
  if (lengthBytes < 8384) return Uint8Array.of(((lengthBytes - 192) >> 8) + 192, (lengthBytes - 192) & 0xff);
  const out = new Uint8Array(5);
  out[0] = 0xff;
  new DataView(out.buffer).setUint32(1, lengthBytes);
  return out;
}

/** The octet that announces a part of 2^n octets which is not the last (§4.2.1.4). */
export const partialLength = (lengthBytes: number): number => 224 + Math.log2(lengthBytes);
