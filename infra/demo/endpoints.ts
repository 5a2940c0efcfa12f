import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { refuse } from '@usufruct/kernel';
import { z } from 'zod';

const zUrl = z.url({ protocol: /^https?$/ });
const zEndpoints = z.object({
  apiUrl: zUrl,
  chainUrl: zUrl,
  suiNetwork: z.literal('local'),
  publisherUrl: zUrl,
  aggregatorUrl: zUrl,
  holderUrls: z.array(zUrl).min(3),
  portalUrl: zUrl.optional(),
  teeDevRoot: z.string(),
  runnerMeasurement: z.string(),
});
export type Endpoints = z.output<typeof zEndpoints>;

/** What `npm start` wrote. Refuses `CONFIG_INVALID` without it, and for a real network: the demo mints its own coins. */
export function readEndpoints(environment: Readonly<Record<string, string | undefined>>): Endpoints {
  const path = join(environment['USUFRUCT_HOME'] ?? '.usufruct', 'endpoints.json');
  try {
    return zEndpoints.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting: 'endpoints', path }, cause);
  }
}
