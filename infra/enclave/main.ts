import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { zTeePolicy } from '@usufruct/attestation';
import { toUsufructError } from '@usufruct/kernel';
import { makeAppCompose } from './app-compose.js';
import { writeRuntimeTree } from './runtime-tree.js';

const USAGE = `usage:
  node infra/enclave/run.mjs tree OUTPUT
      what the runner's image holds (SOURCE_DATE_EPOCH: the time stamp of every file, in seconds)
  node infra/enclave/run.mjs app-compose --image REPOSITORY@sha256:… --policy FILE --out FILE
      [--name NAME] [--setting NAME=VALUE]… [--secret NAME]…
      what a dstack guest measures; prints its hash
`;
const ROOT = join(import.meta.dirname, '../../..');

/** The exit code. */
export async function run(args: string[], environment: Readonly<Record<string, string | undefined>>): Promise<number> {
  const [command, ...rest] = args;
  try {
    if (command === 'tree' && rest[0] !== undefined) return await tree(rest[0], environment);
    if (command === 'app-compose') return await appCompose(rest);
  } catch (error) {
    const { code, message, details } = toUsufructError(error);
    const reason = code === 'INTERNAL' && error instanceof Error ? error.message : JSON.stringify(details);
    process.stderr.write(`${code}: ${message} ${reason}\n`);
    return 3;
  }
  process.stderr.write(USAGE);
  return 2;
}

async function tree(output: string, { SOURCE_DATE_EPOCH = '' }: Readonly<Record<string, string | undefined>>) {
  if (!/^\d{1,10}$/.test(SOURCE_DATE_EPOCH)) {
    process.stderr.write('SOURCE_DATE_EPOCH is not set: git log -1 --format=%ct\n');
    return 2;
  }
  const { digest, packages, files } = await writeRuntimeTree(ROOT, output, Number(SOURCE_DATE_EPOCH));
  process.stdout.write(`${digest}  ${files} files of ${packages.length} packages\n`);
  return 0;
}

async function appCompose(args: string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const list = { type: 'string', multiple: true } as const;
  const { values } = parseArgs({
    args,
    options: { image: text, policy: text, out: text, name: text, setting: list, secret: list },
  });
  const { image, policy, out, name = 'usufruct-runner', setting = [], secret = [] } = values;
  if (image === undefined || policy === undefined || out === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const settings = Object.fromEntries(
    setting.map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]),
  );
  const { file, hash } = await makeAppCompose({
    name,
    image,
    settings,
    secrets: secret,
    policy: zTeePolicy.parse(JSON.parse(readFileSync(policy, 'utf8'))),
  });
  writeFileSync(out, file);
  process.stdout.write(`${hash}\n`);
  return 0;
}
