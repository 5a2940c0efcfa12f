import { suiOptionsFrom, type SuiOptions } from '@usufruct/chain';
import { VERIFIER_SETTINGS, verifierConfigOf, type VerifierConfig } from '@usufruct/endorsements';
import { asAmount, isHex32, refuse, toHex, ZERO_UNITS, type AmountUnits, type RandomSource } from '@usufruct/kernel';
import { isAggregatorUrl } from '@usufruct/walrus';
import { z } from 'zod';

const url = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ''));
const urlList = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(z.array(url).min(1).max(16));

/** Storage of what is contributed, and how its owners are told. */
const STORAGE = {
  AGGREGATOR_URLS: urlList.optional(),
  STORE_EPOCH_URL: url.optional(),
  LEASE_INTERVAL_MS: z.coerce.number().int().min(0).max(86_400_000).default(3_600_000),
  LEASE_LEAD_EPOCHS: z.coerce.number().int().min(1).max(1_000).default(2),
  LEASE_RENEW_EPOCHS: z.coerce.number().int().min(0).max(1_000).default(0),
  LEASE_UNITS_PER_MIB_EPOCH: z
    .string()
    .regex(/^\d{1,18}$/)
    .default('0'),
  LEASE_SAMPLES: z.coerce.number().int().min(0).max(1_000).default(8),
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  MAIL_FROM: z.email().optional(),
  MAIL_FILE: z.string().min(1).optional(),
  WEBHOOKS_ANYWHERE: z.enum(['yes', 'no']).default('no'),
};

/** All that the projection is made from and kept in. */
const PROJECTION = {
  SUI_NETWORK: z.string().min(1).default('local'),
  CHAIN_URL: url.optional(),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//),
};
interface ChainSettings {
  readonly SUI_NETWORK: string;
  readonly CHAIN_URL?: string | undefined;
}
const namesItsChain = (env: ChainSettings): boolean => env.SUI_NETWORK !== 'local' || env.CHAIN_URL !== undefined;

const zProjection = z.object(PROJECTION).refine(namesItsChain, { path: ['CHAIN_URL'] });
const zEnvironment = z
  .object({
    ...PROJECTION,
    PORT: z.coerce.number().int().min(0).max(65_535),
    HOST: z.string().min(1).default('127.0.0.1'),
    DATA_DIR: z.string().min(1).optional(),
    ALLOWED_ORIGINS: z.string().default(''),
    RUNNER_URLS: urlList,
    HOLDER_URLS: urlList,
    PUBLISHER_URL: url,
    AGGREGATOR_URL: z.string().refine(isAggregatorUrl),
    AUTH_SECRET: z.string().refine((text) => isHex32(`0x${text}`)),
    SIGN_IN_DOMAIN: z.string().regex(/^[A-Za-z0-9.:[\]-]{1,255}$/),
    PORTAL_ORIGIN: url,
    ...STORAGE,
    ...VERIFIER_SETTINGS,
  })
  .refine(namesItsChain, { path: ['CHAIN_URL'] })
  .refine((env) => env.SMTP_URL === undefined || env.MAIL_FROM !== undefined, { path: ['MAIL_FROM'] });

export interface LeaseConfig {
  /** Further ones, from which samples are read beside the one that clients are told of. */
  readonly aggregatorUrls: readonly string[];
  /** Answers JSON with `epoch`, the store's epoch of now; none: the local store says it, or Walrus's contracts. */
  readonly epochUrl: string | undefined;
  /** How often the keeper goes round; 0: never. */
  readonly intervalMs: number;
  /** A lease is renewed when so many epochs of it are left. */
  readonly leadEpochs: number;
  /** Until how many epochs from now it is renewed; 0: nothing is renewed, its owner is warned. */
  readonly renewEpochs: number;
  /** What a DAO is charged, in units of its coin. */
  readonly unitsPerMibEpoch: AmountUnits;
  /** How many blobs are read in each round. */
  readonly samples: number;
}
export interface NotifyConfig {
  readonly mail: { readonly smtpUrl: string | undefined; readonly from: string; readonly file: string | undefined };
  /** Development: webhooks may be plain http and lead to private addresses. */
  readonly webhooksAnywhere: boolean;
}

export interface Config {
  readonly port: number;
  readonly host: string;
  /** Where it keeps what it has read of a Sui network's events; without it, they are read again at each start. */
  readonly dataDir: string | undefined;
  readonly suiNetwork: string;
  readonly chainUrl: string | undefined;
  /** Where our package is on a Sui network. */
  readonly sui: SuiOptions;
  /** Browser origins that may call the API, the portal's first. */
  readonly origins: readonly string[];
  readonly databaseUrl: string;
  readonly runnerUrls: readonly string[];
  readonly holderUrls: readonly string[];
  readonly publisherUrl: string;
  readonly aggregatorUrl: string;
  /** 32 bytes as hex; every key of the API is derived from it. */
  readonly authSecret: string;
  /** Who asks for the signature in the sign-in text. */
  readonly signInDomain: string;
  readonly lease: LeaseConfig;
  readonly notify: NotifyConfig;
  /** How evidence is appraised, for clients that cannot do it themselves. */
  readonly verifier: VerifierConfig;
}

/** Reads the environment once. Refuses with `CONFIG_INVALID` and the setting's name, never its value. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const env = read(zEnvironment, environment);
  const others = env.ALLOWED_ORIGINS.split(',').map((origin) => origin.trim());
  return {
    port: env.PORT,
    host: env.HOST,
    dataDir: env.DATA_DIR,
    suiNetwork: env.SUI_NETWORK,
    chainUrl: env.CHAIN_URL,
    sui: suiOptionsFrom(environment),
    origins: [env.PORTAL_ORIGIN, ...others.filter((origin) => origin !== '')],
    databaseUrl: env.DATABASE_URL,
    runnerUrls: env.RUNNER_URLS,
    holderUrls: env.HOLDER_URLS,
    publisherUrl: env.PUBLISHER_URL,
    aggregatorUrl: env.AGGREGATOR_URL,
    authSecret: env.AUTH_SECRET,
    signInDomain: env.SIGN_IN_DOMAIN,
    lease: {
      aggregatorUrls: env.AGGREGATOR_URLS ?? [],
      epochUrl: env.STORE_EPOCH_URL,
      intervalMs: env.LEASE_INTERVAL_MS,
      leadEpochs: env.LEASE_LEAD_EPOCHS,
      renewEpochs: env.LEASE_RENEW_EPOCHS,
      unitsPerMibEpoch: asAmount(BigInt(env.LEASE_UNITS_PER_MIB_EPOCH)),
      samples: env.LEASE_SAMPLES,
    },
    notify: {
      mail: { smtpUrl: env.SMTP_URL, from: env.MAIL_FROM ?? 'usufruct@localhost', file: env.MAIL_FILE },
      webhooksAnywhere: env.WEBHOOKS_ANYWHERE === 'yes',
    },
    verifier: verifierConfigOf(env),
  };
}

/** What only a development machine may be configured to do. */
export const notifyStandIns = ({ mail, webhooksAnywhere }: NotifyConfig): string[] => [
  ...(mail.file === undefined ? [] : ['mail file']),
  ...(webhooksAnywhere ? ['webhooks to private addresses'] : []),
];

/**
 * For a process that makes the projection again and does nothing else: it asks no other part, listens nowhere, and
 * signs nobody in, so its secret is a fresh one.
 */
export function readProjectionConfig(
  environment: Readonly<Record<string, string | undefined>>,
  random: RandomSource,
): Config {
  const env = read(zProjection, environment);
  return {
    port: 0,
    host: '127.0.0.1',
    // Made again from the chain itself, and from nothing that was kept of it.
    dataDir: undefined,
    suiNetwork: env.SUI_NETWORK,
    chainUrl: env.CHAIN_URL,
    sui: suiOptionsFrom(environment),
    origins: [],
    databaseUrl: env.DATABASE_URL,
    runnerUrls: [],
    holderUrls: [],
    publisherUrl: '',
    aggregatorUrl: '',
    authSecret: toHex(random(32)),
    signInDomain: '',
    lease: {
      aggregatorUrls: [],
      epochUrl: undefined,
      intervalMs: 0,
      leadEpochs: 1,
      renewEpochs: 0,
      unitsPerMibEpoch: ZERO_UNITS,
      samples: 0,
    },
    notify: { mail: { smtpUrl: undefined, from: '', file: undefined }, webhooksAnywhere: false },
    verifier: verifierConfigOf({ ENDORSEMENTS_OFFLINE: 'no' }),
  };
}

function read<S extends z.ZodType>(schema: S, environment: Readonly<Record<string, string | undefined>>): z.output<S> {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  throw refuse('CONFIG_INVALID', { setting: String(parsed.error.issues[0]?.path[0] ?? 'environment') });
}
