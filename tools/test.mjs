/**
 * `npm test`: build, type check, lint, format, then every test. Each skip is printed with its reason, and the last line
 * is `N passed, N failed, N skipped`; the build and the three checks count as one each. Arguments go to Jest.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findChromium } from './chromium.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const modules = (path) => join(ROOT, 'node_modules', path);
const JEST = ['--experimental-vm-modules', '--no-warnings', modules('jest/bin/jest.js')];
/** A skipped test says why in its title: `it.skip('… (skipped: no Chromium)')`. */
const REASON = /\(skipped: (.+)\)/;

const totals = { passed: 0, failed: 0, skipped: 0 };
const skips = [];
const log = (line) => process.stdout.write(`${line}\n`);

const scratch = await mkdtemp(join(tmpdir(), 'usufruct-test-'));
try {
  await main(process.argv.slice(2));
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function main(jestArguments) {
  if (jestArguments.length === 0) {
    const built = await check('build', [[join(ROOT, 'tools/build.mjs')]]);
    const rules = [modules('.bin/depcruise'), '--config', 'dependency-rules.cjs', 'apps', 'libs', 'infra', 'test'];
    // Half of the work each.
    await Promise.all([
      check('types', [[modules('typescript-7/bin/tsc'), '-p', 'tsconfig.json']]).then(() =>
        check('lint and import rules', [[modules('oxlint/bin/oxlint')], rules]),
      ),
      check('format', [[modules('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']]),
    ]);
    if (!built) log('the tests run all the same; those that start the system need the build');
  }
  const environment = await browserEnvironment();
  await test('spec', String(Math.max(2, availableParallelism())), jestArguments, environment);
  // Each end-to-end test starts the whole system, which waits half of its time: two of them fill two processors.
  await test('e2e', '2', jestArguments, environment);
  for (const line of skips) log(`skipped: ${line}`);
  log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  process.exitCode = totals.failed === 0 ? 0 : 1;
}

async function check(name, commands) {
  const started = performance.now();
  for (const command of commands) {
    const { code, printed } = await node(command, process.env, 'kept');
    if (code === 0) continue;
    totals.failed += 1;
    log(`FAILED ${name}\n${printed.trimEnd()}`);
    return false;
  }
  totals.passed += 1;
  log(`passed ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return true;
}

async function test(kind, workers, jestArguments, environment) {
  const report = join(scratch, `${kind}.json`);
  const files = `--testMatch=<rootDir>/{apps,libs,infra,tools,test}/**/*.${kind}.ts`;
  const options = [files, `--maxWorkers=${workers}`, '--passWithNoTests', '--json', `--outputFile=${report}`];
  const { code } = await node([...JEST, ...options, ...jestArguments], environment, 'shown');
  if (!existsSync(report)) {
    totals.failed += 1;
    log(`FAILED ${kind}: Jest gave no report (exit code ${code})`);
    return;
  }
  const results = JSON.parse(await readFile(report, 'utf8'));
  totals.passed += results.numPassedTests;
  totals.failed += results.numFailedTests + results.numRuntimeErrorTestSuites;
  const skipped = results.testResults.flatMap((file) =>
    file.assertionResults.filter((one) => one.status === 'pending' || one.status === 'todo'),
  );
  for (const one of skipped) {
    totals.skipped += 1;
    const reason = REASON.exec(one.fullName)?.[1];
    if (reason === undefined) totals.failed += 1;
    skips.push(reason === undefined ? `${one.fullName}: FAILED, a skip must give its reason` : one.fullName);
  }
  // Jest can also fail as a whole (a broken set-up, an open database): never let that pass unseen.
  if (code !== 0 && results.numFailedTests + results.numRuntimeErrorTestSuites === 0) {
    totals.failed += 1;
    log(`FAILED ${kind}: Jest ended with exit code ${code}`);
  }
}

/** Looks for a browser only if some test asks for one. */
async function browserEnvironment() {
  const folder = join(ROOT, 'test');
  const names = existsSync(folder) ? await readdir(folder, { recursive: true }) : [];
  const texts = await Promise.all(
    names.filter((name) => name.endsWith('.ts')).map((name) => readFile(join(folder, name), 'utf8')),
  );
  if (!texts.some((text) => text.includes('CHROMIUM_PATH'))) return process.env;
  const found = await findChromium({ mayFetch: true, log });
  if (found.path !== undefined) return { ...process.env, CHROMIUM_PATH: found.path };
  return { ...process.env, CHROMIUM_PATH: '', CHROMIUM_MISSING: `${found.reason}; this helps: ${found.help}` };
}

function node(args, env, output) {
  return new Promise((done, fail) => {
    const stdio = output === 'shown' ? ['ignore', 'ignore', 'inherit'] : ['ignore', 'pipe', 'pipe'];
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio });
    let printed = '';
    child.stdout?.on('data', (chunk) => (printed += chunk));
    child.stderr?.on('data', (chunk) => (printed += chunk));
    child.on('error', fail);
    child.on('close', (code) => done({ code, printed }));
  });
}
