import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface Process {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const READY_LIMIT_MS = 60_000;

/** One built process of this repository on a free port, with its log beside its data; resolves when it is ready. */
export async function startProcess(
  entry: string,
  dataDir: string,
  environment: Readonly<Record<string, string>>,
): Promise<Process> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const log = openSync(`${dataDir}.log`, 'a');
  const child = spawn(execPath, ['--no-warnings', join(ROOT, entry)], {
    env: { PATH: process.env['PATH'], PORT: String(port), HOST: '127.0.0.1', DATA_DIR: dataDir, ...environment },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  await untilReady(child, url, entry);
  return {
    url,
    pid: child.pid!,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/**
 * Processor seconds that a process has used, all threads, as Linux counts them; null elsewhere. On a machine that others
 * use, too, these say more than the clock.
 */
export function cpuSeconds(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields 14 and 15, in ticks of 10 ms; the second field may hold spaces and ends with the last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return null;
  }
}

async function untilReady(child: ChildProcess, url: string, entry: string): Promise<void> {
  for (const deadline = Date.now() + READY_LIMIT_MS; Date.now() < deadline; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`${entry} ended with code ${child.exitCode}`);
    const isReady = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
  }
  child.kill('SIGKILL');
  throw new Error(`${entry} was not ready in time`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
