import { fromBase64Url, parseJson, utf8 } from '@usufruct/kernel';
import { z } from 'zod';

/** A signed token in compact form (RFC 7515 §7.1, RFC 7519), read but not believed. */
export interface Jws {
  readonly algorithm: string;
  readonly keyId: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What is signed, as ASCII. */
  readonly signedBytes: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
}

const TOKEN_CHARACTERS_AT_MOST = 64 * 1024;
const KEYS_BYTES_AT_MOST = 128 * 1024;
const KEYS_AT_MOST = 64;

/** No `crit`, no key or address of one: whoever verifies has the keys. */
const zHeader = z.strictObject({ alg: z.string(), kid: z.string().min(1).max(256), typ: z.string().optional() });
const zClaims = z.record(z.string(), z.unknown());

/** Null for anything but three parts of base64url without padding, of which the first two are objects of JSON. */
export function parseJws(token: string): Jws | null {
  const parts = token.length > TOKEN_CHARACTERS_AT_MOST ? [] : token.split('.');
  const [header, payload, signature] = parts.map(decoded);
  if (parts.length !== 3 || !header || !payload || !signature) return null;
  const head = zHeader.safeParse(parseJson(header)).data;
  const claims = zClaims.safeParse(parseJson(payload)).data;
  if (head === undefined || claims === undefined) return null;
  const signedBytes = Uint8Array.from(utf8(`${parts[0]}.${parts[1]}`));
  return { algorithm: head.alg, keyId: head.kid, claims, signedBytes, signature: Uint8Array.from(signature) };
}

function decoded(part: string): Uint8Array | null {
  try {
    return fromBase64Url(part);
  } catch {
    return null;
  }
}

/** A key for ES384 (RFC 7518 §6.2); what else its entry says is not looked at. */
const zKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-384'),
  kid: z.string().min(1).max(256),
  x: z.string().length(64),
  y: z.string().length(64),
});
export type JwsKey = z.output<typeof zKey>;

/** The keys for ES384 in a set (RFC 7517 §5) by their ids, or null: malformed, or an id is there twice. */
export function parseKeySet(bytes: Uint8Array): ReadonlyMap<string, JwsKey> | null {
  if (bytes.length > KEYS_BYTES_AT_MOST) return null;
  const set = z.object({ keys: z.array(z.unknown()).max(KEYS_AT_MOST) }).safeParse(parseJson(bytes)).data;
  const keys = (set?.keys ?? []).map((key) => zKey.safeParse(key).data).filter((key) => key !== undefined);
  const byId = new Map(keys.map((key) => [key.kid, key]));
  return set === undefined || byId.size !== keys.length ? null : byId;
}

const ES384 = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const;

/** RFC 7518 §3.4: ECDSA P-384 with SHA-384; the signature is r ‖ s, 96 bytes. */
export async function isJwsSignedBy({ signedBytes, signature }: Jws, { kty, crv, x, y }: JwsKey): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, ES384, false, ['verify']);
    return await crypto.subtle.verify(ES384, key, signature, signedBytes);
  } catch {
    // a point that is not on the curve is as good as a wrong key
    return false;
  }
}
