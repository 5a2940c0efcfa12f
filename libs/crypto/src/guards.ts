import { refuse } from '@usufruct/kernel';

/** Refuse with the argument's name and what was expected, never with its value. */
export function requireBytes(value: Uint8Array, lengthBytes: number, field: string): void {
  if (!(value instanceof Uint8Array) || value.length !== lengthBytes) {
    throw refuse('INVALID_ARGUMENT', { field, expected: `${lengthBytes} bytes` });
  }
}

export function requireInteger(value: number, least: number, most: number, field: string): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw refuse('INVALID_ARGUMENT', { field, expected: `an integer from ${least} to ${most}` });
  }
}

/** WebCrypto wants bytes that are not backed by shared memory; copies only when they are. */
export const unshared = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    : Uint8Array.from(bytes);
