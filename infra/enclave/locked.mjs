/**
 * `node infra/enclave/locked.mjs [FOLDER]`: what npm has installed is what package-lock.json pins, and nothing else.
 *
 * In place of `npm ci`, which refuses this lock: build tools have packages for other platforms that the lock does not
 * name, and npm wants all of them named although it installs none. What `npm ci` is for is checked here instead, of
 * npm's own record of what it installed (node_modules/.package-lock.json): each package is in the lock, by its place,
 * version and integrity. npm has compared the integrity with the bytes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2] ?? '.';
const packagesIn = (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')).packages;

const locked = packagesIn('package-lock.json');
const installed = Object.entries(packagesIn('node_modules/.package-lock.json'));
const others = installed.filter(([place, { link }]) => place.includes('node_modules/') && link !== true);
const flaws = others.flatMap(([place, { version, integrity }]) => {
  const pinned = locked[place];
  if (pinned === undefined) return [`${place}: not in the lock`];
  if (!integrity?.startsWith('sha512-') || pinned.integrity !== integrity) return [`${place}: another integrity`];
  return pinned.version === version ? [] : [`${place}: another version`];
});
if (others.length === 0) flaws.push('nothing is installed');
for (const flaw of flaws) process.stderr.write(`${flaw}\n`);
if (flaws.length === 0) process.stdout.write(`${others.length} packages as the lock pins them\n`);
process.exitCode = flaws.length === 0 ? 0 : 1;
