import { once } from 'node:events';
import { join } from 'node:path';
import type { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { DatasetId } from '@usufruct/kernel';
import { formatCoins, parseCoins } from '../amounts.js';
import { collected, countOf, integerOf } from '../arguments.js';
import { isLoopback, requireLocal } from '../local-callers.js';
import { MCP_PATH, serveMcpHttp } from '../mcp/mcp-http.js';
import { mcpServer } from '../mcp/mcp-server.js';
import { apiKeyFile } from '../openai/api-key-file.js';
import { backendOf } from '../openai/backend.js';
import type { AddCommand } from '../program.js';
import { idArgument, type Runtime } from '../runtime.js';
import { untilStopped } from '../until-stopped.js';

interface McpCommandOptions {
  readonly maxSpend: string;
  readonly maxPrice?: string;
  readonly sessionQuestions: string;
  readonly purpose: string;
  readonly dataset: readonly string[];
  readonly http?: boolean;
  readonly host: string;
  readonly port: string;
  readonly allowRemote?: boolean;
}

/** Less than clients of MCP give a server between the end of its input and SIGKILL. */
const CLOSE_WAIT_MS = 1_000;

export const addMcp: AddCommand = (program, open) => {
  program
    .command('mcp')
    .description('tools for agents (Model Context Protocol), over stdin and stdout: see prices, ask, verify receipts')
    .requiredOption('--max-spend <amount>', 'in coins: what agents may lock and pay together in this run')
    .option(
      '--max-price <amount>',
      'in coins: no question that costs more, of several datasets together, whatever an agent says',
    )
    .option('--session-questions <n>', 'locked at a time; what is not asked comes back', '5')
    .option('--purpose <code>', 'for questions that name none', 'dpv:ResearchAndDevelopment')
    .option('--dataset <id>', 'this one only; may be repeated (default: all that are listed)', collected, [])
    .option('--http', 'over HTTP instead, for agents that are started by themselves; they need the key')
    .option('--host <address>', 'where it listens, with --http', '127.0.0.1')
    .option('--port <n>', 'with --http', '8788')
    .option('--allow-remote', 'listen elsewhere than on loopback, where questions and answers travel in the clear')
    .action(async (options: McpCommandOptions, command) => {
      const runtime = open(command);
      const { terminal } = runtime;
      const { http: isHttp = false, allowRemote = false, host } = options;
      if (isHttp) requireLocal(host, { isElsewhereAllowed: allowRemote });
      const port = integerOf(options.port, 'port');
      const coin = await runtime.coin();
      const client = runtime.client();
      const asker = client.asker({
        // A port is one process's alone; of the others, agents start several at once.
        name: isHttp && port !== 0 ? `mcp-${port}` : `mcp-${crypto.randomUUID()}`,
        maxSpendUnits: parseCoins(options.maxSpend, coin, 'max-spend'),
        maxPriceUnits: options.maxPrice === undefined ? null : parseCoins(options.maxPrice, coin, 'max-price'),
        sessionQuestions: countOf(options.sessionQuestions, 'session-questions'),
      });
      const only = options.dataset.map((id) => idArgument<DatasetId>(id, 'dataset'));
      const backend = await backendOf({ client, asker, only, standIns: runtime.endpoints().standIns });
      await asker.recover();
      const { purpose } = options;
      const server = () => mcpServer({ backend, purpose, quote: (terms) => client.jobs.quote(terms) });
      const serving = isHttp ? await overHttp(runtime, { host, port, server }) : overStdio(runtime, server);
      terminal.remark(`tools for agents; at most ${formatCoins(asker.spending.maxUnits, coin)} in this run`);
      for (const part of backend.standIns) terminal.remark(`stand-in: ${part}`);
      await untilStopped(isHttp ? undefined : once(process.stdin, 'end'));
      await serving.close();
      await asker.close(isHttp ? undefined : CLOSE_WAIT_MS);
      terminal.remark(`stopped; paid ${formatCoins(asker.spending.paidUnits, coin)}`);
    });
};

interface Serving {
  close(): Promise<void>;
}

/** Nothing but the protocol may be written to stdout. */
const overStdio = ({ terminal }: Runtime, server: () => McpServer): Serving =>
  serveStdio(server, { onerror: () => terminal.remark('a message that is not of the protocol') });

interface OverHttp {
  readonly host: string;
  readonly port: number;
  readonly server: () => McpServer;
}
async function overHttp(runtime: Runtime, { host, port, server }: OverHttp): Promise<Serving> {
  const { terminal } = runtime;
  const keyPath = join(runtime.home, 'mcp-key');
  const apiKey = apiKeyFile(keyPath, runtime.random);
  const remark = (event: string): void => terminal.remark(event);
  const logger = { info: () => undefined, warn: remark, error: remark };
  const running = await serveMcpHttp({ host, port, apiKey, server, logger });
  const url = `${running.url}${MCP_PATH}`;
  terminal.result({ url, keyFile: keyPath }, [
    `tools for agents (MCP): ${url}`,
    `the key that they send as a bearer token: in ${keyPath}`,
    ...(isLoopback(host) ? [] : ['NOT LOOPBACK: questions and answers travel in the clear to this port']),
  ]);
  return running;
}
