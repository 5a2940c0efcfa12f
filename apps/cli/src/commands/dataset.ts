import type { ContributionId, DaoId, DatasetId } from '@usufruct/kernel';
import { NO_ANSWER_RULES, type AnswerRules } from '@usufruct/protocol';
import { countKeyModes, explainAnswerRules, explainKeyModes } from '@usufruct/sdk';
import type { Command } from 'commander';
import { integerOf, percentOf } from '../arguments.js';
import type { AddCommand } from '../program.js';
import { printDocument } from '../document.js';
import { idArgument } from '../runtime.js';

interface RuleOptions {
  readonly maxQuote?: string;
  readonly minContributors?: string;
  readonly maxReach?: string;
}
const withAnswerRules = (command: Command): Command =>
  command
    .option('--max-quote <chars>', 'characters that an answer may quote of one contribution; 0 for no limit')
    .option('--min-contributors <n>', 'how many contributors an answer must rest on; 0 for no such rule')
    .option('--max-reach <percent>', 'of the dataset, that one asker may be shown in sum; 0 for no limit');

/** What is left out stays as it is. */
function answerRulesOf({ maxQuote, minContributors, maxReach }: RuleOptions, base: AnswerRules): AnswerRules {
  return {
    maxQuoteChars: maxQuote === undefined ? base.maxQuoteChars : integerOf(maxQuote, 'max-quote'),
    minContributors:
      minContributors === undefined ? base.minContributors : integerOf(minContributors, 'min-contributors'),
    maxReachBps: maxReach === undefined ? base.maxReachBps : percentOf(maxReach, 'max-reach'),
  };
}

interface PublishOptions extends RuleOptions {
  readonly dao: string;
  readonly title: string;
  readonly description: string;
}

export const addDataset: AddCommand = (program, open) => {
  const dataset = program.command('dataset').description('datasets of a DAO');
  const publish = dataset
    .command('publish')
    .description('open a dataset for contributions; repeating it with the same words changes nothing')
    .requiredOption('--dao <id>')
    .requiredOption('--title <text>')
    .option('--description <text>', '', '');
  withAnswerRules(publish).action(async (options: PublishOptions, command) => {
    const { dao, title, description } = options;
    const runtime = open(command);
    const client = runtime.client();
    const daoId = idArgument<DaoId>(dao, 'dao');
    const key = JSON.stringify([client.address, daoId, title, description]);
    const answerRules = answerRulesOf(options, NO_ANSWER_RULES);
    const made = await client.datasets.create({ key, daoId, title, description, answerRules });
    runtime.terminal.result({ datasetId: made.id, dataset: made }, [
      `dataset ${made.id}`,
      ...explainAnswerRules(made.answerRules),
    ]);
  });
  const rules = dataset
    .command('rules')
    .description('what answers may show of a dataset; with options, by a steward, from the next answer on')
    .argument('<dataset>');
  withAnswerRules(rules).action(async (id: string, options: RuleOptions, command) => {
    const runtime = open(command);
    const datasetId = idArgument<DatasetId>(id, 'dataset');
    const before = await runtime.chain().dataset(datasetId);
    const wanted = answerRulesOf(options, before.answerRules);
    const isOther = Object.values(options).some((value) => value !== undefined);
    const view = isOther ? await runtime.client().datasets.setAnswerRules(datasetId, wanted) : before;
    runtime.terminal.result({ datasetId, answerRules: view.answerRules }, explainAnswerRules(view.answerRules));
  });
  dataset
    .command('contributions')
    .description('what was contributed, as the chain says')
    .argument('<dataset>')
    .option('--keys', 'also who gives out their keys, by their manifests in the store')
    .action(async (id: string, { keys }: { keys?: boolean }, command) => {
      const runtime = open(command);
      const datasetId = idArgument<DatasetId>(id, 'dataset');
      const contributions = await runtime.chain().contributionsOf(datasetId);
      const read = keys === true ? await runtime.client().datasets.keyModes(datasetId) : null;
      const modeOf = (each: ContributionId): string =>
        read === null ? '' : `  keys: ${read.modes.get(each) ?? 'not read'}`;
      const lines = contributions.map(({ id: each, state, owner }) => `${each}  ${state}  by ${owner}${modeOf(each)}`);
      const counted = read === null ? null : countKeyModes(read);
      runtime.terminal.result(
        { contributions, ...(read !== null && { keys: { ...counted, modes: Object.fromEntries(read.modes) } }) },
        [...(lines.length === 0 ? ['none yet'] : lines), ...(counted === null ? [] : explainKeyModes(counted))],
      );
    });
  dataset
    .command('croissant')
    .description('metadata for catalogues: Croissant 1.1 with the conditions of use')
    .argument('<dataset>')
    .option('--out <file>')
    .option('--url <url>', 'where the dataset is shown')
    .option('--no-words', 'without title and description, which the API has')
    .action(async (id: string, { out, url, words }: { out?: string; url?: string; words: boolean }, command) => {
      const runtime = open(command);
      const { aggregatorUrl } = runtime.endpoints();
      const options = { aggregatorUrl, hasWords: words, ...(url !== undefined && { url }) };
      const document = await runtime.client().datasets.croissant(idArgument<DatasetId>(id, 'dataset'), options);
      printDocument(runtime.terminal, { name: 'croissant', document, out });
    });
  dataset
    .command('offer')
    .description("what the DAO's policy offers of a dataset, in ODRL 2.2")
    .argument('<dataset>')
    .option('--out <file>')
    .action(async (id: string, { out }: { out?: string }, command) => {
      const runtime = open(command);
      const document = await runtime.client().datasets.offer(idArgument<DatasetId>(id, 'dataset'));
      printDocument(runtime.terminal, { name: 'offer', document, out });
    });
  for (const decision of ['accept', 'decline'] as const) {
    dataset
      .command(decision)
      .description(`${decision} proposed contributions, by a steward`)
      .argument('<contribution...>')
      .action(async (ids: string[], _options, command) => {
        const runtime = open(command);
        const client = runtime.client();
        const decided = [];
        for (const id of ids)
          decided.push(await client.datasets[decision](idArgument<ContributionId>(id, 'contribution')));
        runtime.terminal.result(
          { contributions: decided },
          decided.map(({ id, state }) => `${id}  ${state}`),
        );
      });
  }
};
