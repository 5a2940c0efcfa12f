import { refuse } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { readSettings, zSharedSettings, type Environment } from '@usufruct/service';
import { z } from 'zod';
import { DOCUMENTED_PRICES, maxBlobBytes, type StoragePrices } from '../cost/index.js';

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
  /** How many bytes of blobs are kept in all; `null`: as many as the disk holds. */
  readonly quotaBytes: number | null;
  /** What answers call the cost, which nobody pays here. */
  readonly prices: StoragePrices;
}

/** Within what the cost of the largest blob for the longest lease can be as a JSON number. */
const zFrost = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(BigInt);
const zEnvironment = zSharedSettings.omit({ CHAIN_URL: true }).extend({
  SHARDS: z.coerce.number().int().min(4).max(1_000).default(DEFAULT_SHARDS),
  EPOCH_MS: z.coerce.number().int().min(1_000).default(EPOCH_MS),
  QUOTA_BYTES: z.coerce.number().int().min(1).optional(),
  STORAGE_UNIT_FROST: zFrost.default(DOCUMENTED_PRICES.storageUnitFrost),
  WRITE_UNIT_FROST: zFrost.default(DOCUMENTED_PRICES.writeUnitFrost),
});

/** Refuses `CONFIG_INVALID` with the setting's name, and `STAND_IN_FORBIDDEN` beside a real network: this store is a stand-in. */
export function readConfig(environment: Environment): LocalStoreConfig {
  const env = readSettings(zEnvironment, environment);
  if (env.SUI_NETWORK !== 'local')
    throw refuse('STAND_IN_FORBIDDEN', { suiNetwork: env.SUI_NETWORK, standIns: 'local store' });
  return {
    host: env.HOST,
    port: env.PORT,
    dataDir: env.DATA_DIR,
    shards: env.SHARDS,
    epochMs: env.EPOCH_MS,
    maxBlobBytes: Math.min(LIMITS.partBytes, maxBlobBytes(env.SHARDS)),
    allowedOrigins: env.ALLOWED_ORIGINS,
    quotaBytes: env.QUOTA_BYTES ?? null,
    prices: { storageUnitFrost: env.STORAGE_UNIT_FROST, writeUnitFrost: env.WRITE_UNIT_FROST },
  };
}
