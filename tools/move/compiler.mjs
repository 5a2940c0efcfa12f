/**
 * Child process: compiles move/usufruct, or runs its tests on the Move VM, and sends one message to its parent. An
 * endless loop in a test never returns, so only ever run it under `run.mjs`, which has a time limit.
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

async function main([command, folder = join(MOVE, 'usufruct')]) {
  const input = { files: readTree(folder, isSource), fetcher, network: 'testnet' };
  await initMovePackageBuilder();
  const resolvedDependencies = await resolveMovePackageDependencies(input);
  if (command === 'test') {
    const tested = await testMovePackage({ ...input, resolvedDependencies });
    return 'error' in tested ? { error: plain(tested.error) } : { passed: tested.passed, output: plain(tested.output) };
  }
  const built = await dumpMovePackage({ ...input, resolvedDependencies, lintFlag: 'all' });
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

process.send(await main(process.argv.slice(2)), () => process.disconnect());
