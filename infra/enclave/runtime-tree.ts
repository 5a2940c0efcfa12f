import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, utimes } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

/** What runs in the guest starts from here. */
const APP = 'apps/enclave-runner';
/** The software TEE has no place in an image for hardware; without it `TEE_DEVICE=software` cannot even start. */
const LEFT_OUT = '@usufruct/attestation-dev';
const OURS = '@usufruct/';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface RuntimeTree {
  /** SHA-256 over every path and content, in order of the paths: the same on every machine. */
  readonly digest: string;
  readonly packages: readonly string[];
  readonly files: number;
}

/**
 * Write what the runner needs at run time, and nothing else: its own compiled files, our libraries that it reaches, and
 * the packages of others that those reach, as they lie in node_modules. Every time stamp becomes `epochSeconds`.
 */
export async function writeRuntimeTree(root: string, output: string, epochSeconds: number): Promise<RuntimeTree> {
  const found = new Map<string, string>();
  await reach(root, join(root, APP), found);
  await copyOwn(join(root, APP), join(output, APP));
  for (const [folder, name] of found) {
    // The workspace's links become folders: a package is found by its name.
    if (name.startsWith(OURS)) await copyOwn(folder, join(output, 'node_modules', name));
    else {
      const target = join(output, relative(root, folder));
      await cp(folder, target, { recursive: true, dereference: true, filter: (path) => !isNested(folder, path) });
    }
  }
  const files = await filesUnder(output);
  const digest = createHash('sha256');
  for (const path of files) {
    const content = await readFile(join(output, path));
    digest.update(`${path}\0${content.length}\0`).update(content);
    await utimes(join(output, path), epochSeconds, epochSeconds);
  }
  return { digest: digest.digest('hex'), packages: [...new Set(found.values())].toSorted(), files: files.length };
}

/** A package's own dependencies by their folders, found as Node finds them: beside it, then further up. */
async function reach(root: string, folder: string, found: Map<string, string>): Promise<void> {
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  ) as Manifest;
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    if (name === LEFT_OUT) continue;
    const at = name.startsWith(OURS) ? join(root, 'libs', name.slice(OURS.length)) : locate(root, folder, name);
    if (at === null) {
      if (name in optionalDependencies) continue;
      throw new Error(`${name} is not installed`);
    }
    if (found.has(at)) continue;
    found.set(at, name);
    await reach(root, at, found);
  }
}

function locate(root: string, folder: string, name: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (at === root || at === dirname(at)) return null;
  }
}

/** package.json and dist, without maps and the build's stamp. */
async function copyOwn(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await cp(join(from, 'package.json'), join(to, 'package.json'));
  const isWanted = (path: string): boolean => !path.endsWith('.map') && !path.endsWith(`${sep}.build.json`);
  await cp(join(from, 'dist'), join(to, 'dist'), { recursive: true, filter: isWanted });
}

/** What lies in a package's own node_modules is reached by itself where it is needed. */
const isNested = (folder: string, path: string): boolean => relative(folder, path).split(sep)[0] === 'node_modules';

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  return paths.toSorted();
}
