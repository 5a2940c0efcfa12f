import { z } from 'zod';
import { parseJws, type Jws } from '../jose/jws.js';

/**
 * What NVIDIA's remote attestation service (NRAS, /v3 and /v4, claims 3.0) answers with: a detached EAT bundle (RFC 9711
 * §5) in JSON, `[["JWT", overall], { "GPU-0": token, … }, …]`, in which each token is signed and the overall one has the
 * digest of every other.
 */
export interface NrasToken {
  readonly overall: Jws & { readonly said: OverallClaims };
  /** By name: the token's text, which is what the digest is of, and what it says. */
  readonly submodules: ReadonlyMap<string, Jws & { readonly text: string; readonly said: DeviceClaims }>;
}

const DEVICES_AT_MOST = 16;
const zText = z.string().max(64 * 1024);
const zName = z.string().min(1).max(64);
const zSeconds = z.int().nonnegative();
const zCommon = z.object({
  iss: z.string(),
  iat: zSeconds,
  nbf: zSeconds,
  exp: zSeconds,
  /** Hex. */
  eat_nonce: z.string().max(128),
});

const zOverall = zCommon.extend({
  'x-nvidia-overall-att-result': z.boolean(),
  submods: z.record(zName, z.tuple([z.literal('DIGEST'), z.tuple([z.literal('SHA-256'), z.string()])])),
});
export type OverallClaims = z.output<typeof zOverall>;

/** RFC 9711 names; what NVIDIA calls its own is not looked at, for `measres` sums it up. */
const zDevice = zCommon.extend({
  measres: z.string(),
  secboot: z.boolean().nullable().optional(),
  dbgstat: z.string().nullable().optional(),
  /** Serial number of the device's leaf certificate, decimal. */
  ueid: z.string().regex(/^[0-9]{1,64}$/),
});
export type DeviceClaims = z.output<typeof zDevice>;

const zBundle = z.tuple([z.tuple([z.literal('JWT'), zText])], z.record(zName, zText));

/** Counted before anything is read: a map of megabytes would take seconds. */
const isCountable = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length <= DEVICES_AT_MOST + 1 &&
  value.every((part: unknown) => typeof part === 'object' && Object.keys(part ?? {}).length <= DEVICES_AT_MOST);

/** Null for anything but such a bundle whose tokens can be read; a name that is there twice is malformed. */
export function parseNrasToken(value: unknown): NrasToken | null {
  const [first, ...rest] = (isCountable(value) ? zBundle.safeParse(value).data : undefined) ?? [];
  const named = rest.flatMap((part) => Object.entries(part));
  if (first === undefined || named.length === 0 || named.length > DEVICES_AT_MOST) return null;
  const overall = parseJws(first[1]);
  const said = zOverall.safeParse(overall?.claims).data;
  const submodules = new Map(named.map(([name, text]) => [name, readDevice(text)]));
  if (overall === null || said === undefined || submodules.size !== named.length) return null;
  const read = [...submodules].filter((entry): entry is [string, SubmoduleToken] => entry[1] !== null);
  return read.length === named.length ? { overall: { ...overall, said }, submodules: new Map(read) } : null;
}

type SubmoduleToken = Jws & { readonly text: string; readonly said: DeviceClaims };

function readDevice(text: string): SubmoduleToken | null {
  const token = parseJws(text);
  const said = zDevice.safeParse(token?.claims).data;
  return token && said ? { ...token, text, said } : null;
}
