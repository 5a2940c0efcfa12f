import { McpServer, ResourceTemplate, type CallToolResult } from '@modelcontextprotocol/server';
import { isErrorCode, isHex32, refuse, type DatasetId, type Digest } from '@usufruct/kernel';
import { LIMITS, toWireJson, zHex32 } from '@usufruct/protocol';
import { MOST_DATASETS, type JobTerms, type KnownReceipt, type Quote } from '@usufruct/sdk';
import { z } from 'zod';
import { formatCoins, parseCoins } from '../amounts.js';
import { askEachKeepingRefusals, type Backend } from '../openai/backend.js';
import { answerBody, refusalBody, severalBody } from './answers.js';
import { TITLE_CHARS, WORDS_NOTICE, wordsOfOthers } from './words-of-others.js';

export interface McpOptions {
  readonly backend: Backend;
  /** For questions that name no purpose. */
  readonly purpose: string;
  quote(terms: JobTerms): Promise<Quote>;
}

/** More than that fills an agent's memory. */
const LISTED = 50;
const DESCRIPTION_CHARS = 600;
/** No policy on the chain has another one; who tells of it is the API. */
const PURPOSE = /^(DUO:\d{7}|dpv:[A-Za-z]{1,64})$/;
const QUOTE_TERM_MS = 30 * 60_000;

const zDataset = zHex32<DatasetId>();
const WHICH = {
  dataset: zDataset.optional().describe('The id of a dataset, from list_datasets'),
  datasets: z
    .array(zDataset)
    .min(1)
    .max(MOST_DATASETS)
    .optional()
    .describe('In place of dataset: several, each asked, paid and proven by itself'),
};
const zPurpose = z
  .string()
  .min(1)
  .max(128)
  .optional()
  .describe('What the answer will be used for: a DUO code or DPV purpose that the dataset allows');

/**
 * Tools for agents. Their descriptions are fixed texts; what other people wrote comes only in results, marked and
 * stripped. Looking is free, asking is paid within the limit that the user gave at the start, and each result says what
 * it cost and what of the system is a stand-in.
 */
export function mcpServer(options: McpOptions): McpServer {
  const server = new McpServer(
    { name: 'usufruct', version: '0.1.0' },
    {
      instructions: `Private questions to pooled datasets, answered by attested code from documents whose owners allow the purpose and are paid for it. list_datasets and quote are free; ask costs the price of each dataset that is asked. ${WORDS_NOTICE}`,
    },
  );
  addListDatasets(server, options);
  addQuote(server, options);
  addAsk(server, options);
  addVerifyReceipt(server, options);
  addReceipts(server, options);
  return server;
}

/** In every result: what it cost, what the session of this process may still cost, and what is not real. */
function resultOf({ backend }: McpOptions, costUnits: bigint, body: object): CallToolResult {
  const { coin, asker, standIns } = backend;
  const { maxUnits, lockedUnits, paidUnits } = asker.spending;
  const amount = (units: bigint): string => formatCoins(units, coin);
  const whole = {
    cost: amount(costUnits),
    spending: { limit: amount(maxUnits), locked: amount(lockedUnits), paid: amount(paidUnits) },
    stand_ins: standIns,
    ...body,
  };
  const text = toWireJson(whole);
  return { content: [{ type: 'text', text }], structuredContent: JSON.parse(text) as Record<string, unknown> };
}

/** A refusal as the tool's result: code, what it means, and what would satisfy it. */
async function orRefusal(work: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await work();
  } catch (thrown) {
    return { isError: true, content: [{ type: 'text', text: JSON.stringify(refusalBody(thrown)) }] };
  }
}

const READS = { readOnlyHint: true, openWorldHint: true } as const;

function addListDatasets(server: McpServer, options: McpOptions): void {
  const { backend } = options;
  const description =
    'Datasets that can be asked, with the price of a question, the purposes that their DAOs allow, and the protections under which they are used. Free.';
  const inputSchema = z.object({ search: z.string().max(100).optional().describe('Only titles with this in them') });
  server.registerTool(
    'list_datasets',
    { title: 'List datasets', description, inputSchema, annotations: READS },
    ({ search = '' }) =>
      orRefusal(async () => {
        const words = search.toLowerCase();
        const found = (await backend.datasets()).filter(
          ({ title }) => words === '' || (title ?? '').toLowerCase().includes(words),
        );
        const lines = found
          .slice(0, LISTED)
          .map(({ datasetId, title, description: about, contributionCount, dao }) => ({
            dataset: datasetId,
            price: formatCoins(dao.policy.pricePerQuestionUnits, backend.coin),
            purposes: dao.policy.purposes.filter((code) => PURPOSE.test(code)),
            protections: dao.policy.protections,
            contributions: contributionCount,
            title_by_others: wordsOfOthers(title ?? '', TITLE_CHARS),
            description_by_others: wordsOfOthers(about ?? '', DESCRIPTION_CHARS),
          }));
        return resultOf(options, 0n, { notice: WORDS_NOTICE, datasets: lines, not_shown: found.length - lines.length });
      }),
  );
}

function addQuote(server: McpServer, options: McpOptions): void {
  const { backend } = options;
  const inputSchema = z.object({
    ...WHICH,
    purpose: zPurpose,
    questions: z.int().min(1).max(LIMITS.questionsPerJob).optional().describe('How many questions; 1 if not given'),
  });
  const description =
    'What questions to a dataset, or to each of several and to all of them together, would cost now for a purpose, how many contributions they may use, and why others are left out. Free; an estimate, and no promise.';
  server.registerTool(
    'quote',
    { title: 'Quote', description, inputSchema, annotations: READS },
    ({ purpose = options.purpose, questions = 1, ...which }) =>
      orRefusal(async () => {
        const datasetIds = await served(backend, which);
        const quoteOf = (datasetId: DatasetId): Promise<Quote> =>
          options.quote({ datasetId, purpose, maxQuestions: questions, termMs: QUOTE_TERM_MS });
        const said = { purpose, questions };
        if (which.dataset !== undefined) {
          const quote = await quoteOf(which.dataset);
          return resultOf(options, 0n, { ...said, ...quoteBody(quote, backend) });
        }
        let togetherUnits = 0n;
        const lines = await Promise.all(
          datasetIds.map(async (datasetId) => {
            try {
              const quote = await quoteOf(datasetId);
              togetherUnits += quote.escrowUnits;
              return quoteBody(quote, backend);
            } catch (thrown) {
              return { dataset: datasetId, refused: refusalBody(thrown) };
            }
          }),
        );
        const together = formatCoins(togetherUnits, backend.coin);
        return resultOf(options, 0n, { ...said, datasets: lines, price_of_all_not_refused: together });
      }),
  );
}

function quoteBody(quote: Quote, { coin }: Backend): object {
  const leftOut: Record<string, number> = {};
  for (const { code } of quote.leftOut) {
    const known = isErrorCode(code) ? code : 'UNKNOWN';
    leftOut[known] = (leftOut[known] ?? 0) + 1;
  }
  return {
    dataset: quote.datasetId,
    price_of_a_question: formatCoins(quote.pricePerQuestionUnits, coin),
    price_of_all: formatCoins(quote.escrowUnits, coin),
    usable_contributions: quote.usableContributions,
    left_out: leftOut,
  };
}

function addAsk(server: McpServer, options: McpOptions): void {
  const { backend } = options;
  const inputSchema = z.object({
    ...WHICH,
    question: z.string().min(1).max(LIMITS.questionChars),
    max_price: z
      .string()
      .max(40)
      .describe(
        'The most that this question may cost, all datasets together, in whole coins as a decimal, as "2.5"; see quote',
      ),
    purpose: zPurpose,
    top_k: z.int().min(1).max(32).optional().describe('How many passages each answer may rest on'),
    again: z
      .string()
      .max(64)
      .optional()
      .describe('Any new word asks, and pays, anew; without it the same question is answered from what was paid'),
  });
  const description =
    "Ask one question of a dataset, or of several, end to end encrypted to attested code. COSTS MONEY: the price of each dataset, together within max_price and the user's limit, or nothing is asked. Gives each answer, the passages it rests on, and the id of its receipt, which has been verified; a dataset that refuses says why, and its signed_refusal proves that it charged nothing. The same question within ten minutes is not paid twice; of several, texts are cut shorter, and whoever asks one of them again by itself gets its answer whole.";
  server.registerTool(
    'ask',
    {
      title: 'Ask datasets (paid)',
      description,
      inputSchema,
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
    },
    ({ question, max_price: maxPrice, purpose = options.purpose, top_k: topK, again = '', ...which }) =>
      orRefusal(async () => {
        const several = await askEachKeepingRefusals(backend.asker, {
          key: JSON.stringify(['mcp', purpose, topK ?? null, question, again]),
          datasetIds: await served(backend, which),
          purpose,
          text: question,
          maxPriceUnits: parseCoins(maxPrice, backend.coin, 'max_price'),
          ...(topK !== undefined && { topK }),
        });
        const [only] = several.parts;
        if (which.dataset !== undefined && only !== undefined) {
          if (only.error !== null) throw only.error;
          return resultOf(options, only.paid.costUnits, answerBody(only.paid, backend));
        }
        const result = resultOf(options, several.costUnits, severalBody(several, backend));
        return several.parts.every(({ error }) => error !== null) ? { ...result, isError: true } : result;
      }),
  );
}

function addVerifyReceipt(server: McpServer, options: McpOptions): void {
  const { backend } = options;
  const description =
    'Judge the receipt of an earlier answer anew, by what the chain says now: who signed it, that it was settled, and that the payouts add up. It does not show that the answer is right. Free.';
  server.registerTool(
    'verify_receipt',
    {
      title: 'Verify a receipt',
      description,
      inputSchema: z.object({ receipt_id: zHex32<Digest>().describe('From the result of ask') }),
      annotations: READS,
    },
    ({ receipt_id: id }) => orRefusal(async () => resultOf(options, 0n, await judged(backend, id))),
  );
}

const uriOf = (id: string): string => `usufruct://receipts/${id}`;

function addReceipts(server: McpServer, options: McpOptions): void {
  const { backend } = options;
  const list = async () => ({
    resources: (await backend.asker.receipts()).map((receipt) => ({
      uri: uriOf(receipt.receiptId),
      name: receipt.receiptId,
      description: `${formatCoins(receipt.priceUnits, backend.coin)}, ${new Date(receipt.atMs).toISOString()}`,
      mimeType: 'application/json',
    })),
  });
  server.registerResource(
    'receipt',
    new ResourceTemplate(uriOf('{id}'), { list }),
    { title: 'Receipts', description: 'Receipts of what was asked from this computer, judged when they are read.' },
    async (uri, { id }) => {
      const text = toWireJson(await judged(backend, String(id)));
      return { contents: [{ uri: uri.href, mimeType: 'application/json', text }] };
    },
  );
}

async function judged(backend: Backend, id: string): Promise<object> {
  const known: KnownReceipt | null = isHex32(id) ? await backend.asker.receipt(id as Digest) : null;
  if (known === null) throw refuse('NOT_FOUND', { object: 'receipt of this device' });
  const { evidence, verdict } = await backend.judgedReceipt(known);
  return {
    receipt_id: known.receiptId,
    dataset: known.datasetId,
    price: formatCoins(known.priceUnits, backend.coin),
    ok: verdict.ok,
    checks: verdict.checks,
    settled_by: evidence.settlement?.digest ?? null,
  };
}

/** Only what is listed is asked: an agent cannot be sent to another dataset by an id that somebody wrote into a text. */
async function served(
  backend: Backend,
  { dataset, datasets }: { readonly dataset?: DatasetId | undefined; readonly datasets?: DatasetId[] | undefined },
): Promise<readonly DatasetId[]> {
  if ((dataset === undefined) === (datasets === undefined)) {
    throw refuse('INVALID_ARGUMENT', { field: 'dataset', expected: 'one of dataset and datasets' });
  }
  const listed = new Set((await backend.datasets()).map(({ datasetId }) => datasetId));
  const named = datasets ?? [dataset!];
  if (!named.every((one) => listed.has(one))) {
    throw refuse('NOT_FOUND', { object: 'dataset', field: dataset === undefined ? 'datasets' : 'dataset' });
  }
  return named;
}
