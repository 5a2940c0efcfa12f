/** Finds a Chromium for the portal's test, and fetches one where that can be done without asking anybody. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const MAC = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const FETCH_LIMIT_MS = 240_000;
const HELP = 'npx playwright-core install chromium   (or set CHROMIUM_PATH)';

/** An executable's path, or `undefined` with the command that helps. Fetching is tried only if `mayFetch`. */
export async function findChromium({ mayFetch, log }) {
  const named = process.env.CHROMIUM_PATH;
  if (named !== undefined && named !== '') {
    return existsSync(named) ? { path: named } : { reason: 'CHROMIUM_PATH names no file', help: HELP };
  }
  const installed = inPath() ?? MAC.find((path) => existsSync(path)) ?? (await fromPlaywright());
  if (installed !== undefined) return { path: installed };
  const isDebianRoot = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (mayFetch && isDebianRoot) {
    log('no Chromium found: installing the distribution package');
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-qq'], environment);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], environment);
    const path = inPath();
    if (path !== undefined) return { path };
  }
  if (mayFetch) {
    log('no Chromium found: trying the download of playwright-core');
    run(process.execPath, [join(ROOT, 'node_modules/playwright-core/cli.js'), 'install', 'chromium'], process.env);
    const path = await fromPlaywright();
    if (path !== undefined) return { path };
  }
  return {
    reason: 'no Chromium is installed and none could be fetched',
    help: isDebianRoot ? 'apt-get install chromium' : HELP,
  };
}

const run = (command, args, env) => spawnSync(command, args, { env, stdio: 'ignore', timeout: FETCH_LIMIT_MS });

const inPath = () =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));

async function fromPlaywright() {
  const { chromium } = await import('playwright-core');
  const path = chromium.executablePath();
  return path !== '' && existsSync(path) ? path : undefined;
}
