import { base64, base64urlnopad, hex } from '@scure/base';
import { refuse } from './errors.js';
import type { Hex32 } from './ids.js';

export const toHex = (bytes: Uint8Array): string => hex.encode(bytes);
export const toHex32 = <T extends Hex32 = Hex32>(bytes: Uint8Array): T => {
  if (bytes.length !== 32) throw refuse('INVALID_ARGUMENT', { field: 'bytes', expected: '32 bytes' });
  return `0x${hex.encode(bytes)}` as T;
};
/** Node's own, many times as fast as JavaScript; undefined in a browser. */
const NodeBuffer: typeof Buffer | undefined = globalThis.Buffer;

export const toBase64 = (bytes: Uint8Array): string =>
  NodeBuffer === undefined
    ? base64.encode(bytes)
    : NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
export const toBase64Url = (bytes: Uint8Array): string => base64urlnopad.encode(bytes);

/** Decoders refuse with the field's name and never echo what they were given. */
export const fromHex = (text: string, field = 'hex'): Uint8Array =>
  decode(() => hex.decode(text.startsWith('0x') ? text.slice(2) : text), field, 'hex digits');
export const fromBase64 = (text: string, field = 'base64'): Uint8Array =>
  decode(() => (NodeBuffer === undefined ? base64.decode(text) : decodeBase64(NodeBuffer, text)), field, 'base64');
export const fromBase64Url = (text: string, field = 'base64url'): Uint8Array =>
  decode(() => base64urlnopad.decode(text), field, 'base64url without padding');

/** Node skips what is no base64; only the one text that encodes these bytes is taken, as by the decoder in browsers. */
function decodeBase64(node: typeof Buffer, text: string): Uint8Array {
  const bytes = node.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new RangeError('not base64');
  return Uint8Array.from(bytes);
}

function decode(run: () => Uint8Array, field: string, expected: string): Uint8Array {
  try {
    return run();
  } catch {
    throw refuse('INVALID_ARGUMENT', { field, expected });
  }
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Each part preceded by its length as u32 little-endian, so that no two lists of parts give the same bytes. */
export function lengthPrefixed(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concatBytes(...parts.flatMap((part) => [u32le(part.length), part]));
}

export function u32le(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
}

/** Comparison whose time does not depend on where the inputs differ (it does depend on their lengths). */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let i = 0; i < left.length; i++) difference |= left[i]! ^ right[i]!;
  return difference === 0;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Strict: refuses malformed UTF-8 instead of replacing it. */
export const fromUtf8 = (bytes: Uint8Array, field = 'text'): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('INVALID_ARGUMENT', { field, expected: 'valid UTF-8' });
  }
};
