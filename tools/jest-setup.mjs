/**
 * Gives each Jest run a folder of its own for what its tests start; nothing is started here. Folders of runs that were
 * killed are cleared, with the database server that they left running.
 */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PREFIX = 'usufruct-jest-';
const STOP_LIMIT_MS = 10_000;

export default async function setUp() {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const owner = Number(name.slice(PREFIX.length).split('-')[0]);
    if (!isAlive(owner)) await clear(join(tmpdir(), name));
  }
  const home = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // The embedded database runs as another user under root and must be able to reach its data.
  chmodSync(home, 0o755);
  process.env.USUFRUCT_TEST_HOME = home;
}

export async function clear(home) {
  const file = join(home, 'postgres/data/postmaster.pid');
  if (existsSync(file)) {
    const server = Number(readFileSync(file, 'utf8').split('\n')[0]);
    // Immediate shutdown: the data goes away with the folder.
    if (server > 0 && isAlive(server) && isServerOf(server, home)) process.kill(server, 'SIGQUIT');
    const deadline = Date.now() + STOP_LIMIT_MS;
    while (isAlive(server) && Date.now() < deadline) await sleep(20);
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** The process id may belong to another program by now. */
function isServerOf(pid, home) {
  const file = `/proc/${pid}/cmdline`;
  return !existsSync(file) || readFileSync(file, 'utf8').includes(home);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    const file = `/proc/${pid}/stat`;
    return !existsSync(file) || !/\) Z /.test(readFileSync(file, 'utf8'));
  } catch (error) {
    return error.code === 'EPERM';
  }
}
