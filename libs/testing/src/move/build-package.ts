import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const PROJECT = resolve(import.meta.dirname, '../../../..');
/** All that a compilation depends on. */
const INPUTS = ['move/usufruct/sources', 'move/usufruct/Move.toml', 'move/framework', 'tools/move/compiler.mjs'];

export interface BuiltPackage {
  /** Base64 each. */
  readonly modules: readonly string[];
  readonly dependencies: readonly string[];
  readonly digest: string;
}

let built: Promise<BuiltPackage> | undefined;

/** The contracts of this repository as they are now; compiled once for all tests until a source changes. */
export const buildPackage = (): Promise<BuiltPackage> => (built ??= compile());

async function compile(): Promise<BuiltPackage> {
  const kept = join(tmpdir(), `usufruct-move-${inputsDigest()}.json`);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as BuiltPackage;
  const { runCompiler } = (await import(pathToFileURL(join(PROJECT, 'tools/move/run.mjs')).href)) as {
    runCompiler: (args: string[]) => Promise<BuiltPackage | { error: string }>;
  };
  const answer = await runCompiler(['package']);
  if ('error' in answer) throw new Error(answer.error);
  const half = `${kept}.${randomUUID()}`;
  writeFileSync(half, JSON.stringify(answer));
  renameSync(half, kept);
  return answer;
}

function inputsDigest(): string {
  const hash = createHash('sha256');
  for (const input of INPUTS) {
    const path = join(PROJECT, input);
    const names = /\.\w+$/.test(input) ? [''] : (readdirSync(path, { recursive: true }) as string[]).sort();
    for (const name of names.filter((name) => name === '' || /\.(move|toml)$/.test(name))) {
      hash
        .update(`${input}/${name}\0`)
        .update(readFileSync(join(path, name)))
        .update('\0');
    }
  }
  return hash.digest('hex').slice(0, 32);
}
