import { refuse } from '@usufruct/kernel';
import { z } from 'zod';

const zUrl = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'expected an http(s) URL')
  .transform((text) => text.replace(/\/+$/, ''));

const zEnvironment = z.object({
  PORT: z
    .string()
    .regex(/^[0-9]{1,5}$/)
    .transform(Number)
    .refine((port) => port <= 65_535),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATA_DIR: z.string().min(1),
  SUI_NETWORK: z.string().min(1).default('local'),
  CHAIN_URL: zUrl.optional(),
  HOLDER_URLS: z
    .string()
    .transform((text) => text.split(',').map((url) => url.trim()))
    .pipe(z.array(zUrl).min(1).max(32)),
  AGGREGATOR_URL: zUrl,
  RUNNER_WALLET_SECRET: z.string().startsWith('suiprivkey'),
  /** Which TEE device this build opens; hardware devices come with their drivers. */
  TEE: z.enum(['software']),
  TEE_DEV_DIR: z.string().min(1),
});

export interface RunnerConfig {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly suiNetwork: string;
  readonly chainUrl: string | undefined;
  readonly holderUrls: readonly string[];
  readonly aggregatorUrl: string;
  readonly walletSecret: string;
  readonly tee: 'software';
  readonly teeDevDir: string;
}

/** Refuses `CONFIG_INVALID` with the name of the first bad setting, never its value. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): RunnerConfig {
  const parsed = zEnvironment.safeParse(environment);
  if (!parsed.success) {
    const setting = parsed.error.issues[0]?.path[0];
    throw refuse('CONFIG_INVALID', { setting: String(setting) });
  }
  const env = parsed.data;
  return {
    port: env.PORT,
    host: env.HOST,
    dataDir: env.DATA_DIR,
    suiNetwork: env.SUI_NETWORK,
    chainUrl: env.CHAIN_URL,
    holderUrls: env.HOLDER_URLS,
    aggregatorUrl: env.AGGREGATOR_URL,
    walletSecret: env.RUNNER_WALLET_SECRET,
    tee: env.TEE,
    teeDevDir: env.TEE_DEV_DIR,
  };
}
