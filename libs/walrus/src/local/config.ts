import { refuse } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { z } from 'zod';
import { maxBlobBytes } from '../blob-id/index.js';

/** Two weeks, as on Walrus's mainnet. */
const EPOCH_MS = 14 * 24 * 60 * 60_000;
/** The smallest number of shards whose RedStuff code holds a part of the largest allowed size. */
const DEFAULT_SHARDS = 25;

export interface LocalStoreConfig {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly shards: number;
  readonly epochMs: number;
  readonly maxBlobBytes: number;
  readonly allowedOrigins: readonly string[];
}

const zEnvironment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATA_DIR: z.string().min(1),
  SHARDS: z.coerce.number().int().min(4).max(1_000).default(DEFAULT_SHARDS),
  EPOCH_MS: z.coerce.number().int().min(1_000).default(EPOCH_MS),
  SUI_NETWORK: z.string().min(1).default('local'),
  ALLOWED_ORIGINS: z.string().default(''),
});

/** Refuses `CONFIG_INVALID` with the setting's name, and `STAND_IN_FORBIDDEN` beside a real network: this store is a stand-in. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): LocalStoreConfig {
  const parsed = zEnvironment.safeParse(environment);
  if (!parsed.success)
    throw refuse('CONFIG_INVALID', { setting: String(parsed.error.issues[0]?.path[0] ?? 'environment') });
  const env = parsed.data;
  if (env.SUI_NETWORK !== 'local')
    throw refuse('STAND_IN_FORBIDDEN', { suiNetwork: env.SUI_NETWORK, standIns: 'local store' });
  const origins = env.ALLOWED_ORIGINS.split(',').map((origin) => origin.trim());
  return {
    host: env.HOST,
    port: env.PORT,
    dataDir: env.DATA_DIR,
    shards: env.SHARDS,
    epochMs: env.EPOCH_MS,
    maxBlobBytes: Math.min(LIMITS.partBytes, maxBlobBytes(env.SHARDS)),
    allowedOrigins: origins.filter((origin) => origin !== ''),
  };
}
