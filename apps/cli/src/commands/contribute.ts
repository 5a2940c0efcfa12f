import { refuse, type DatasetId } from '@usufruct/kernel';
import { KEY_MODE_WORDS, KEY_MODES, LIMITS, type KeyMode } from '@usufruct/protocol';
import { checkFile, type Contributed, type ContributeParams, type ContributeProgress } from '@usufruct/sdk';
import { contentDigest, localFiles, type LocalFile } from '../files.js';
import type { AddCommand } from '../program.js';
import { idArgument, type Runtime } from '../runtime.js';

export const addContribute: AddCommand = (program, open) => {
  program
    .command('contribute')
    .description(
      'encrypt files here, store the ciphertext (many small files together, in quilts), give each key holder its share, register them. After an interruption the same command goes on',
    )
    .argument('<file...>', 'files or folders: txt, md, html, pdf, docx, pptx, xlsx, csv, json, jsonl or eml')
    .requiredOption('--dataset <id>')
    .option('--keys <mode>', 'who gives out the key: holders, or seal, which is weaker', 'holders')
    .option('--custody', 'give their Blob objects, your own, to the dataset to keep: never in quilts then')
    .action(async (paths: string[], { dataset, keys, custody: asked = false }: ContributeOptions, command) => {
      const runtime = open(command);
      const keyMode = keyModeOf(keys);
      const datasetId = idArgument<DatasetId>(dataset, 'dataset');
      const files = (await Promise.all(paths.map((path) => localFiles(path)))).flat();
      if (files.length === 0) throw refuse('NOT_FOUND', { object: 'file', path: paths.join(', ') });
      // All of them before the first is sent: a wrong name in a list should not leave half of it contributed.
      for (const { name, sizeBytes } of files) checkFile(name, sizeBytes);
      for (const { name, sizeBytes } of files)
        if (sizeBytes > LIMITS.documentBytes) runtime.terminal.remark(`${name}: stored, but larger than runners read`);
      if (keyMode !== 'holders') runtime.terminal.remark(`the keys go to ${KEY_MODE_WORDS[keyMode]}`);
      const custody = asked || runtime.custodyWanted;
      const contributions = await contributeFiles(runtime, { datasetId, keyMode, custody }, files);
      const lines = contributions.map(({ fileName, contributionId }) => `${fileName}  ${contributionId}`);
      runtime.terminal.result({ contributions }, lines);
    });
};

function keyModeOf(text: string): KeyMode {
  const mode = KEY_MODES.find((known) => known === text);
  if (mode === undefined) throw refuse('INVALID_ARGUMENT', { field: 'keys', expected: KEY_MODES.join(' or ') });
  return mode;
}

interface ContributeOptions {
  readonly dataset: string;
  readonly keys: string;
  readonly custody?: boolean;
}

interface Into {
  readonly datasetId: DatasetId;
  readonly keyMode: KeyMode;
  readonly custody: boolean;
}

/** The small ones first and together, in quilts; then each to its end, in the order given. */
async function contributeFiles(runtime: Runtime, into: Into, files: readonly LocalFile[]): Promise<Contributed[]> {
  const client = runtime.client();
  const prepared: ContributeParams[] = [];
  for (const file of files) {
    const { name: fileName, sizeBytes, open: source } = file;
    const key = [into.datasetId, client.address, await contentDigest(file), encodeURIComponent(fileName)].join('~');
    prepared.push({ key, fileName, sizeBytes, source, ...into });
  }
  if (prepared.length > 1) await client.contributions.storeTogether(prepared);
  const contributions: Contributed[] = [];
  for (const one of prepared) {
    const bar = runtime.terminal.uploadBar(one.fileName, one.sizeBytes);
    try {
      const onProgress = ({ uploadedBytes, step }: ContributeProgress): void =>
        bar.update(step === 'done' ? one.sizeBytes : uploadedBytes, step);
      contributions.push(await client.contributions.contribute({ ...one, onProgress }));
    } finally {
      bar.end();
    }
  }
  return contributions;
}
