import { refuse } from '@usufruct/kernel';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * The one text of a JSON value, by RFC 8785 (JSON Canonicalization Scheme): members in the order of their names' UTF-16
 * code units, no white space, numbers and strings as ECMAScript writes them. Refuses `INVALID_ARGUMENT` for what has
 * no such text: numbers that are not finite, and halves of surrogate pairs.
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const object = value as JsonObject;
    const members = Object.keys(object)
      .sort()
      .map((name) => `${textOf(name)}:${canonicalJson(object[name]!)}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw unwritable();
  return typeof value === 'string' ? textOf(value) : JSON.stringify(value);
}

function textOf(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw unwritable();
  return JSON.stringify(text);
}

const unwritable = () => refuse('INVALID_ARGUMENT', { field: 'document', expected: 'JSON with a canonical form' });

/** As it travels: bigints are decimal strings, and what is undefined is left out. */
export function toJson(value: unknown): Json {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return Object.fromEntries(members.map(([name, member]) => [name, toJson(member)]));
  }
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' || value === null) {
    return value;
  }
  throw unwritable();
}
