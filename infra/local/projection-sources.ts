import { join } from 'node:path';
import { z } from 'zod';
import { LocalSystemError } from './errors.js';
import { readFileIfThere } from './files.js';
import { findPostgres } from './postgres.js';
import { DATABASE } from './postgres-part.js';
import { readSettings } from './settings.js';

export interface ProjectionSources {
  readonly DATABASE_URL: string;
  readonly CHAIN_URL?: string;
  readonly SUI_NETWORK: string;
}
const zEndpoints = z.object({ chainUrl: z.url(), suiNetwork: z.literal('local') });

/**
 * Where the chain's events and the projection are: what the environment names, else the local system of
 * `USUFRUCT_HOME`, which must be running. Refuses with `LocalSystemError`.
 */
export async function projectionSources(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ProjectionSources> {
  const { home, suiNetwork, databaseUrl } = readSettings(environment);
  const DATABASE_URL = databaseUrl ?? (await findPostgres(home))?.url(DATABASE);
  if (DATABASE_URL === undefined) {
    throw new LocalSystemError(
      'no database: set DATABASE_URL, or start the local system (npm start) and leave it running',
    );
  }
  const given = environment['CHAIN_URL'] ?? '';
  if (suiNetwork !== 'local') return { DATABASE_URL, SUI_NETWORK: suiNetwork };
  return { DATABASE_URL, SUI_NETWORK: suiNetwork, CHAIN_URL: given === '' ? await localChain(home) : given };
}

async function localChain(home: string): Promise<string> {
  const text = await readFileIfThere(join(home, 'endpoints.json'));
  const parsed = zEndpoints.safeParse(text === undefined ? undefined : JSON.parse(text));
  if (!parsed.success) throw new LocalSystemError('no chain: set CHAIN_URL, or start the local system (npm start)');
  return parsed.data.chainUrl;
}
