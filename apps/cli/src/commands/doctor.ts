import { passed, failed, refuse, toUsufructError, verdictOf, type Check } from '@usufruct/kernel';
import { z } from 'zod';
import type { AddCommand } from '../program.js';
import type { Runtime } from '../runtime.js';
import { checkLines } from '../verdict.js';

const TIMEOUT_MS = 5_000;
const zHolder = z.object({ standIns: z.array(z.string()) });

export const addDoctor: AddCommand = (program, open) => {
  program
    .command('doctor')
    .description('is everything there, and what of it is a stand-in?')
    .action(async (_options, command) => {
      const runtime = open(command);
      const { checks, standIns } = await examine(runtime);
      const verdict = verdictOf(checks);
      const lines = [...checkLines(checks), ...standIns.map((part) => `stand-in: ${part}`)];
      if (!verdict.ok) {
        for (const line of lines) runtime.terminal.remark(line);
        const names = checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
        throw refuse('UPSTREAM_UNAVAILABLE', { parts: names.join(', ') });
      }
      runtime.terminal.result({ checks, standIns }, lines);
    });
};

async function examine(runtime: Runtime): Promise<{ checks: Check[]; standIns: string[] }> {
  const { apiUrl, holderUrls, aggregatorUrl, publisherUrl, standIns: named } = runtime.endpoints();
  const standIns = new Set<string>(named);
  const checks = [
    await check('CHAIN', async () => {
      const { chainId, standIn } = await runtime.chain().info();
      if (standIn) standIns.add('local chain');
      return chainId;
    }),
    await check('API', () => ready(`${apiUrl}/readyz`)),
    await check('PUBLISHER', () => ready(`${publisherUrl}/healthz`)),
    await check('AGGREGATOR', () => ready(`${aggregatorUrl}/healthz`)),
    await check('WALLET', async () => runtime.signer().address),
  ];
  for (const [index, url] of holderUrls.entries()) {
    const holder = await check(`KEY_HOLDER_${index + 1}`, async () => {
      const identity = zHolder.safeParse(await (await answerOf(`${url}/v1/identity`)).json());
      if (!identity.success) throw refuse('UPSTREAM_INVALID', { url });
      for (const part of identity.data.standIns) standIns.add(part);
      return url;
    });
    checks.push(holder);
  }
  return { checks, standIns: [...standIns] };
}

async function check(name: string, probe: () => Promise<string>): Promise<Check> {
  try {
    return passed(name, await probe());
  } catch (error) {
    return failed(name, toUsufructError(error).code);
  }
}

async function ready(url: string): Promise<string> {
  await answerOf(url);
  return url;
}

/** A real publisher has no health page: any answer that is no failure shows that somebody is there. */
async function answerOf(url: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((cause: unknown) => {
    throw refuse('UPSTREAM_UNAVAILABLE', { url }, cause);
  });
  if (response.status >= 500) throw refuse('UPSTREAM_UNAVAILABLE', { url, status: String(response.status) });
  return response;
}
