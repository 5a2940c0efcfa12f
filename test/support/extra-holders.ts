import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { portsBeside } from './system.js';

const ENTRY = resolve(import.meta.dirname, '../../apps/key-holder/dist/main.js');
const READY_LIMIT_MS = 60_000;

/** A key holder beyond those of the system: a process of its own, started and ended when the test says so. */
export interface ExtraHolder {
  readonly url: string;
  /** What its operator signs rotations with. */
  readonly secretFile: string;
  start(): Promise<void>;
  kill(): Promise<void>;
}
export interface SystemAround {
  readonly home: string;
  readonly chainUrl: string;
}

/** Known by their addresses before anything runs. `around` is asked when one is started. */
export async function extraHolders(count: number, around: () => SystemAround): Promise<ExtraHolder[]> {
  const ports = await portsBeside(count);
  return ports.map((port, i) => extraHolder(`extra-${i + 1}`, port, around));
}

function extraHolder(name: string, port: number, around: () => SystemAround): ExtraHolder {
  const secret = randomBytes(32).toString('hex');
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const secretFile = join(process.env['TMPDIR'] ?? '/tmp', `usufruct-${port}-${secret.slice(0, 8)}.secret`);
  return {
    url,
    secretFile,
    start: async () => {
      const { home, chainUrl } = around();
      mkdirSync(join(home, name), { recursive: true });
      writeFileSync(secretFile, secret, { mode: 0o600 });
      const env = {
        PATH: process.env['PATH'] ?? '',
        PORT: String(port),
        HOST: '127.0.0.1',
        DATA_DIR: join(home, name),
        SUI_NETWORK: 'local',
        CHAIN_URL: chainUrl,
        HOLDER_SECRET: secret,
        TEE_DEV_ROOT_FILE: join(home, 'tee-root.pem'),
      };
      child = spawn(process.execPath, ['--no-warnings', ENTRY], { env, stdio: 'ignore' });
      await ready(url);
    },
    kill: async () => {
      const running = child;
      child = undefined;
      if (running === undefined || running.exitCode !== null) return;
      const ended = new Promise((done) => running.once('exit', done));
      running.kill('SIGKILL');
      await ended;
    },
  };
}

async function ready(url: string): Promise<void> {
  for (const endMs = Date.now() + READY_LIMIT_MS; ;) {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.ok === true) return;
    if (Date.now() > endMs) throw new Error(`${url} did not come up`);
    await sleep(100);
  }
}
