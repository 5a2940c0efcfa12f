import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { refuse } from '@usufruct/kernel';
import { isAggregatorUrl } from '@usufruct/walrus';
import { z } from 'zod';

const zUrl = z.url({ protocol: /^https?$/ });

/** Where the parts of the system are. `npm start` writes such a file; `teeDevRoot` and `standIns` say what of it is one. */
const zEndpoints = z.object({
  apiUrl: zUrl,
  chainUrl: zUrl.optional(),
  suiNetwork: z.string().min(1),
  publisherUrl: zUrl,
  /** One, or several with commas between. */
  aggregatorUrl: z.string().refine(isAggregatorUrl),
  /** Over how many shards the store codes: the local one says it, a Walrus network has 1,000. */
  storeShards: z.int().min(4).max(1_000).optional(),
  holderUrls: z.array(zUrl).min(1),
  portalUrl: zUrl.optional(),
  teeDevRoot: z.string().optional(),
  runnerMeasurement: z.string().optional(),
  standIns: z.array(z.string()).default([]),
});
export type Endpoints = z.output<typeof zEndpoints>;

/** Where `npm start` writes it: in `USUFRUCT_HOME`, by default `.usufruct` in the project. */
const defaultFile = (environment: EndpointSources['environment']): string =>
  join(environment['USUFRUCT_HOME'] ?? '.usufruct', 'endpoints.json');

/** Settings that override the file, one by one. */
const VARIABLES = {
  apiUrl: 'USUFRUCT_API_URL',
  chainUrl: 'USUFRUCT_CHAIN_URL',
  suiNetwork: 'USUFRUCT_SUI_NETWORK',
  publisherUrl: 'USUFRUCT_PUBLISHER_URL',
  aggregatorUrl: 'USUFRUCT_AGGREGATOR_URL',
  holderUrls: 'USUFRUCT_HOLDER_URLS',
} as const;

export interface EndpointSources {
  /** `--endpoints`; must exist when it is given. */
  readonly file?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Refuses `CONFIG_INVALID` naming the first setting that is missing or wrong. */
export function readEndpoints({ file, environment }: EndpointSources): Endpoints {
  const path = file ?? environment['USUFRUCT_ENDPOINTS'] ?? defaultFile(environment);
  const isNamed = file !== undefined || environment['USUFRUCT_ENDPOINTS'] !== undefined;
  const fromFile = existsSync(path) || isNamed ? parseFile(path) : {};
  const parsed = zEndpoints.safeParse({ ...fromFile, ...overrides(environment) });
  if (parsed.success) return parsed.data;
  const setting = parsed.error.issues[0]?.path.join('.') || 'endpoints';
  const reason = existsSync(path)
    ? 'missing or not of the expected form'
    : 'is the system running? npm start writes it';
  throw refuse('CONFIG_INVALID', { setting, reason, path });
}

function overrides(environment: EndpointSources['environment']): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const [setting, variable] of Object.entries(VARIABLES)) {
    const value = environment[variable];
    if (value !== undefined && value !== '') given[setting] = setting === 'holderUrls' ? value.split(',') : value;
  }
  return given;
}

function parseFile(path: string): object {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting: 'endpoints file', path }, cause);
  }
  throw refuse('CONFIG_INVALID', { setting: 'endpoints file', path });
}
