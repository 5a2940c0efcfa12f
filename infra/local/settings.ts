import { join, resolve } from 'node:path';
import { refuse } from '@usufruct/kernel';
import { z } from 'zod';
import { PROJECT_ROOT } from './project.js';

export const HOLDER_NAMES = ['holder-1', 'holder-2', 'holder-3'] as const;
export const PART_NAMES = ['postgres', 'chain', 'store', ...HOLDER_NAMES, 'runner', 'api', 'portal'] as const;
export type PartName = (typeof PART_NAMES)[number];

/** Where each part listens unless its port is taken. */
const PREFERRED_PORTS: Readonly<Record<PartName, number>> = {
  portal: 5170,
  api: 5171,
  chain: 5172,
  store: 5173,
  'holder-1': 5174,
  'holder-2': 5175,
  'holder-3': 5176,
  runner: 5177,
  postgres: 5178,
};

export interface SystemSettings {
  readonly home: string;
  /** Ports that were asked for: taken or refused, never replaced. */
  readonly ports: Partial<Record<PartName, number>>;
  readonly preferredPorts: Readonly<Record<PartName, number>>;
  readonly suiNetwork: string;
  /** A PostgreSQL of the operator's; otherwise the embedded one. */
  readonly databaseUrl: string | undefined;
  /** A Walrus of the operator's; otherwise the local store. */
  readonly walrus: { readonly publisherUrl: string; readonly aggregatorUrl: string } | undefined;
  /** What was asked of the API's lease keeper; the API itself says whether it can be. */
  readonly keeper?: Readonly<Record<string, string>>;
  /** Model servers of the operator's, beside the runner; the runner itself says whether they can be. */
  readonly models?: Readonly<Record<string, string>>;
}

/** Settings of the API that are passed on as they are. */
const KEEPER_SETTINGS = [
  'AGGREGATOR_URLS',
  'STORE_EPOCH_URL',
  'LEASE_INTERVAL_MS',
  'LEASE_LEAD_EPOCHS',
  'LEASE_RENEW_EPOCHS',
  'LEASE_UNITS_PER_MIB_EPOCH',
  'LEASE_SAMPLES',
  'SMTP_URL',
  'MAIL_FROM',
  'MAIL_FILE',
  'WEBHOOKS_ANYWHERE',
];

/** Settings of the runner that are passed on as they are. */
const MODEL_SETTINGS = [
  'GENERATOR',
  'GENERATOR_URL',
  'GENERATOR_MODEL',
  'GENERATOR_MODEL_PATH',
  'GENERATOR_TIMEOUT_MS',
  'GENERATOR_MAX_TOKENS',
  'EMBEDDER_URL',
  'EMBEDDER_MODEL',
  'EMBEDDER_MODEL_PATH',
  'EMBEDDER_QUESTION_PREFIX',
  'EMBEDDER_PASSAGE_PREFIX',
  'RERANKER_URL',
  'RERANKER_MODEL',
  'RERANKER_MODEL_PATH',
];

/** `PORTAL_PORT`, `HOLDER_1_PORT`, … */
export const portVariable = (part: PartName): string => `${part.toUpperCase().replace('-', '_')}_PORT`;

const url = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ''));
const zEnvironment = z.object({
  USUFRUCT_HOME: z.string().min(1).default(join(PROJECT_ROOT, '.usufruct')),
  SUI_NETWORK: z.string().min(1).default('local'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//)
    .optional(),
  WALRUS_PUBLISHER_URL: url.optional(),
  WALRUS_AGGREGATOR_URL: url.optional(),
});
const zPort = z
  .string()
  .regex(/^[0-9]{1,5}$/)
  .transform(Number)
  .refine((port) => port >= 1 && port <= 65_535);

/** Refuses `CONFIG_INVALID` with the setting's name. An empty variable counts as not set. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): SystemSettings {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = zEnvironment.safeParse(given);
  if (!parsed.success) throw invalid(String(parsed.error.issues[0]?.path[0] ?? 'environment'));
  const env = parsed.data;
  const { WALRUS_PUBLISHER_URL: publisherUrl, WALRUS_AGGREGATOR_URL: aggregatorUrl } = env;
  if ((publisherUrl === undefined) !== (aggregatorUrl === undefined)) {
    throw invalid(publisherUrl === undefined ? 'WALRUS_PUBLISHER_URL' : 'WALRUS_AGGREGATOR_URL');
  }
  const ports: Partial<Record<PartName, number>> = {};
  for (const part of PART_NAMES) {
    const text = given[portVariable(part)];
    if (text === undefined) continue;
    const port = zPort.safeParse(text);
    if (!port.success) throw invalid(portVariable(part));
    ports[part] = port.data;
  }
  const passedOn = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]] as const])));
  return {
    home: resolve(env.USUFRUCT_HOME),
    ports,
    preferredPorts: PREFERRED_PORTS,
    suiNetwork: env.SUI_NETWORK,
    databaseUrl: env.DATABASE_URL,
    walrus: publisherUrl !== undefined && aggregatorUrl !== undefined ? { publisherUrl, aggregatorUrl } : undefined,
    keeper: passedOn(KEEPER_SETTINGS),
    models: passedOn(MODEL_SETTINGS),
  };
}

const invalid = (setting: string): Error => refuse('CONFIG_INVALID', { setting });

/** Every stand-in of this configuration, in words. */
export function standInsOf(settings: SystemSettings): string[] {
  return [
    'software TEE',
    'development wallet',
    ...(settings.suiNetwork === 'local' ? ['local chain'] : []),
    ...(settings.walrus === undefined ? ['local store'] : []),
  ];
}

/** With a real network nothing of this starts: what a launcher on one machine can start are stand-ins. */
export function refuseStandIns(settings: SystemSettings): void {
  if (settings.suiNetwork === 'local') return;
  throw refuse('STAND_IN_FORBIDDEN', { suiNetwork: settings.suiNetwork, standIns: standInsOf(settings).join(', ') });
}
