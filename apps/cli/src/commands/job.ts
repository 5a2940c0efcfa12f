import type { DatasetId, JobId } from '@usufruct/kernel';
import { countKeyModes, explainKeyModes, type JobTerms, type Quote } from '@usufruct/sdk';
import { formatCoins, parseCoins } from '../amounts.js';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { integerOf } from '../arguments.js';

interface TermOptions {
  readonly purpose: string;
  readonly questions: string;
  readonly minutes: string;
}
interface SubmitOptions extends TermOptions {
  readonly key?: string;
  readonly atMost?: string;
}

const termsOf = (dataset: string, { purpose, questions, minutes }: TermOptions): JobTerms => ({
  datasetId: idArgument<DatasetId>(dataset, 'dataset'),
  purpose,
  maxQuestions: integerOf(questions, 'questions'),
  termMs: integerOf(minutes, 'minutes') * 60_000,
});

export const addJob: AddCommand = (program, open) => {
  const job = program.command('job').description('a paid session over a dataset: fund once, ask many questions');
  const withTerms = (name: string) =>
    job
      .command(name)
      .argument('<dataset>')
      .option('--purpose <code>', 'what the answers are for', 'dpv:ResearchAndDevelopment')
      .option('--questions <n>', 'at most', '10')
      .option('--minutes <n>', 'the term', '30');
  withTerms('quote')
    .description('what it would cost, and which contributions it could use')
    .action(async (dataset: string, options: TermOptions, command) => {
      const runtime = open(command);
      const quote = await runtime.client().jobs.quote(termsOf(dataset, options));
      const coin = await runtime.coin();
      const keys = countKeyModes(await runtime.client().datasets.keyModes(quote.datasetId));
      runtime.terminal.result({ quote, keys }, [
        ...quoteLines(quote, (units) => formatCoins(units, coin)),
        ...explainKeyModes(keys),
      ]);
    });
  withTerms('submit')
    .description('lock the price of all questions in escrow; what is not spent comes back')
    .option('--key <text>', 'repeating with the same key never funds a second job')
    .option('--at-most <amount>', 'refuse before paying if it costs more, in coins')
    .action(async (dataset: string, options: SubmitOptions, command) => {
      const runtime = open(command);
      const coin = await runtime.coin();
      const { key = crypto.randomUUID(), atMost } = options;
      const funded = await runtime.client().jobs.fund({
        ...termsOf(dataset, options),
        key,
        ...(atMost !== undefined && { escrowAtMostUnits: parseCoins(atMost, coin, 'at-most') }),
      });
      const lines = [`job ${funded.id}`, `${formatCoins(funded.escrowUnits, coin)} in escrow`];
      runtime.terminal.result({ jobId: funded.id, job: funded }, lines);
    });
  job
    .command('status')
    .argument('<job>')
    .option('--follow', 'print what happens until the job ends')
    .action(async (id: string, { follow }: { follow?: boolean }, command) => {
      const runtime = open(command);
      const session = runtime.client().jobs.session(idArgument<JobId>(id, 'job'));
      if (follow === true) {
        for await (const event of session.follow())
          runtime.terminal.remark(`${event.seq} ${event.name} (${event.state})`);
      }
      const [progress, chain] = [await session.progress(), await session.onChain()];
      runtime.terminal.result({ progress, chain }, [
        `${progress.state}; on the chain: ${chain.state}`,
        `${chain.questionsSettled} of ${chain.maxQuestions} questions paid`,
        `${formatCoins(chain.escrowUnits, await runtime.coin())} in escrow`,
        ...progress.leftOut.map(({ contributionId, code }) => `left out: ${contributionId} (${code})`),
        ...(progress.error === null ? [] : [`error: ${progress.error.code}`]),
      ]);
    });
  job
    .command('close')
    .description('end the session: what is not spent comes back')
    .argument('<job>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const closed = await runtime.client().jobs.session(idArgument<JobId>(id, 'job')).close();
      runtime.terminal.result({ job: closed }, [`job ${closed.id}: ${closed.state}`]);
    });
};

const quoteLines = (quote: Quote, amount: (units: bigint) => string): string[] => [
  `${amount(quote.pricePerQuestionUnits)} a question, ${amount(quote.escrowUnits)} in escrow for ${quote.maxQuestions}`,
  `${quote.usableContributions} contributions may be used`,
  ...quote.leftOut.map(({ contributionId, code }) => `left out: ${contributionId} (${code})`),
];
