import { parseJson, utf8 } from '@usufruct/kernel';

export const NOW_MS = Date.UTC(2026, 5, 1);
export const filled = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value);
export const NONCE = filled(5);

/** Whatever arrives as JSON was parsed from text before; text that is none never reaches a parser. */
export const jsonOf = (bytes: Uint8Array): unknown => parseJson(bytes);
export const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value));
export const isRead = (value: unknown): boolean => value !== null && value !== undefined;
/** Text as a program prints it: what is no UTF-8 is replaced. */
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
