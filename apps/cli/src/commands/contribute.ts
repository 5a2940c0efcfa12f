import { refuse, type DatasetId } from '@usufruct/kernel';
import { KEY_MODE_WORDS, KEY_MODES, type KeyMode } from '@usufruct/protocol';
import { checkFile, type Contributed } from '@usufruct/sdk';
import { contentDigest, localFile, type LocalFile } from '../files.js';
import type { AddCommand } from '../program.js';
import { idArgument, type Runtime } from '../runtime.js';

export const addContribute: AddCommand = (program, open) => {
  program
    .command('contribute')
    .description(
      'encrypt files here, store the ciphertext, give each key holder its share, register them. After an interruption the same command goes on',
    )
    .argument('<file...>', 'txt, md, html, pdf, docx, pptx, xlsx, csv, json, jsonl or eml')
    .requiredOption('--dataset <id>')
    .option('--keys <mode>', 'who gives out the key: holders, or seal, which is weaker', 'holders')
    .action(async (paths: string[], { dataset, keys }: { dataset: string; keys: string }, command) => {
      const runtime = open(command);
      const keyMode = keyModeOf(keys);
      const datasetId = idArgument<DatasetId>(dataset, 'dataset');
      const files = await Promise.all(paths.map((path) => localFile(path)));
      // All of them before the first is sent: a wrong name in a list should not leave half of it contributed.
      for (const { name, sizeBytes } of files) checkFile(name, sizeBytes);
      if (keyMode !== 'holders') runtime.terminal.remark(`the keys go to ${KEY_MODE_WORDS[keyMode]}`);
      const contributions: Contributed[] = [];
      for (const file of files) contributions.push(await contributeFile(runtime, { datasetId, keyMode }, file));
      const lines = contributions.map(({ fileName, contributionId }) => `${fileName}  ${contributionId}`);
      runtime.terminal.result({ contributions }, lines);
    });
};

function keyModeOf(text: string): KeyMode {
  const mode = KEY_MODES.find((known) => known === text);
  if (mode === undefined) throw refuse('INVALID_ARGUMENT', { field: 'keys', expected: KEY_MODES.join(' or ') });
  return mode;
}

interface Into {
  readonly datasetId: DatasetId;
  readonly keyMode: KeyMode;
}

async function contributeFile(runtime: Runtime, { datasetId, keyMode }: Into, file: LocalFile): Promise<Contributed> {
  const client = runtime.client();
  const { name: fileName, sizeBytes, open: source } = file;
  const key = [datasetId, client.address, await contentDigest(file), encodeURIComponent(fileName)].join('~');
  const bar = runtime.terminal.uploadBar(fileName, sizeBytes);
  try {
    return await client.contributions.contribute({
      key,
      datasetId,
      fileName,
      sizeBytes,
      source,
      keyMode,
      onProgress: ({ uploadedBytes, step }) => bar.update(step === 'done' ? sizeBytes : uploadedBytes, step),
    });
  } finally {
    bar.end();
  }
}
