import { join } from 'node:path';
import { LOCAL_NETWORK, suiOptionsFrom, type SuiOptions } from '@usufruct/chain';
import { refuse } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { keyServersFrom, SEAL_SETTINGS, type KeyServerSetting } from '@usufruct/seal';
import { readSettings, zSharedSettings, zUrl, type Environment } from '@usufruct/service';
import { isAggregatorUrl } from '@usufruct/walrus';
import { z } from 'zod';
import type { BatchRules } from '../payout/batch.js';
import { readDeviceConfig, type DeviceConfig } from './device-config.js';
import {
  readEmbedderConfig,
  readRerankerConfig,
  type EmbedderConfig,
  type SearchModelConfig,
} from './embedder-config.js';
import { readGeneratorConfig, type GeneratorConfig } from './generator-config.js';

const WEEK_MS = 7 * 24 * 60 * 60_000;
/** Half a year: contributors wait no longer for what they have earned, however few the questions. */
const MOST_WAIT_MS = 26 * WEEK_MS;

const zEnvironment = zSharedSettings.omit({ ALLOWED_ORIGINS: true }).extend({
  HOLDER_URLS: z
    .string()
    .transform((text) => text.split(',').map((url) => url.trim()))
    .pipe(z.array(zUrl).min(1).max(32)),
  /** One, or several with commas between: what one cannot give is asked of the next. */
  AGGREGATOR_URL: z.string().refine(isAggregatorUrl),
  RUNNER_WALLET_SECRET: z.string().startsWith('suiprivkey'),
  /** Where indexes are kept, encrypted; a folder `index` in DATA_DIR without. */
  INDEX_DIR: z.string().min(1).optional(),
  /** All of them together; 0: none is kept, and each session makes its own. */
  INDEX_MAX_MB: z.coerce.number().int().min(0).max(1_048_576).default(1_024),
  EPOCH_INTERVAL_MS: z.coerce.number().int().min(0).max(86_400_000).default(60_000),
  EPOCH_LEAST_RECEIPTS: z.coerce.number().int().min(1).max(LIMITS.receiptsPerEpoch).default(16),
  EPOCH_LONGEST_WAIT_MS: z.coerce.number().int().min(0).max(MOST_WAIT_MS).default(WEEK_MS),
});

export interface RunnerConfig {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly suiNetwork: string;
  readonly chainUrl: string | undefined;
  /** Where our package is on a Sui network. */
  readonly sui: SuiOptions;
  readonly holderUrls: readonly string[];
  readonly aggregatorUrl: string;
  /** Of Seal, where contributions of the weaker key mode can be used, too. */
  readonly keyServers: readonly KeyServerSetting[] | null;
  readonly walletSecret: string;
  /** Where evidence comes from. */
  readonly tee: DeviceConfig;
  /** Where indexes are kept, and how much of the disk they may take; null where none are. */
  readonly indexFiles: { readonly folder: string; readonly maxBytes: number } | null;
  /** The language model that answers, where there is one. */
  readonly generator: GeneratorConfig | null;
  /** What makes vectors of text, where there is a model for it. */
  readonly embedder: EmbedderConfig | null;
  /** What puts the first passages in their last order, where there is a model for it. */
  readonly reranker: SearchModelConfig | null;
  /** How often it looks whether private receipts wait to be divided; 0: never, others do. */
  readonly epochIntervalMs: number;
  /** How much must wait before it is divided. */
  readonly epochBatch: BatchRules;
}

/** Refuses `CONFIG_INVALID` with the name of the first bad setting, never its value. */
export function readConfig(environment: Environment): RunnerConfig {
  const env = readSettings(zEnvironment, environment);
  return {
    port: env.PORT,
    host: env.HOST,
    dataDir: env.DATA_DIR,
    suiNetwork: env.SUI_NETWORK,
    chainUrl: env.CHAIN_URL,
    sui: suiOptionsFrom(environment),
    holderUrls: env.HOLDER_URLS,
    aggregatorUrl: env.AGGREGATOR_URL,
    keyServers: keyServersOf(environment, env.SUI_NETWORK),
    walletSecret: env.RUNNER_WALLET_SECRET,
    tee: readDeviceConfig(environment),
    indexFiles:
      env.INDEX_MAX_MB === 0
        ? null
        : { folder: env.INDEX_DIR ?? join(env.DATA_DIR, 'index'), maxBytes: env.INDEX_MAX_MB * 1024 ** 2 },
    generator: readGeneratorConfig(environment),
    embedder: readEmbedderConfig(environment),
    reranker: readRerankerConfig(environment),
    epochIntervalMs: env.EPOCH_INTERVAL_MS,
    epochBatch: {
      leastReceipts: env.EPOCH_LEAST_RECEIPTS,
      longestWaitMs: env.EPOCH_LONGEST_WAIT_MS,
      mostReceipts: LIMITS.receiptsPerEpoch,
    },
  };
}

function keyServersOf(environment: Environment, suiNetwork: string): KeyServerSetting[] | null {
  const keyServers = keyServersFrom(environment);
  if (keyServers !== null && suiNetwork === LOCAL_NETWORK) {
    const reason = 'key servers look at a Sui network, and there are none for the local chain';
    throw refuse('CONFIG_INVALID', { setting: SEAL_SETTINGS.keyServers, reason });
  }
  return keyServers;
}
