/**
 * `npm run move:gas`: computation units of the contracts' pure functions, judged by another build of the Sui VM than the
 * one that runs the tests (`sui-sandbox` from PyPI, Apache-2.0, 9 MB, a wheel: nothing is built). It is optional: where
 * Python or the package index is missing it says so and ends with code 3. Prints one JSON object.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCompiler } from './run.mjs';

const HOME = resolve(import.meta.dirname, '../../node_modules/.cache/usufruct-sui-sandbox');
const PYTHON = join(HOME, 'bin', 'python');
const PACKAGE = 'sui-sandbox==0.22.0';
const NOT_HERE = 3;

const run = (command, args, input) =>
  spawnSync(command, args, { encoding: 'utf8', input, timeout: 120_000, maxBuffer: 8 * 1024 ** 2 });

function judge() {
  const imports = () => existsSync(PYTHON) && run(PYTHON, ['-c', 'import sui_sandbox']).status === 0;
  if (imports()) return undefined;
  if (run('python3', ['-m', 'venv', HOME]).status !== 0) return 'python3 with venv is not installed';
  run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', PACKAGE]);
  return imports() ? undefined : `${PACKAGE} cannot be installed: no package index, or no wheel for this Python`;
}

function end(code, text) {
  process.stdout.write(`${text}\n`);
  process.exitCode = code;
}

const reason = judge();
if (reason !== undefined) end(NOT_HERE, reason);
else {
  const built = await runCompiler(['package']);
  const judged = built.error === undefined && run(PYTHON, [join(import.meta.dirname, 'gas.py')], JSON.stringify(built));
  if (judged === false) end(1, built.error);
  else end(judged.status ?? 1, judged.status === 0 ? judged.stdout : judged.stderr);
}
