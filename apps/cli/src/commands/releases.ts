import type { ContributionId } from '@usufruct/kernel';
import { explainKeyMode, type DatasetEntry, type HolderReleases } from '@usufruct/sdk';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { checkLines } from '../verdict.js';

export const addReleases: AddCommand = (program, open) => {
  const releases = program.command('releases').description('who was given the key to your contribution');
  releases
    .command('list')
    .description('asks every key holder, and verifies its signed log')
    .argument('<contribution>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const { contributions } = runtime.client();
      const contributionId = idArgument<ContributionId>(id, 'contribution');
      const holders = await contributions.releases(contributionId);
      const keyMode = await contributions.keyMode(contributionId);
      const wire = holders.map(({ entries, ...rest }) => ({
        ...rest,
        entries: entries.map(({ runnerSigningKey, ...entry }) => ({
          ...entry,
          runnerSigningKey: hexOf(runnerSigningKey),
        })),
      }));
      runtime.terminal.result({ keyMode, holders: wire }, [explainKeyMode(keyMode), ...holders.flatMap(holderLines)]);
    });
};

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function holderLines({ member, entries, datasetEntries, verdict, error }: HolderReleases): string[] {
  const head = `key holder ${member + 1}`;
  if (error !== null) return [`${head}: ${error.code}`];
  return [
    `${head}: ${entries.length} entries`,
    ...entries.map(
      ({ atMs, decision, purpose, jobId, measurement }) =>
        `  ${new Date(atMs).toISOString()}  ${decision}  ${purpose}  job ${jobId}  runner ${measurement.slice(0, 16)}…`,
    ),
    ...datasetEntries.map((entry) => `  ${datasetLine(entry)}`),
    ...checkLines(verdict.checks).map((line) => `  ${line}`),
  ];
}

/** What rests on all contributions of the dataset together. */
function datasetLine(entry: DatasetEntry): string {
  const { atMs, decision, jobId, measurement } = entry.leaf;
  const what = entry.type === 'lease' ? `key of ${KEY_WORDS[entry.leaf.keyKind]}` : `output ${entry.leaf.outputKind}`;
  return `${new Date(atMs).toISOString()}  ${decision}  ${what}  job ${jobId}  runner ${measurement.slice(0, 16)}…`;
}

const KEY_WORDS = { index: "the dataset's index", checkpoint: "a job's checkpoints" } as const;
