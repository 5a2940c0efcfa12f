import { writeFileSync } from 'node:fs';
import { refuse, utf8, ZERO_UNITS, type AmountUnits, type DatasetId, type JobId } from '@usufruct/kernel';
import { digestOf } from '@usufruct/crypto';
import {
  ATTRIBUTIONS,
  DOCUMENT_FORMATS,
  GENERATOR_KINDS,
  parseAt,
  toWireJson,
  zSourceFilter,
  type Answer,
  type GeneratorKind,
} from '@usufruct/protocol';
import {
  askSeveral,
  decodeReceipt,
  keyOfEach,
  type Asked,
  type Asker,
  type AskOptions as SdkAskOptions,
  type CitedPassage,
  type JobSession,
  type QuestionParams,
  type RefusalEvidence,
} from '@usufruct/sdk';
import { Option } from 'commander';
import { z } from 'zod';
import type { AddCommand } from '../program.js';
import { formatCoins, parseCoins } from '../amounts.js';
import { collected } from '../arguments.js';
import { idArgument, type Runtime } from '../runtime.js';
import { checkLines } from '../verdict.js';

interface AskOptions {
  readonly job?: string;
  readonly dataset: readonly string[];
  readonly maxPrice?: string;
  readonly purpose: string;
  readonly stream?: boolean;
  readonly key?: string;
  readonly evidence?: string;
  readonly generator?: GeneratorKind;
  readonly attribution?: string;
  readonly language?: string[];
  readonly format?: string[];
  readonly author?: string;
  readonly title?: string;
  readonly from?: string;
  readonly before?: string;
}

/** How long a question with a key of its own is answered again for nothing. */
const KEEP_MS = 24 * 60 * 60_000;
const ONE_OF_BOTH = { field: 'job', expected: 'one of --job and --dataset' };

export const addAsk: AddCommand = (program, open) => {
  program
    .command('ask')
    .description(
      'one question, end to end encrypted to the attested runner; prints the answer only if its receipt verifies',
    )
    .argument('<question>')
    .option('--job <id>', 'in this session')
    .option(
      '--dataset <id>',
      'in a session for this question alone; needs --max-price; may be repeated: each is asked and paid by itself',
      collected,
      [],
    )
    .option('--max-price <amount>', 'in coins, for all of it; refuse before paying if it costs more')
    .option('--purpose <code>', 'with --dataset: what the answer is for', 'dpv:ResearchAndDevelopment')
    .option('--stream', 'with --job: sentences as they come, before the receipt is checked')
    .option('--key <text>', 'repeating with the same key never asks, or pays, a second time')
    .option(
      '--evidence <file>',
      'write what the receipt is judged by, for usufruct receipt verify; of several datasets each to <file>.<n>',
    )
    .addOption(
      new Option('--generator <kind>', 'what must make the answer; nothing else is put in its place').choices(
        GENERATOR_KINDS,
      ),
    )
    .addOption(
      new Option('--attribution <method>', 'how contributors are paid for it').choices(ATTRIBUTIONS).default('score'),
    )
    .option('--language <tag...>', 'only from passages in one of these languages (BCP 47)')
    .addOption(new Option('--format <name...>', 'only from documents of these formats').choices(DOCUMENT_FORMATS))
    .option('--author <text>', 'only from documents that name an author with this in it')
    .option('--title <text>', 'only from documents that have a title with this in it')
    .option('--from <date>', 'only from documents dated this day or later (ISO 8601)')
    .option('--before <date>', 'only from documents dated before this day')
    .action(async (text: string, options: AskOptions, command) => {
      const runtime = open(command);
      const { key = crypto.randomUUID() } = options;
      const question = { key, text, ...wishesOf(options) };
      if (options.dataset.length > 1) return askEach(runtime, question, options);
      const { asked, costUnits, forget } = await answerTo(runtime, question, options);
      if (options.evidence !== undefined) writeEvidence(options.evidence, asked.evidence);
      runtime.terminal.result(saidOf(asked, costUnits), linesOf(asked, costUnits));
      await forget();
    });
};

const isStandIn = ({ evidence }: Asked): boolean => evidence.runner?.profile === 'software-dev';

const saidOf = (asked: Asked, costUnits: AmountUnits) => ({
  questionId: asked.questionId,
  jobId: asked.evidence.job.id,
  costUnits,
  answer: asked.answer,
  checks: asked.verdict.checks,
  standIn: isStandIn(asked),
  runnerId: asked.evidence.runner?.id ?? null,
});

const linesOf = (asked: Asked, costUnits: AmountUnits): string[] => [
  ...answerLines(asked.answer),
  '',
  ...checkLines(asked.verdict.checks),
  `it cost ${formatCoins(costUnits, asked.evidence.chain.coin)}`,
  ...(isStandIn(asked) ? ['The runner ran in the software TEE, a stand-in: nothing is proven about hardware.'] : []),
];

/**
 * Of several datasets: the answer and the receipt of each. One that refuses does not take the others along, which are
 * paid; the command then ends as refused, after all was said.
 */
async function askEach(runtime: Runtime, question: QuestionParams, options: AskOptions): Promise<void> {
  const { job, dataset, purpose, evidence, key } = options;
  if (job !== undefined) throw refuse('INVALID_ARGUMENT', ONE_OF_BOTH);
  const datasetIds = dataset.map((id) => idArgument<DatasetId>(id, 'dataset'));
  const params = { ...question, key: `cli ${question.key}`, datasetIds, purpose, keepMs: keepMsOf(key) };
  const { terminal } = runtime;
  const { parts, passages, costUnits } = await withAsker(runtime, question.key, options, (asker, maxPriceUnits) =>
    askSeveral(
      asker,
      { ...params, maxPriceUnits },
      { onStep: (datasetId, step) => terminal.remark(`${datasetId}: ${step}`) },
    ),
  );
  const coin = await runtime.coin();
  if (evidence !== undefined) {
    parts.forEach((part, i) => {
      const judged = part.paid?.evidence ?? (part.error === null ? null : part.refusal);
      if (judged !== null) writeEvidence(`${evidence}.${i + 1}`, judged);
    });
  }
  const said = parts.map(({ datasetId, paid, error }) =>
    paid === null ? { datasetId, error: error.toWire() } : { datasetId, ...saidOf(paid, paid.costUnits) },
  );
  const refused = parts.flatMap(({ error }) => (error === null ? [] : [error]));
  terminal.judgement(
    { parts: said, passages, costUnits },
    [
      ...parts.flatMap(({ datasetId, paid, error }) => [
        `dataset ${datasetId}`,
        ...(paid === null ? [`refused: ${error.code}: ${error.message}`] : linesOf(paid, paid.costUnits)),
        '',
      ]),
      ...passages.map(
        ({ quote, places }, i) => `${i + 1}. ${quote}  (${places.map(placeWords(datasetIds)).join(', ')})`,
      ),
      `${parts.length - refused.length} of ${parts.length} datasets answered; together it cost ${formatCoins(costUnits, coin)}`,
    ],
    refused[0] ?? null,
  );
}

/** Which of the datasets, in the order in which they were named, and which of its citations. */
const placeWords =
  (datasetIds: readonly DatasetId[]) =>
  ({ datasetId, citation }: CitedPassage['places'][number]): string =>
    `dataset ${datasetIds.indexOf(datasetId) + 1} [${citation + 1}]`;

type Told = Pick<SdkAskOptions, 'onStep' | 'onRefusal'>;

interface Answered {
  readonly asked: Asked;
  /** Of this call, as far as it is known: nothing for an answer that was paid before. */
  readonly costUnits: AmountUnits;
  forget(): Promise<void>;
}

async function answerTo(runtime: Runtime, question: QuestionParams, options: AskOptions): Promise<Answered> {
  const { job, stream } = options;
  const [dataset] = options.dataset;
  if ((job === undefined) === (dataset === undefined)) throw refuse('INVALID_ARGUMENT', ONE_OF_BOTH);
  const told = { onStep: (step: string) => runtime.terminal.remark(step), onRefusal: toldRefusal(runtime, options) };
  if (dataset !== undefined) return inOwnSession(runtime, question, dataset, options, told);
  const session = runtime.client().jobs.session(idArgument<JobId>(job!, 'job'));
  const asked = stream === true ? await streamed(runtime, session, question, told) : await session.ask(question, told);
  const costUnits = decodeReceipt(asked.evidence.receipt)?.priceUnits ?? ZERO_UNITS;
  return { asked, costUnits, forget: () => session.forget(asked.questionId) };
}

/** To stderr, for they are not checked yet: the result is what has passed every check. */
async function streamed(
  { terminal }: Runtime,
  session: JobSession,
  question: QuestionParams,
  told: Told,
): Promise<Asked> {
  let asked: Asked | null = null;
  for await (const event of session.askStream(question, told)) {
    if (event.kind === 'sentence') terminal.remark(`| ${event.sentence.shown}`);
    else if (event.kind === 'answer') asked = event.asked;
  }
  if (asked === null) throw refuse('STREAM_BROKEN', { check: 'END' });
  return asked;
}

/** A session is funded for this question, and closed after it; a repeat with the same key finds the answer again. */
async function inOwnSession(
  runtime: Runtime,
  question: QuestionParams,
  dataset: string,
  options: AskOptions,
  told: Told,
): Promise<Answered> {
  const { purpose, key } = options;
  const datasetId = idArgument<DatasetId>(dataset, 'dataset');
  return withAsker(runtime, question.key, options, async (asker) => {
    const asked = await asker.ask(
      { ...question, key: keyOfEach(`cli ${question.key}`, datasetId), datasetId, purpose, keepMs: keepMsOf(key) },
      told,
    );
    return { asked, costUnits: asked.costUnits, forget: async () => undefined };
  });
}

/** For this question alone: what it locks is limited by the price, and comes back at the end. */
async function withAsker<T>(
  runtime: Runtime,
  key: string,
  { maxPrice, stream }: AskOptions,
  work: (asker: Asker, maxPriceUnits: AmountUnits) => Promise<T>,
): Promise<T> {
  if (maxPrice === undefined) throw refuse('INVALID_ARGUMENT', { field: 'max-price', expected: 'an amount' });
  if (stream === true) throw refuse('INVALID_ARGUMENT', { field: 'stream', expected: '--job' });
  const maxPriceUnits = parseCoins(maxPrice, await runtime.coin(), 'max-price');
  const name = `ask-${digestOf(utf8(key)).slice(2)}`;
  const asker = runtime.client().asker({ name, maxSpendUnits: maxPriceUnits, sessionQuestions: 1 });
  try {
    return await work(asker, maxPriceUnits);
  } finally {
    await asker.close();
  }
}

/** Only a question with a key of its own can be asked again. */
const keepMsOf = (key: string | undefined): number => (key === undefined ? 0 : KEEP_MS);

const toldRefusal =
  ({ terminal }: Runtime, { evidence }: AskOptions) =>
  (refusal: RefusalEvidence): void => {
    terminal.remark('refused, signed by the runner, and nothing is charged');
    if (evidence !== undefined) writeEvidence(evidence, refusal);
  };

const writeEvidence = (path: string, evidence: object): void =>
  writeFileSync(path, `${toWireJson(evidence)}\n`, { mode: 0o600 });

/** Refuses `INVALID_ARGUMENT` for what no document can be. */
function wishesOf({ generator, attribution, language, format, author, title, from, before }: AskOptions) {
  const given = { languages: language, formats: format, author, title, dateFrom: from, dateBefore: before };
  const wished = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    ...(generator === undefined ? {} : { generator }),
    attribution: parseAt(z.enum(ATTRIBUTIONS).default('score'), attribution, 'attribution'),
    ...(wished.length === 0 ? {} : { filter: parseAt(zSourceFilter, Object.fromEntries(wished), 'filter') }),
  };
}

export function answerLines(answer: Answer): string[] {
  const made =
    answer.model === undefined
      ? ['(sentences of the documents; no language model wrote this)']
      : [
          `(written by ${answer.model.name}, SHA-256 ${answer.model.sha256.slice(2)}; kept is what the cited passages carry)`,
        ];
  const cited = answer.citations.map(({ fileName, locator, contributionId }, i) => {
    const place = locator === '' ? fileName : `${fileName}, ${locator}`;
    return `[${i + 1}] ${place}  (${contributionId})`;
  });
  return [answer.text, ...made, '', ...cited];
}
