import { realpathSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the code lies: this folder, those of packages, and what says of which kind a file is. */
function codeFolders(packages: readonly string[]): string[] {
  const own = fileURLToPath(new URL('..', import.meta.url));
  const folders = [own];
  for (let folder = dirname(own); ; folder = dirname(folder)) {
    folders.push(join(folder, 'package.json'), join(folder, 'node_modules', '*'));
    if (folder === dirname(folder)) break;
  }
  // Packages may be links to where they are.
  const linked = packages.flatMap((name) => findPackageJSON(name, import.meta.url) ?? []);
  return [...folders, ...linked.map((path) => join(dirname(dirname(realpathSync(path))), '*'))];
}

/**
 * What a process may do that works on documents: read the code that it runs, with these packages, and start its thread. No
 * other file is read: not the runner's, nor what `/proc` shows of its memory and environment. No file is written, no
 * program started, nothing native loaded, and no string becomes code, which is how documents have taken parsers over.
 * Node has no limit for sockets and signals.
 */
export const permissionsFor = (packages: readonly string[]): string[] => [
  '--permission',
  '--allow-worker',
  ...codeFolders(packages).map((folder) => `--allow-fs-read=${folder}`),
  '--disallow-code-generation-from-strings',
  '--no-warnings',
];
