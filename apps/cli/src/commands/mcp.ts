import { once } from 'node:events';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { DatasetId } from '@usufruct/kernel';
import { formatCoins, parseCoins } from '../amounts.js';
import { collected, countOf } from '../arguments.js';
import { mcpServer } from '../mcp/mcp-server.js';
import { backendOf } from '../openai/backend.js';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { untilStopped } from '../until-stopped.js';

interface McpCommandOptions {
  readonly maxSpend: string;
  readonly maxPrice?: string;
  readonly sessionQuestions: string;
  readonly purpose: string;
  readonly dataset: readonly string[];
}

/** Less than clients of MCP give a server between the end of its input and SIGKILL. */
const CLOSE_WAIT_MS = 1_000;

export const addMcp: AddCommand = (program, open) => {
  program
    .command('mcp')
    .description('tools for agents over stdin and stdout (Model Context Protocol): see prices, ask, verify receipts')
    .requiredOption('--max-spend <amount>', 'in coins: what agents may lock and pay together in this run')
    .option('--max-price <amount>', 'in coins: no question that costs more, whatever an agent says')
    .option('--session-questions <n>', 'locked at a time; what is not asked comes back', '5')
    .option('--purpose <code>', 'for questions that name none', 'dpv:ResearchAndDevelopment')
    .option('--dataset <id>', 'this one only; may be repeated (default: all that are listed)', collected, [])
    .action(async (options: McpCommandOptions, command) => {
      const runtime = open(command);
      const { terminal } = runtime;
      const coin = await runtime.coin();
      const client = runtime.client();
      const asker = client.asker({
        name: `mcp-${crypto.randomUUID()}`, // agents start several at once
        maxSpendUnits: parseCoins(options.maxSpend, coin, 'max-spend'),
        maxPriceUnits: options.maxPrice === undefined ? null : parseCoins(options.maxPrice, coin, 'max-price'),
        sessionQuestions: countOf(options.sessionQuestions, 'session-questions'),
      });
      const only = options.dataset.map((id) => idArgument<DatasetId>(id, 'dataset'));
      const backend = await backendOf({ client, asker, only, standIns: runtime.endpoints().standIns });
      await asker.recover();
      const { purpose } = options;
      // Nothing but the protocol may be written to stdout.
      const serving = serveStdio(() => mcpServer({ backend, purpose, quote: (terms) => client.jobs.quote(terms) }), {
        onerror: () => terminal.remark('a message that is not of the protocol'),
      });
      terminal.remark(`tools for agents; at most ${formatCoins(asker.spending.maxUnits, coin)} in this run`);
      for (const part of backend.standIns) terminal.remark(`stand-in: ${part}`);
      await untilStopped(once(process.stdin, 'end'));
      await serving.close();
      await asker.close(CLOSE_WAIT_MS);
      terminal.remark(`stopped; paid ${formatCoins(asker.spending.paidUnits, coin)}`);
    });
};
