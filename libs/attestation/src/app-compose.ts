import { fromUtf8, refuse, toHex, utf8 } from '@usufruct/kernel';

const DEPTH_AT_MOST = 32;

/**
 * The text of an app compose that dstack's tools deploy (`getComposeHash` of its SDKs): JSON without white space, members
 * in order of their names' code units at every depth, text not escaped beyond need. Refuses `INVALID_ARGUMENT` for what
 * is no JSON object, and for numbers that JSON has no text for.
 */
export function canonicalCompose(text: string): string {
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notACompose('a JSON object');
  return JSON.stringify(sorted(value, 0));
}

/** What a guest measures as `compose-hash`: SHA-256 over the file's very bytes, hex. */
export async function composeHash(file: Uint8Array): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(file))));
}

/** MRCONFIGID of a TD that dstack (OS 0.5.1 or newer) starts with this app compose, hex: 01 ‖ compose hash ‖ zeros. */
export const composeConfigId = async (file: Uint8Array): Promise<string> =>
  `01${await composeHash(file)}${'00'.repeat(15)}`;

/** True if the file is what dstack's tools would make of it: two people who write the same thing get the same hash. */
export function isCanonicalCompose(file: Uint8Array): boolean {
  try {
    const text = fromUtf8(file);
    return canonicalCompose(text) === text;
  } catch {
    return false;
  }
}

/** The bytes to deploy. */
export const encodeCompose = (value: object): Uint8Array => utf8(canonicalCompose(JSON.stringify(value)));

function sorted(value: unknown, depth: number): unknown {
  if (depth > DEPTH_AT_MOST) throw notACompose(`at most ${DEPTH_AT_MOST} levels`);
  if (Array.isArray(value)) return value.map((member) => sorted(member, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  // No prototype: a member called __proto__ is a member.
  const ordered = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of members) ordered[name] = sorted(member, depth + 1);
  return ordered;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notACompose('JSON');
  }
}

const notACompose = (expected: string): Error => refuse('INVALID_ARGUMENT', { field: 'app compose', expected });
