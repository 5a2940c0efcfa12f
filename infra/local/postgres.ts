import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, chmod, chown, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { LocalSystemError } from './errors.js';
import { findBinaries, isReachable, mustSwitchUser, NOBODY } from './postgres-binaries.js';

const USER = 'usufruct';
const READY_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 20_000;

export interface PostgresOptions {
  /** Where everything of this server lies: data, password, log. */
  readonly home: string;
  readonly port: number;
  /** `false` only for tests: without it a power cut may lose data. */
  readonly durable?: boolean;
}

export interface Postgres {
  readonly port: number;
  readonly pid: number;
  /** Whether the server was running already: its parent had been killed and it outlived it. */
  readonly reused: boolean;
  readonly dataDir: string;
  url(database: string): string;
  /** Resolves when the server ends, by whatever cause. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the embedded PostgreSQL of `home`, or joins the one that is running there.
 * Errors: `LocalSystemError` with what PostgreSQL last said.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const folder = await dataFolder(options.home);
  const dataDir = join(folder, 'data');
  const password = await readOrMakePassword(options.home);
  const running = await joinRunning(dataDir, password);
  if (running !== undefined) return running;
  const log = join(folder, 'postgres.log');
  if (!existsSync(dataDir)) await initialise(folder, dataDir, password);
  const deadline = Date.now() + READY_LIMIT_MS;
  for (;;) {
    const pid = await launch(options, folder, dataDir, log);
    if (await becomesReady(pid, options.port, password)) return handle(pid, options.port, password, dataDir, false);
    const said = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-6).join('\n');
    // After a SIGKILL the old server's children take a moment to notice; PostgreSQL rightly refuses to start beside them.
    const isTooEarly = /shared memory block|lock file .* already exists/.test(said);
    if (!isTooEarly || Date.now() > deadline)
      throw new LocalSystemError(`the embedded PostgreSQL did not start; it said:\n${said}`);
    await sleep(200);
  }
}

/** The server of `home` if one is running there; starts nothing. */
export async function findPostgres(home: string): Promise<Postgres | undefined> {
  return joinRunning(join(await dataFolder(home), 'data'), await readOrMakePassword(home));
}

/** The data folder must be reachable for `nobody`; a home that is not (under a private folder) gets one in /var/lib. */
async function dataFolder(home: string): Promise<string> {
  await mkdir(home, { recursive: true });
  const own = join(home, 'postgres');
  if (!mustSwitchUser()) {
    await mkdir(own, { recursive: true, mode: 0o700 });
    return own;
  }
  // Only to pass through: what is private inside has its own mode.
  await chmod(home, (await stat(home)).mode | 0o011);
  const folder = (await isReachable(home)) ? own : join('/var/lib', `usufruct-${await instanceOf(home)}`);
  await mkdir(folder, { recursive: true });
  await chown(folder, NOBODY, NOBODY);
  await chmod(folder, 0o700);
  return folder;
}

/** Names this home for as long as it exists, so that a new home never meets the data of an old one at the same path. */
async function instanceOf(home: string): Promise<string> {
  const file = join(home, 'postgres-instance');
  if (!existsSync(file)) await writeFile(file, randomBytes(8).toString('hex'), { flag: 'wx' }).catch(ignoreExisting);
  return (await readFile(file, 'utf8')).trim();
}

async function readOrMakePassword(home: string): Promise<string> {
  const file = join(home, 'postgres-password');
  if (!existsSync(file)) {
    const beside = `${file}.${process.pid}`;
    await writeFile(beside, randomBytes(24).toString('hex'), { mode: 0o600 });
    await rename(beside, file);
  }
  return (await readFile(file, 'utf8')).trim();
}

/** Into a folder beside, renamed when complete: an `initdb` that was killed leaves nothing that looks like data. */
async function initialise(folder: string, dataDir: string, password: string): Promise<void> {
  const beside = join(folder, 'data.new');
  const secret = join(folder, 'initdb-password');
  await rm(beside, { recursive: true, force: true });
  await writeFile(secret, password, { mode: 0o600 });
  if (mustSwitchUser()) await chown(secret, NOBODY, NOBODY);
  const { initdb } = await findBinaries();
  const args = [
    '-D',
    beside,
    `--username=${USER}`,
    `--pwfile=${secret}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
  ];
  try {
    await run(initdb, args, folder);
  } finally {
    await rm(secret, { force: true });
  }
  await rename(beside, dataDir);
}

async function launch(options: PostgresOptions, folder: string, dataDir: string, log: string): Promise<number> {
  const { postgres } = await findBinaries();
  const durability = options.durable === false ? ['-c', 'fsync=off', '-c', 'full_page_writes=off'] : [];
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    // Each test file has a database and an API of its own, and as many files run at once as there are processors.
    `max_connections=${options.durable === false ? 1_000 : 100}`,
    'log_min_messages=warning',
  ];
  const args = [
    '-D',
    dataDir,
    '-p',
    String(options.port),
    ...settings.flatMap((setting) => ['-c', setting]),
    ...durability,
  ];
  await appendFile(log, `--- start ${new Date().toISOString()}\n`);
  const output = await open(log, 'a');
  try {
    // Detached: Ctrl-C in the terminal must not reach it, its clients are to stop first.
    const child = spawn(postgres, args, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
      ...asNobody(),
    });
    const failed = new Promise<never>((_, fail) => child.once('error', fail));
    failed.catch(() => undefined);
    if (child.pid === undefined) return await failed;
    child.unref();
    return child.pid;
  } finally {
    await output.close();
  }
}

async function becomesReady(pid: number, port: number, password: string): Promise<boolean> {
  const deadline = Date.now() + READY_LIMIT_MS;
  while (Date.now() < deadline) {
    if ((await dataDirectoryAt(port, password)) !== undefined) return true;
    if (!isAlive(pid)) return false;
    await sleep(25);
  }
  process.kill(pid, 'SIGQUIT');
  return false;
}

/**
 * `postmaster.pid` survives a SIGKILL of the server and may name a process that has nothing to do with it, so only an
 * answer from the very same data folder counts as running.
 */
async function joinRunning(dataDir: string, password: string): Promise<Postgres | undefined> {
  const file = join(dataDir, 'postmaster.pid');
  const deadline = Date.now() + STOP_LIMIT_MS;
  while (Date.now() < deadline) {
    const lines = existsSync(file) ? (await readFile(file, 'utf8')).split('\n') : [];
    const pid = Number(lines[0]);
    if (lines.length < 4 || !Number.isInteger(pid) || !isAlive(pid)) return undefined;
    if (!(await isServerOf(pid, dataDir))) {
      await rm(file, { force: true });
      return undefined;
    }
    const port = Number(lines[3]);
    if ((await dataDirectoryAt(port, password)) === dataDir) return handle(pid, port, password, dataDir, true);
    // Alive, and ours: it is starting or shutting down.
    await sleep(100);
  }
  throw new LocalSystemError(`a PostgreSQL server is running on ${dataDir} but does not answer; stop it first`);
}

async function isServerOf(pid: number, dataDir: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.split('\0').includes(dataDir);
}

async function dataDirectoryAt(port: number, password: string): Promise<string | undefined> {
  const client = new pg.Client({ ...connection(port, password), database: 'postgres', connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const answer = await client.query<{ data_directory: string }>('show data_directory');
    return answer.rows[0]?.data_directory;
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

const connection = (port: number, password: string) => ({ host: '127.0.0.1', port, user: USER, password });

function handle(pid: number, port: number, password: string, dataDir: string, reused: boolean): Postgres {
  return {
    port,
    pid,
    reused,
    dataDir,
    url: (database) => `postgresql://${USER}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    ended: untilGone(pid),
    stop: () => stopServer(pid),
  };
}

/** SIGINT is PostgreSQL's fast shutdown: open transactions are rolled back and everything is written. */
async function stopServer(pid: number): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + STOP_LIMIT_MS;
  while (isAlive(pid) && Date.now() < deadline) await sleep(20);
  if (isAlive(pid)) process.kill(pid, 'SIGQUIT');
}

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(250, undefined, { ref: false });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM';
  }
}

/** Ended, but not yet collected by its parent: in a container without an init process that lasts for ever. */
const isZombie = (pid: number): boolean => {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && / Z /.test(readFileSync(file, 'utf8').replace(/^.*\)/s, ''));
};

const asNobody = (): { uid?: number; gid?: number } => (mustSwitchUser() ? { uid: NOBODY, gid: NOBODY } : {});

function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], ...asNobody() });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    child.once('error', fail);
    child.once('close', (code) =>
      code === 0 ? done() : fail(new LocalSystemError(`initdb failed:\n${said.trimEnd()}`)),
    );
  });
}

/** Creates the database unless it is there. */
export async function ensureDatabase(server: Postgres, name: string): Promise<void> {
  await asAdministrator(server, async (client) => {
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  });
}

export async function asAdministrator<T>(
  server: Pick<Postgres, 'url'>,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: server.url('postgres') });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function ignoreExisting(error: unknown): void {
  if (!(typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST')) throw error;
}
