import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { lockHome } from './home-lock.js';
import { BackOff, type PartEvent } from './part.js';
import { anyFreePort } from './ports.js';
import { isAlive } from './postgres.js';
import { PROJECT_ROOT } from './project.js';
import { Service } from './service.js';

const PROGRAM = `
import { createServer } from 'node:http';
if (process.env.BROKEN) { console.log('cannot find the thing'); process.exit(3); }
const server = createServer((request, response) => {
  if (request.url === '/crash') process.exit(7);
  response.end(JSON.stringify(process.env));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => { if (!process.env.STUBBORN) process.exit(0); });
`;

let folder: string;
let service: Service | undefined;
let events: PartEvent[];
let url: string;

beforeAll(async () => {
  const { build } = await import(join(PROJECT_ROOT, 'tools/build.mjs'));
  await build({ only: 'infra/local' });
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'usufruct-service-spec-'));
  events = [];
  await writeFile(join(folder, 'program.mjs'), PROGRAM);
});
afterEach(async () => {
  await service?.stop();
  service = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function newService(environment: Record<string, string> = {}): Promise<Service> {
  const port = await anyFreePort();
  url = `http://127.0.0.1:${port}`;
  service = new Service({
    name: 'chain',
    entry: join(folder, 'program.mjs'),
    url,
    logFile: join(folder, 'logs/chain.log'),
    environment: { PORT: String(port), ...environment },
    onEvent: (event) => events.push(event),
  });
  return service;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never: ${JSON.stringify(events)}`);
    await sleep(25);
  }
}

describe('a supervised process', () => {
  it('does not take another program at its port for its own part', async () => {
    const part = await newService();
    const other = createServer((_request, response) => response.end('ok'));
    other.listen(Number(new URL(url).port), '127.0.0.1');
    await once(other, 'listening');
    await expect(part.start()).rejects.toThrow(/port [0-9]+ is taken by another program/);
    expect(part.pid).toBeUndefined();
    other.close();
  });

  it('gets its own variables and none of ours, and is gone after stop', async () => {
    process.env.SECRET_OF_THE_OPERATOR = 'do not pass on';
    const part = await newService({ OWN: 'value' });
    await part.start();
    const seen: unknown = await (await fetch(url)).json();
    delete process.env.SECRET_OF_THE_OPERATOR;
    expect(seen).toMatchObject({ OWN: 'value' });
    expect(seen).not.toHaveProperty('SECRET_OF_THE_OPERATOR');
    const { pid } = part;
    await part.stop();
    expect(pid !== undefined && isAlive(pid)).toBe(false);
    expect(events).toEqual([]);
  });

  it('is started again after a crash, and says so', async () => {
    const part = await newService();
    await part.start();
    const { pid } = part;
    await fetch(`${url}/crash`).catch(() => undefined);
    await until(() => events.length >= 2);
    expect(events.map(({ text }) => text)).toEqual([
      'ended (exit code 7); starting it again in 0.5 s',
      'is running again',
    ]);
    expect(part.pid).not.toBe(pid);
    expect((await fetch(url)).ok).toBe(true);
  });

  it('stays ended after kill, until it is started', async () => {
    const part = await newService();
    await part.start();
    await part.kill('SIGKILL');
    await sleep(700);
    expect({ pid: part.pid, events }).toEqual({ pid: undefined, events: [] });
    await part.start();
    expect((await fetch(url)).ok).toBe(true);
  });

  it('that cannot start is reported with its last words', async () => {
    const part = await newService({ BROKEN: '1' });
    await expect(part.start()).rejects.toThrow(/chain ended at once.*cannot find the thing/s);
  });

  it('stops by itself when its launcher is killed', async () => {
    const port = await anyFreePort();
    const launcher = join(folder, 'launcher.mjs');
    const options = {
      name: 'chain',
      entry: join(folder, 'program.mjs'),
      url: `http://127.0.0.1:${port}`,
      logFile: join(folder, 'l.log'),
    };
    await writeFile(
      launcher,
      `import { Service } from ${JSON.stringify(join(PROJECT_ROOT, 'infra/local/dist/service.js'))};
       const part = new Service({ ...${JSON.stringify(options)}, environment: { PORT: '${port}' }, onEvent: () => {} });
       await part.start();
       console.log(part.pid);`,
    );
    const child = spawn(process.execPath, [launcher], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(child.stdout, 'data');
    const pid = Number(String(line));
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });
});

describe('restarts', () => {
  it('wait longer each time up to 15 s, and start over after a calm while', () => {
    const backOff = new BackOff();
    const pauses = Array.from({ length: 7 }, () => backOff.next(100));
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    expect(backOff.next(30_001)).toBe(500);
  });
});

describe('a home', () => {
  it('has one launcher at a time', () => {
    const home = join(folder, 'home');
    const unlock = lockHome(home);
    expect(() => lockHome(home)).toThrow('is running already');
    unlock();
    lockHome(home)();
  });
});
