import { suiOptionsFrom, type SuiOptions } from '@usufruct/chain';
import { VERIFIER_SETTINGS, verifierConfigOf, type VerifierConfig } from '@usufruct/endorsements';
import { isHex32, refuse, toHex, type RandomSource } from '@usufruct/kernel';
import { z } from 'zod';

const url = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ''));
const urlList = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(z.array(url).min(1).max(16));

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
    AGGREGATOR_URL: url,
    AUTH_SECRET: z.string().refine((text) => isHex32(`0x${text}`)),
    SIGN_IN_DOMAIN: z.string().regex(/^[A-Za-z0-9.:[\]-]{1,255}$/),
    PORTAL_ORIGIN: url,
    ...VERIFIER_SETTINGS,
  })
  .refine(namesItsChain, { path: ['CHAIN_URL'] });

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
    verifier: verifierConfigOf(env),
  };
}

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
    verifier: verifierConfigOf({ ENDORSEMENTS_OFFLINE: 'no' }),
  };
}

function read<S extends z.ZodType>(schema: S, environment: Readonly<Record<string, string | undefined>>): z.output<S> {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  throw refuse('CONFIG_INVALID', { setting: String(parsed.error.issues[0]?.path[0] ?? 'environment') });
}
