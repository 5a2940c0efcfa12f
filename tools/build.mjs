/**
 * `npm run build`: what the running system needs, and nothing that did not change.
 *
 *   prisma/schema.prisma  → the generated client in the API
 *   libs/*, apps/*        → dist, file by file, by swc (types are checked by `npm run typecheck`)
 *   infra/{local,demo,enclave,acceptance}/*.ts → dist beside them
 *   apps/portal           → static files, by Vite
 *
 * A target is rebuilt when the content hash of its sources differs from the stamp that lies beside its output.
 * Outputs are written beside and renamed, so that two builds at once cannot leave half a file.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const STAMP = '.build.json';
const PORTAL = 'apps/portal';
const TEST_FILE = /\.(spec|e2e)\.ts$/;
/** `testing` below an app's sources is for its tests only: never in a dist, nor in the image that is measured. */
const NOT_BUILT = ['dist', 'node_modules', 'testing'];

/**
 * Builds everything under `root`, or `only` the one package; `log` gets one line per target that changed. Rejects on the
 * first broken source.
 */
export async function build({ root = ROOT, only = undefined, log = () => {} } = {}) {
  if (only === undefined) await generatePrismaClient(root, log);
  for (const target of await compileTargets(root)) {
    if (only === undefined || only === target.name) await compile(root, target, log);
  }
  if (only === undefined) await buildPortal(root, log);
}

async function compileTargets(root) {
  const targets = [];
  for (const group of ['libs', 'apps']) {
    for (const name of await namesIn(join(root, group))) {
      const folder = `${group}/${name}`;
      if (folder !== PORTAL && existsSync(join(root, folder, 'src'))) {
        targets.push({ name: folder, source: `${folder}/src`, output: `${folder}/dist`, deep: true });
      }
    }
  }
  for (const folder of ['infra/local', 'infra/demo', 'infra/enclave', 'infra/acceptance']) {
    if (existsSync(join(root, folder))) {
      targets.push({ name: folder, source: folder, output: `${folder}/dist`, deep: false });
    }
  }
  return targets;
}

async function compile(root, target, log) {
  const source = join(root, target.source);
  const output = join(root, target.output);
  const swcrc = await readFile(join(root, '.swcrc'), 'utf8');
  // This file too: the runner's measurement must not depend on which version of the build wrote its files.
  const recipe = hash(swcrc, await versionOf(root, '@swc/core'), await readFile(fileURLToPath(import.meta.url)));
  const before = await readStamp(output);
  const known = before.recipe === recipe ? before.files : {};
  const files = {};
  let changed = 0;
  for (const path of await sourceFiles(source, target.deep)) {
    const text = await readFile(join(source, path));
    files[path] = hash(text);
    const emitted = join(output, outputName(path));
    if (known[path] === files[path] && existsSync(emitted)) continue;
    changed += 1;
    await (path.endsWith('.ts')
      ? compileFile(root, join(source, path), text.toString('utf8'), emitted)
      : replaceFile(emitted, text));
  }
  const gone = Object.keys(before.files).filter((path) => !(path in files));
  for (const path of gone) {
    for (const ending of ['', '.map']) await rm(join(output, outputName(path)) + ending, { force: true });
  }
  if (changed + gone.length === 0 && before.recipe === recipe) return;
  await writeStamp(output, { recipe, files });
  log(`${target.name}: ${changed} compiled, ${gone.length} removed`);
}

async function compileFile(root, file, text, emitted) {
  const { transform } = await import('@swc/core');
  const sourceFileName = relative(dirname(emitted), file).split(sep).join('/');
  const { code, map } = await transform(text, {
    cwd: root,
    filename: file,
    sourceFileName,
    configFile: join(root, '.swcrc'),
    swcrc: true,
  });
  await replaceFile(`${emitted}.map`, map ?? '');
  await replaceFile(emitted, `${code}//# sourceMappingURL=${emitted.split(sep).at(-1)}.map\n`);
}

/** The schema engine is a download that `generate` never uses; naming a binary that always fails keeps it offline. */
async function generatePrismaClient(root, log) {
  const schema = join(root, 'prisma/schema.prisma');
  if (!existsSync(schema)) return;
  const text = await readFile(schema, 'utf8');
  const generator = /generator\s+\w+\s*\{[^}]*?\boutput\s*=\s*"([^"]+)"/.exec(text);
  if (generator === null) throw new Error('prisma/schema.prisma: the generator names no output folder');
  const output = resolve(join(root, 'prisma'), generator[1]);
  const recipe = hash(text, await versionOf(root, 'prisma'));
  if ((await readStamp(output)).recipe === recipe) return;
  const failing = ['/bin/false', '/usr/bin/false'].find((path) => existsSync(path)) ?? process.execPath;
  await execute(
    root,
    'prisma generate',
    [bin(root, 'prisma/build/index.js'), 'generate', '--schema', schema, '--no-hints'],
    {
      PRISMA_SCHEMA_ENGINE_BINARY: failing,
      CHECKPOINT_DISABLE: '1',
    },
  );
  await writeStamp(output, { recipe, files: {} });
  log('prisma: client generated');
}

/** The portal bundles the libs' sources, so it depends on all of them. */
async function buildPortal(root, log) {
  const portal = join(root, PORTAL);
  if (!existsSync(join(portal, 'index.html'))) return;
  const parts = [await versionOf(root, 'vite'), await readFile(join(root, 'package-lock.json'))];
  const watched = (await namesIn(join(root, 'libs'))).map((name) => join(root, 'libs', name, 'src'));
  for (const folder of [portal, ...watched]) {
    for (const path of await sourceFiles(folder, true)) parts.push(path, await readFile(join(folder, path)));
  }
  const recipe = hash(...parts);
  const output = join(portal, 'dist');
  if ((await readStamp(output)).recipe === recipe) return;
  await execute(portal, 'vite build', [bin(root, 'vite/bin/vite.js'), 'build', '--logLevel', 'warn'], {});
  await writeStamp(output, { recipe, files: {} });
  log(`${PORTAL}: bundled`);
}

/** Paths below `folder`, sorted, without tests, outputs and dependencies. */
async function sourceFiles(folder, deep, prefix = '') {
  const found = [];
  const entries = existsSync(join(folder, prefix)) ? await readdir(join(folder, prefix), { withFileTypes: true }) : [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) {
      if (deep && !NOT_BUILT.includes(entry.name)) found.push(...(await sourceFiles(folder, deep, path)));
    } else if (!TEST_FILE.test(entry.name) && !entry.name.startsWith('.') && (deep || entry.name.endsWith('.ts'))) {
      found.push(path);
    }
  }
  return found;
}

const outputName = (path) => (path.endsWith('.ts') ? path.replace(/\.ts$/, '.js') : path);
const bin = (root, path) => join(root, 'node_modules', path);
const versionOf = async (root, name) =>
  JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;

async function namesIn(folder) {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}

async function readStamp(output) {
  const empty = { recipe: '', files: {} };
  if (!existsSync(join(output, STAMP))) return empty;
  try {
    return { ...empty, ...JSON.parse(await readFile(join(output, STAMP), 'utf8')) };
  } catch {
    return empty;
  }
}

const writeStamp = (output, stamp) => replaceFile(join(output, STAMP), JSON.stringify(stamp));

async function replaceFile(path, content) {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(beside, content);
  await rename(beside, path);
}

function hash(...parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(String(part.length)).update(':').update(part);
  return sum.digest('hex');
}

/** Runs a Node program quietly; what it printed is shown only if it fails. */
function execute(cwd, name, args, environment) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    child.stdout.on('data', (chunk) => (printed += chunk));
    child.stderr.on('data', (chunk) => (printed += chunk));
    child.on('error', fail);
    child.on('close', (code) =>
      code === 0 ? done() : fail(new Error(`${name} failed (exit code ${code})\n${printed}`)),
    );
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const started = performance.now();
  try {
    await build({ log: (line) => process.stdout.write(`${line}\n`) });
    process.stdout.write(`built in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
