/**
 * Compiles move/usufruct, or runs its tests on the Move VM. An endless loop in a test never returns, so this only ever
 * runs in a child process with a time limit (`run.mjs`, `mutate.mjs`). As a child it sends its parent one message.
 */
import {
  dumpMovePackage,
  getPinnedSuiVersion,
  initMovePackageBuilder,
  resolveMovePackageDependencies,
  testMovePackage,
} from '@zktx.io/sui-move-builder/full';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const MOVE = resolve(import.meta.dirname, '../../move');
const FRAMEWORK = join(MOVE, 'framework');
const GIT = 'https://github.com/MystenLabs/sui.git';

const readTree = (folder, keep) =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true })
      .filter(keep)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
const isSource = (name) => name === 'Move.toml' || name.endsWith('.move');

/** The compiler asks for the framework of its own Sui revision; it gets ours, and nothing comes from a network. */
const revisions = new Set();
const fetcher = {
  async fetch(git, revision, subdir) {
    if (git !== GIT) throw new Error('only the framework is a dependency');
    revisions.add(revision);
    return readTree(join(FRAMEWORK, basename(subdir)), isSource);
  },
  fetchFile: async () => null,
  getResolvedSha: (_git, revision) => revision,
  fetchLocal: async () => {
    throw new Error('only the framework is a dependency');
  },
};

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
const plain = (text) => text.replaceAll(ESCAPES, '');

export const packageFiles = () => readTree(join(MOVE, 'usufruct'), isSource);

/** The tests of these files on the Move VM: `{ passed, output }`, or `{ error }` where they do not compile. */
export async function compiledTests(files) {
  const input = { files, fetcher, network: 'testnet' };
  await initMovePackageBuilder();
  const tested = await testMovePackage({ ...input, resolvedDependencies: await resolveMovePackageDependencies(input) });
  return 'error' in tested ? { error: plain(tested.error) } : { passed: tested.passed, output: plain(tested.output) };
}

/** The package as it is published: its modules and the ids that it depends on, compiled without the tests. */
export async function compiledPackage(files) {
  const built = await dump(files);
  if ('error' in built) return { error: plain(built.error) };
  const { modules, dependencies, digest } = built;
  return { modules, dependencies, digest: Buffer.from(digest).toString('hex') };
}

async function dump(files) {
  const input = { files, fetcher, network: 'testnet' };
  await initMovePackageBuilder();
  const resolvedDependencies = await resolveMovePackageDependencies(input);
  return dumpMovePackage({ ...input, resolvedDependencies, lintFlag: 'all' });
}

async function build(files) {
  const built = await dump(files);
  if ('error' in built) return { error: plain(built.error) };
  return {
    digest: Buffer.from(built.digest).toString('hex'),
    modules: built.modules.length,
    bytes: built.modules.reduce((sum, module) => sum + Buffer.from(module, 'base64').length, 0),
    warnings: plain(built.warnings ?? ''),
    sui: await getPinnedSuiVersion(),
    frameworkRevision: [...revisions].join(),
  };
}

if (process.argv[1] === import.meta.filename) {
  const command = { test: compiledTests, build, package: compiledPackage }[process.argv[2]];
  process.send(await command(packageFiles()), () => process.disconnect());
}
