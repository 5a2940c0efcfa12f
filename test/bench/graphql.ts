import { performance } from 'node:perf_hooks';
import type { RunningSystem } from '#local/system.js';
import { progress, type BenchPart } from './report.ts';

const CONCURRENCY = 32;
const DURATION_MS = 4_000;

const QUERIES = {
  chain_info: '{ chainInfo { chainId projectedSeq } }',
  datasets:
    '{ datasets(first: 20) { edges { node { datasetId title contributionCount dao { title } } } pageInfo { endCursor } } }',
};

/** Requests a second of the real API over HTTP, load and API sharing this machine's cores. */
export async function benchGraphql({ endpoints }: RunningSystem): Promise<BenchPart> {
  const results: object[] = [];
  for (const [name, query] of Object.entries(QUERIES)) {
    const requestsPerSecond = await load(`${endpoints.apiUrl}/graphql`, JSON.stringify({ query }));
    progress(`graphql: ${name} ${requestsPerSecond.toFixed(0)} requests/s`);
    results.push({
      name: 'graphql',
      query: name,
      concurrency: CONCURRENCY,
      requests_per_second: Math.round(requestsPerSecond),
    });
  }
  return { results, targets: [] };
}

async function load(url: string, body: string): Promise<number> {
  const startedMs = performance.now();
  let count = 0;
  const client = async (): Promise<void> => {
    while (performance.now() - startedMs < DURATION_MS) {
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      const answer = (await response.json()) as { data?: unknown; errors?: unknown };
      if (!response.ok || answer.errors !== undefined)
        throw new Error(`the API answered ${response.status}: ${JSON.stringify(answer.errors)}`);
      count++;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  return count / ((performance.now() - startedMs) / 1000);
}
