import { LIMITS, zHex32 } from '@usufruct/protocol';
import { refuse, type Hex32 } from '@usufruct/kernel';
import { z } from 'zod';

export const SEAL_SETTINGS = {
  keyServers: 'SEAL_KEY_SERVERS',
  apiKeys: 'SEAL_API_KEY',
  threshold: 'SEAL_THRESHOLD',
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

const zKeyServers = z
  .array(
    z.strictObject({
      /** Its object on Sui, which has its public key and, for one that is no committee, its address. */
      objectId: zHex32<Hex32>(),
      /** Where a committee's answers are put together. */
      aggregatorUrl: z.url({ protocol: /^https?$/ }).optional(),
      /** The header in which it wants an API key. */
      apiKeyName: z.string().min(1).optional(),
    }),
  )
  .min(1)
  .max(LIMITS.sealKeyServers)
  .refine((servers) => new Set(servers.map(({ objectId }) => objectId)).size === servers.length);
const zApiKeys = z.record(z.string(), z.string().min(1));

/** A key server as Seal's own client is configured with it. */
export type KeyServerSetting = z.output<typeof zKeyServers>[number] & {
  /** Secret; there where `apiKeyName` is. */
  readonly apiKey?: string | undefined;
};

/**
 * The key servers that this party knows. It asks no others, whatever a manifest names: who writes a manifest must not
 * make a runner send requests to addresses of its choice. Null where none is configured. Their API keys are a setting of
 * their own, for the other one is public (it is measured with a runner). Refuses `CONFIG_INVALID` with the setting's
 * name, never its value.
 */
export function keyServersFrom(environment: Environment): KeyServerSetting[] | null {
  const { keyServers: name, apiKeys: secretName } = SEAL_SETTINGS;
  const [text, secrets] = [environment[name], environment[secretName]];
  if (!text) return null;
  const servers = parsed(zKeyServers, text, name, 'a list of {"objectId", "aggregatorUrl"?, "apiKeyName"?}, each once');
  const keys = parsed(zApiKeys, secrets || '{}', secretName, 'an API key by the objectId of its server');
  const wanting = servers
    .filter(({ apiKeyName }) => apiKeyName !== undefined)
    .map(({ objectId }) => objectId as string);
  if (Object.keys(keys).toSorted().join() !== wanting.toSorted().join()) {
    throw refuse('CONFIG_INVALID', {
      setting: secretName,
      reason: 'a key for each server with an apiKeyName, no other',
    });
  }
  return servers.map((server) => ({ ...server, apiKey: keys[server.objectId] }));
}

/** Of whoever encrypts. A runner has no threshold: it goes by what each manifest says. */
export interface SealSettings {
  readonly keyServers: readonly KeyServerSetting[];
  /** How many of them must answer. */
  readonly threshold: number;
}

/** The key servers and the threshold, a majority where none is given. Refuses as `keyServersFrom` does. */
export function sealSettings(environment: Environment): SealSettings | null {
  const keyServers = keyServersFrom(environment);
  if (keyServers === null) return null;
  const given = environment[SEAL_SETTINGS.threshold];
  const threshold = given ? Number(given) : Math.floor(keyServers.length / 2) + 1;
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > keyServers.length) {
    throw refuse('CONFIG_INVALID', { setting: SEAL_SETTINGS.threshold, reason: '1 to the number of key servers' });
  }
  return { keyServers, threshold };
}

function parsed<T>(schema: z.ZodType<T>, text: string, setting: string, expected: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw refuse('CONFIG_INVALID', { setting, reason: `JSON: ${expected}` });
  }
}
