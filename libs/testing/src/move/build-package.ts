import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const TOOLS = resolve(import.meta.dirname, '../../../../tools/move/run.mjs');

export interface BuiltPackage {
  /** Base64 each. */
  readonly modules: readonly string[];
  readonly dependencies: readonly string[];
  readonly digest: string;
}

let built: Promise<BuiltPackage> | undefined;

/** The contracts of this repository, compiled now; once a process. */
export const buildPackage = (): Promise<BuiltPackage> => (built ??= compile());

async function compile(): Promise<BuiltPackage> {
  const { runCompiler } = (await import(pathToFileURL(TOOLS).href)) as {
    runCompiler: (args: string[]) => Promise<BuiltPackage | { error: string }>;
  };
  const answer = await runCompiler(['package']);
  if ('error' in answer) throw new Error(answer.error);
  return answer;
}
