import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UsufructError } from '@usufruct/kernel';
import { httpBlobStore } from '@usufruct/walrus';
import { z } from 'zod';
import { anyFreePort, isPortFree } from './ports.js';
import { findPostgres, isAlive } from './postgres.js';
import { PROJECT_ROOT } from './project.js';
import { PART_NAMES, readSettings, type SystemSettings } from './settings.js';
import { startSystem, type RunningSystem } from './system.js';

const BYTES = new TextEncoder().encode('kept over every restart');

/**
 * Ports nobody prefers, so that a developer's own system and other tests are left alone; and below those that the
 * system gives to outgoing connections, any of which could take one between this look and the part that listens there.
 */
async function settingsOf(home: string): Promise<SystemSettings> {
  const basePort = await freeBasePort();
  const preferred = Object.fromEntries(PART_NAMES.map((name, i) => [name, basePort + i]));
  const preferredPorts = z.record(z.enum(PART_NAMES), z.number()).parse(preferred);
  return { ...readSettings({ USUFRUCT_HOME: home }), preferredPorts };
}
async function freeBasePort(): Promise<number> {
  for (;;) {
    const base = 10 * randomInt(2_000, 3_000);
    const free = await Promise.all(PART_NAMES.map((_, i) => isPortFree(base + i)));
    if (free.every(Boolean)) return base;
  }
}
const isUp = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('never');
    await sleep(50);
  }
}

describe('the local system', () => {
  let home: string;
  let system: RunningSystem;
  const events: string[] = [];

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'usufruct-system-e2e-'));
    system = await startSystem({
      ...(await settingsOf(home)),
      durable: false,
      onEvent: ({ part, text }) => events.push(`${part} ${text}`),
    });
  }, 120_000);
  afterAll(async () => {
    await system?.stop();
    await rm(home, { recursive: true, force: true });
  }, 30_000);

  it('runs every part as a process of its own, and says where each is', async () => {
    const parts = system.parts();
    expect(new Set(parts.map(({ name }) => name))).toEqual(new Set(PART_NAMES));
    expect(new Set(parts.map(({ pid }) => pid)).size).toBe(PART_NAMES.length);
    const { endpoints } = system;
    for (const url of [
      endpoints.apiUrl,
      endpoints.chainUrl,
      endpoints.publisherUrl,
      endpoints.portalUrl,
      ...endpoints.holderUrls,
      ...endpoints.runnerUrls,
    ]) {
      expect(await isUp(url)).toBe(true);
    }
    expect(endpoints.standIns).toEqual(['software TEE', 'development wallet', 'local chain', 'local store']);
    expect(endpoints.runnerMeasurement).toMatch(/^[0-9a-f]{96}$/);
    expect(JSON.parse(await readFile(join(home, 'endpoints.json'), 'utf8'))).toEqual(endpoints);
    const page = await fetch(endpoints.portalUrl);
    expect(await page.text()).toContain('<div id="root">');
    expect(await (await fetch(`${endpoints.portalUrl}/config.json`)).json()).toMatchObject({
      apiUrl: endpoints.apiUrl,
      devWallet: true,
    });
  });

  it('keeps its keys to their owner', async () => {
    for (const file of ['secrets.json', 'postgres-password', 'tee-dev/dev-leaf-key.pem']) {
      expect((await stat(join(home, file))).mode & 0o777).toBe(0o600);
    }
    const { authSecret } = z
      .object({ authSecret: z.string() })
      .parse(JSON.parse(await readFile(join(home, 'secrets.json'), 'utf8')));
    for (const log of await readdir(join(home, 'logs')))
      expect(await readFile(join(home, 'logs', log), 'utf8')).not.toContain(authSecret);
  });

  it('brings a part back that crashed, and says so', async () => {
    const { pid } = system.parts().find(({ name }) => name === 'holder-2') ?? {};
    process.kill(pid ?? 0, 'SIGKILL');
    await until(() => events.includes('holder-2 is running again'));
    expect(events).toContain('holder-2 ended (SIGKILL); starting it again in 0.5 s');
    expect(await isUp(system.endpoints.holderUrls[1] ?? '')).toBe(true);
  }, 60_000);

  it('leaves a part ended that was killed, until it is started again with its data', async () => {
    const { publisherUrl, aggregatorUrl } = system.endpoints;
    const store = httpBlobStore({ publisherUrl, aggregatorUrl, tries: 1 });
    const { blobId } = await store.put(BYTES);
    await system.kill('store');
    await sleep(800);
    expect(await isUp(publisherUrl)).toBe(false);
    await system.restart('store');
    expect(await store.get(blobId)).toEqual(BYTES);
    await system.kill('postgres');
    await system.restart('postgres');
    await until(() => isUp(system.endpoints.apiUrl));
  }, 60_000);

  it('is one for each home', async () => {
    await expect(startSystem(await settingsOf(home))).rejects.toThrow('is running already');
  });

  it('comes back at the same addresses with the same keys after a stop', async () => {
    const { endpoints, ports } = system;
    await system.stop();
    expect(existsSync(join(home, 'endpoints.json'))).toBe(false);
    expect(await isUp(endpoints.apiUrl)).toBe(false);
    system = await startSystem({ ...(await settingsOf(home)), durable: false });
    expect(system.ports).toEqual(ports);
    expect(system.endpoints).toEqual(endpoints);
  }, 120_000);
});

describe('npm start', () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'usufruct-start-e2e-'));
  });
  afterAll(async () => {
    const database = await findPostgres(home);
    await database?.stop();
    if (database !== undefined && !database.dataDir.startsWith(home))
      await rm(dirname(database.dataDir), { recursive: true });
    await rm(home, { recursive: true, force: true });
  }, 60_000);

  interface Run {
    readonly child: ChildProcess;
    said(): string;
    readonly ended: Promise<number | null>;
  }
  function launch(environment: Record<string, string>): Run {
    const child = spawn(process.execPath, [join(PROJECT_ROOT, 'infra/local/start.mjs')], {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', USUFRUCT_HOME: home, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    child.stdout?.on('data', (chunk) => (text += chunk));
    child.stderr?.on('data', (chunk) => (text += chunk));
    return { child, said: () => text, ended: once(child, 'exit').then(([code]) => code) };
  }
  const ports = async (): Promise<Record<string, string>> => {
    const { preferredPorts } = await settingsOf(home);
    return Object.fromEntries(
      PART_NAMES.map((name) => [`${name.toUpperCase().replace('-', '_')}_PORT`, String(preferredPorts[name])]),
    );
  };

  const writtenApiUrl = async (): Promise<string> =>
    z.object({ apiUrl: z.string() }).parse(JSON.parse(await readFile(join(home, 'endpoints.json'), 'utf8'))).apiUrl;

  it('refuses a real network and names every stand-in', async () => {
    const run = launch({ SUI_NETWORK: 'testnet' });
    expect(await run.ended).toBe(1);
    expect(run.said()).toContain('STAND_IN_FORBIDDEN');
    for (const standIn of ['software TEE', 'development wallet', 'local store']) expect(run.said()).toContain(standIn);
  }, 60_000);

  it('says which port is taken', async () => {
    const blocker = createServer();
    const taken = await anyFreePort();
    await new Promise<void>((done) => blocker.listen(taken, '127.0.0.1', done));
    const run = launch({ ...(await ports()), API_PORT: String(taken) });
    expect(await run.ended).toBe(1);
    expect(run.said()).toContain(`port ${taken} (api) is taken by another program`);
    await new Promise((done) => blocker.close(done));
  }, 60_000);

  it('says what is a stand-in; after a SIGKILL its parts stop, and the next start joins the database; SIGINT ends it', async () => {
    const first = launch(await ports());
    await until(() => first.said().includes('Ctrl-C stops everything') || first.child.exitCode !== null);
    expect(first.said()).toContain('Ctrl-C stops everything');
    expect(first.said().match(/LOCAL STAND-IN/g)?.length).toBe(4);
    const apiUrl = await writtenApiUrl();
    const database = await findPostgres(home);
    first.child.kill('SIGKILL');
    await until(async () => !(await isUp(apiUrl)));
    expect(isAlive(database?.pid ?? 0)).toBe(true);

    const second = launch({});
    await until(() => second.said().includes('Ctrl-C stops everything') || second.child.exitCode !== null);
    expect(second.said()).toContain('[postgres] was still running; joined it');
    expect(await writtenApiUrl()).toBe(apiUrl);
    // Ready once it was; on a busy machine one look at its neighbours can fail right after.
    await until(() => isUp(apiUrl));
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);
    expect(second.said()).toContain('stopped; the data is kept for the next start');
    expect(await isUp(apiUrl)).toBe(false);
    expect(isAlive(database?.pid ?? 0)).toBe(false);
  }, 180_000);
});

describe('a real network', () => {
  it('is refused by the library as by the command, before anything is written', async () => {
    const home = join(tmpdir(), `usufruct-never-${process.pid}`);
    const refused = startSystem({ ...(await settingsOf(home)), suiNetwork: 'mainnet' });
    await expect(refused).rejects.toBeInstanceOf(UsufructError);
    expect(existsSync(home)).toBe(false);
  });
});
