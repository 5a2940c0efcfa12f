/**
 * Gives each Jest run a folder of its own for what its tests start and for their temporary files; nothing is started
 * here. Folders of runs that were killed are cleared, with the database server that they left running.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PREFIX = 'usufruct-jest-';
const STOP_LIMIT_MS = 10_000;
const MEMORY_FOLDER = '/dev/shm';
/** Several times what the files of a whole run have taken at once. */
const MEMORY_BYTES_AT_LEAST = 6 * 1024 ** 3;

export default async function setUp() {
  const folders = new Set([tmpdir(), ...(isRoomInMemory() ? [MEMORY_FOLDER] : [])]);
  for (const folder of folders) {
    for (const name of readdirSync(folder).filter((entry) => entry.startsWith(PREFIX))) {
      const owner = Number(name.slice(PREFIX.length).split('-')[0]);
      if (!isAlive(owner)) await clear(join(folder, name));
    }
  }
  const home = mkdtempSync(join([...folders].at(-1), `${PREFIX}${process.pid}-`));
  // The embedded database runs as another user under root and must be able to reach its data.
  chmodSync(home, 0o755);
  process.env.USUFRUCT_TEST_HOME = home;
  process.env.TMPDIR = join(home, 'tmp');
  mkdirSync(process.env.TMPDIR);
}

/**
 * Hundreds of small databases, each of which waits for a disk at every commit, are what most tests would wait for. What
 * they prove about killed processes is the same in memory; no test cuts the power.
 */
function isRoomInMemory() {
  if (process.env.TMPDIR !== undefined || !existsSync(MEMORY_FOLDER)) return false;
  const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
  return Math.min(bavail * bsize, freemem()) > MEMORY_BYTES_AT_LEAST && runsPrograms(MEMORY_FOLDER);
}

/** Tests run programs that they write, which some containers forbid in memory. */
function runsPrograms(folder) {
  let probe;
  try {
    probe = mkdtempSync(join(folder, 'usufruct-probe-'));
    writeFileSync(join(probe, 'program'), '#!/bin/sh\n', { mode: 0o755 });
    execFileSync(join(probe, 'program'));
    return true;
  } catch {
    return false;
  } finally {
    if (probe !== undefined) rmSync(probe, { recursive: true, force: true });
  }
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
