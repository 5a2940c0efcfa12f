import { join } from 'node:path';
import type { DatasetId } from '@usufruct/kernel';
import { formatCoins, parseCoins } from '../amounts.js';
import { collected, countOf, integerOf } from '../arguments.js';
import { isLoopback, requireLocal } from '../local-callers.js';
import { apiKeyFile } from '../openai/api-key-file.js';
import { backendOf } from '../openai/backend.js';
import { serveOpenai } from '../openai/openai-server.js';
import type { AddCommand } from '../program.js';
import { idArgument, type Runtime } from '../runtime.js';
import { untilStopped } from '../until-stopped.js';

interface ProxyOptions {
  readonly maxSpend: string;
  readonly maxPrice?: string;
  readonly sessionQuestions: string;
  readonly purpose: string;
  readonly dataset: readonly string[];
  readonly host: string;
  readonly port: string;
  readonly repeatMinutes: string;
  readonly key: boolean;
  readonly allowRemote?: boolean;
}

export const addProxy: AddCommand = (program, open) => {
  program
    .command('proxy')
    .description(
      'a local endpoint for any OpenAI client: every question is encrypted to an attested runner, paid within a limit',
    )
    .requiredOption('--max-spend <amount>', 'in coins: what this run may lock and pay together')
    .option('--max-price <amount>', 'in coins: no question that costs more, of several datasets together')
    .option('--session-questions <n>', 'locked at a time; what is not asked comes back', '10')
    .option('--purpose <code>', 'for requests that name none', 'dpv:ResearchAndDevelopment')
    .option('--dataset <id>', 'serve this one; may be repeated (default: all that are listed)', collected, [])
    .option('--host <address>', 'where it listens', '127.0.0.1')
    .option('--port <n>', '', '8787')
    .option('--repeat-minutes <n>', 'the same question is answered again for nothing for so long', '10')
    .option('--no-key', 'let everybody who reaches the port spend; on loopback only')
    .option('--allow-remote', 'listen elsewhere than on loopback, where questions and answers travel in the clear')
    .action(async (options: ProxyOptions, command) => {
      const runtime = open(command);
      const running = await startProxy(runtime, options);
      await untilStopped();
      await running.close();
    });
};

async function startProxy(runtime: Runtime, options: ProxyOptions): Promise<{ close(): Promise<void> }> {
  const { host, key: isKeyed, allowRemote = false } = options;
  requireLocal(host, { isElsewhereAllowed: allowRemote && isKeyed });
  const coin = await runtime.coin();
  const client = runtime.client();
  const port = integerOf(options.port, 'port');
  const asker = client.asker({
    // The port is this process's alone, so no other one goes on with its sessions.
    name: `proxy-${port === 0 ? crypto.randomUUID() : port}`,
    maxSpendUnits: parseCoins(options.maxSpend, coin, 'max-spend'),
    maxPriceUnits: options.maxPrice === undefined ? null : parseCoins(options.maxPrice, coin, 'max-price'),
    sessionQuestions: countOf(options.sessionQuestions, 'session-questions'),
  });
  const only = options.dataset.map((id) => idArgument<DatasetId>(id, 'dataset'));
  const backend = await backendOf({ client, asker, only, standIns: runtime.endpoints().standIns });
  const keyPath = join(runtime.home, 'proxy-key');
  const apiKey = isKeyed ? apiKeyFile(keyPath, runtime.random) : null;
  await asker.recover();
  const amount = (units: bigint): string => formatCoins(units, coin);
  const { terminal } = runtime;
  const server = await serveOpenai({
    backend,
    host,
    port,
    apiKey,
    purpose: options.purpose,
    repeatMs: integerOf(options.repeatMinutes, 'repeat-minutes') * 60_000,
    clock: runtime.clock,
    logger: { info: () => undefined, warn: terminal.remark.bind(terminal), error: (event) => terminal.remark(event) },
    onAnswered: (outcome) => {
      if ('error' in outcome) return terminal.remark(`refused: ${outcome.error}`);
      const { lockedUnits, paidUnits, maxUnits } = asker.spending;
      const cost = outcome.isRepeat ? 'paid before' : amount(outcome.costUnits);
      terminal.remark(
        `question ${outcome.questionId}: ${cost}; locked or paid ${amount(lockedUnits + paidUnits)} of ${amount(maxUnits)}`,
      );
    },
  });
  const lines = [
    `OpenAI-compatible endpoint: ${server.url}/v1`,
    apiKey === null ? 'no API key: whoever reaches this port can spend' : `API key: in ${keyPath}`,
    ...(isLoopback(host) ? [] : ['NOT LOOPBACK: questions and answers travel in the clear to this port']),
    ...backend.standIns.map((part) => `stand-in: ${part}`),
  ];
  terminal.result(
    { url: `${server.url}/v1`, keyFile: apiKey === null ? null : keyPath, standIns: backend.standIns },
    lines,
  );
  return {
    close: async () => {
      await server.close();
      await asker.close();
      terminal.remark(
        `stopped; paid ${amount(asker.spending.paidUnits)}, still locked ${amount(asker.spending.lockedUnits)}`,
      );
    },
  };
}
