import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { anyFreePort, PortPlan } from './ports.js';
import { asAdministrator, ensureDatabase, isAlive, startPostgres, type Postgres } from './postgres.js';

describe('the embedded PostgreSQL', () => {
  const servers: Postgres[] = [];
  const folders: string[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });

  async function newHome(mode: number): Promise<string> {
    const home = await mkdtemp(join(tmpdir(), 'usufruct-postgres-spec-'));
    await chmod(home, mode);
    folders.push(home);
    return home;
  }
  async function start(home: string): Promise<Postgres> {
    const server = await startPostgres({ home, port: await anyFreePort(), durable: false });
    servers.push(server);
    if (!server.dataDir.startsWith(home)) folders.push(join(server.dataDir, '..'));
    return server;
  }
  const countOf = async (server: Postgres): Promise<unknown> =>
    asAdministrator(server, async (client) => (await client.query('select count(*)::int as n from kept')).rows[0]);
  const insert = (server: Postgres): Promise<unknown> =>
    asAdministrator(server, async (client) => {
      await client.query('create table if not exists kept (n int)');
      await client.query('insert into kept values (1)');
    });

  it('keeps its data over a stop and a start, below a folder that only its owner may enter', async () => {
    const home = join(await newHome(0o700), 'home');
    const first = await start(home);
    await insert(first);
    await ensureDatabase(first, 'usufruct');
    await ensureDatabase(first, 'usufruct');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await start(home);
    expect(second.reused).toBe(false);
    expect(await countOf(second)).toEqual({ n: 1 });
    expect((await stat(join(home, 'postgres-password'))).mode & 0o777).toBe(0o600);
  }, 60_000);

  it('is joined, not started twice, when it outlived whoever started it', async () => {
    const home = await newHome(0o755);
    const first = await start(home);
    await insert(first);
    const second = await start(home);
    expect({ reused: second.reused, pid: second.pid, port: second.port }).toEqual({
      reused: true,
      pid: first.pid,
      port: first.port,
    });
    expect(await countOf(second)).toEqual({ n: 1 });
  }, 60_000);

  it('starts again after a SIGKILL that left its lock file behind', async () => {
    const home = await newHome(0o755);
    const first = await start(home);
    await insert(first);
    process.kill(first.pid, 'SIGKILL');
    await first.ended;
    expect((await readFile(join(first.dataDir, 'postmaster.pid'), 'utf8')).startsWith(String(first.pid))).toBe(true);
    const second = await start(home);
    expect(second.pid).not.toBe(first.pid);
    expect(await countOf(second)).toEqual({ n: 1 });
  }, 60_000);

  it('refuses a connection without the password', async () => {
    const server = await start(await newHome(0o755));
    const url = server.url('postgres').replace(/:[0-9a-f]{48}@/, ':wrong@');
    await expect(asAdministrator({ url: () => url }, () => Promise.resolve())).rejects.toThrow(
      /password authentication failed/,
    );
  }, 60_000);
});

describe('ports', () => {
  it('are free where any will do, and none of those that the system gives to connections', async () => {
    for (let tries = 0; tries < 20; tries++) {
      const port = await anyFreePort();
      expect(port).toBeLessThan(32_768);
      expect(await new PortPlan().take('the API', 1, port)).toBe(port);
    }
  });

  it('names the port that is taken, skips to the next one unless it was asked for, and gives none twice', async () => {
    const blocker = createServer();
    const taken = await new Promise<number>((done) => {
      blocker.listen({ port: 0, host: '127.0.0.1' }, () => {
        const address = blocker.address();
        done(address !== null && typeof address === 'object' ? address.port : 0);
      });
    });
    try {
      const plan = new PortPlan();
      await expect(plan.take('the API', 1, taken)).rejects.toThrow(
        `port ${taken} (the API) is taken by another program`,
      );
      const next = await plan.take('the API', taken);
      expect(next).toBeGreaterThan(taken);
      expect(await plan.take('the portal', taken)).toBeGreaterThan(next);
      await expect(plan.take('the store', 1, next)).rejects.toThrow('asked for twice');
    } finally {
      await new Promise((done) => blocker.close(done));
    }
  });
});
