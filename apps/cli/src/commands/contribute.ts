import type { DatasetId } from '@usufruct/kernel';
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
    .argument('<file...>', 'txt, md, html, pdf or csv')
    .requiredOption('--dataset <id>')
    .action(async (paths: string[], { dataset }: { dataset: string }, command) => {
      const runtime = open(command);
      const datasetId = idArgument<DatasetId>(dataset, 'dataset');
      const files = await Promise.all(paths.map((path) => localFile(path)));
      // All of them before the first is sent: a wrong name in a list should not leave half of it contributed.
      for (const { name, sizeBytes } of files) checkFile(name, sizeBytes);
      const contributions: Contributed[] = [];
      for (const file of files) contributions.push(await contributeFile(runtime, datasetId, file));
      const lines = contributions.map(({ fileName, contributionId }) => `${fileName}  ${contributionId}`);
      runtime.terminal.result({ contributions }, lines);
    });
};

async function contributeFile(runtime: Runtime, datasetId: DatasetId, file: LocalFile): Promise<Contributed> {
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
      onProgress: ({ uploadedBytes, step }) => bar.update(step === 'done' ? sizeBytes : uploadedBytes, step),
    });
  } finally {
    bar.end();
  }
}
