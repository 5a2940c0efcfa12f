import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger, runMigrations } from 'graphile-worker';
import pg from 'pg';
import { LocalSystemError } from './errors.js';
import { migrate } from './migrate.js';
import { anyFreePort } from './ports.js';
import { asAdministrator, isAlive, startPostgres } from './postgres.js';

const TEMPLATE = 'template_migrated';
const quiet = new Logger(() => () => undefined);

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/**
 * A fresh, migrated database for one test file. The first caller of a Jest run starts the server and migrates the
 * template; the run's teardown stops it.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const home = process.env.USUFRUCT_TEST_HOME;
  if (home === undefined)
    throw new LocalSystemError('createTestDatabase works only under Jest with tools/jest-setup.mjs');
  const name = `test_${randomBytes(6).toString('hex')}`;
  return withLock(join(home, 'database.lock'), async () => {
    const server = await startPostgres({ home, port: await anyFreePort(), durable: false });
    const done = join(home, 'template.done');
    await asAdministrator(server, async (client) => {
      if (!existsSync(done)) {
        await client.query(`drop database if exists ${TEMPLATE}`);
        await client.query(`create database ${TEMPLATE}`);
        await migrate(server.url(TEMPLATE));
        // The queue's tables too: the API would make them anew in each copy, which takes longer than all the rest.
        await runMigrations({ connectionString: server.url(TEMPLATE), logger: quiet });
        await writeFile(done, '');
      }
      await client.query(`create database ${name} template ${TEMPLATE}`);
    });
    return {
      url: server.url(name),
      drop: () =>
        asAdministrator(server, async (client) => {
          await client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
        }),
    };
  });
}

/** Jest's workers are processes; the lock file names its holder, so that one who died holds nothing. */
async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const taken = await writeFile(file, String(process.pid), { flag: 'wx' }).then(
      () => true,
      () => false,
    );
    if (taken) break;
    const holder = Number(await readFile(file, 'utf8').catch(() => ''));
    if (holder > 0 && !isAlive(holder)) await rm(file, { force: true });
    await sleep(20);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}
