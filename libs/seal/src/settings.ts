import { LIMITS, zHex32 } from '@usufruct/protocol';
import { refuse, type Hex32 } from '@usufruct/kernel';
import { z } from 'zod';

export const SEAL_SETTINGS = { keyServers: 'SEAL_KEY_SERVERS', threshold: 'SEAL_THRESHOLD' } as const;

/** A key server as Seal's own client is configured with it. */
const zKeyServer = z
  .strictObject({
    /** Its object on Sui, which has its public key and, for one that is no committee, its address. */
    objectId: zHex32<Hex32>(),
    /** Where a committee's answers are put together. */
    aggregatorUrl: z.url({ protocol: /^https?$/ }).optional(),
    apiKeyName: z.string().min(1).optional(),
    apiKey: z.string().min(1).optional(),
  })
  .refine(({ apiKeyName, apiKey }) => (apiKeyName === undefined) === (apiKey === undefined));
export type KeyServerSetting = z.output<typeof zKeyServer>;

const zKeyServers = z
  .array(zKeyServer)
  .min(1)
  .max(LIMITS.sealKeyServers)
  .refine((servers) => new Set(servers.map(({ objectId }) => objectId)).size === servers.length);

export interface SealSettings {
  readonly keyServers: readonly KeyServerSetting[];
  /** How many of them must answer; for whoever encrypts. A runner goes by what each manifest says. */
  readonly threshold: number;
}

/**
 * The key servers that this party knows, and asks no others, whatever a manifest names: who writes a manifest must not
 * make a runner send requests to addresses of its choice. Null where none is configured. The threshold is a majority
 * where none is given. Refuses `CONFIG_INVALID` with the setting's name, never its value.
 */
export function sealSettings(environment: Readonly<Record<string, string | undefined>>): SealSettings | null {
  const text = environment[SEAL_SETTINGS.keyServers];
  if (!text) return null;
  const keyServers = parsed(text);
  const given = environment[SEAL_SETTINGS.threshold];
  const threshold = given ? Number(given) : Math.floor(keyServers.length / 2) + 1;
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > keyServers.length) {
    throw refuse('CONFIG_INVALID', { setting: SEAL_SETTINGS.threshold, reason: '1 to the number of key servers' });
  }
  return { keyServers, threshold };
}

function parsed(text: string): KeyServerSetting[] {
  try {
    return zKeyServers.parse(JSON.parse(text));
  } catch {
    const reason = 'a JSON list of {"objectId", "aggregatorUrl"?, "apiKeyName"?, "apiKey"?}, each server once';
    throw refuse('CONFIG_INVALID', { setting: SEAL_SETTINGS.keyServers, reason });
  }
}
