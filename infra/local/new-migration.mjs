/**
 * `npm run db:migration -- name`: writes prisma/migrations/<time>_<name>/migration.sql with the difference between what
 * the existing migrations give (played into an embedded PostgreSQL that is started for this and removed) and
 * prisma/schema.prisma.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../tools/build.mjs';
import { NO_FILTER, openEngine, PRISMA_FOLDER, readMigrations, readSchema } from './schema-engine.mjs';

const SHADOW = 'USUFRUCT_SHADOW_DATABASE';
const name = process.argv[2] ?? '';
const folder = process.argv[3] ?? PRISMA_FOLDER;

if (!/^[a-z0-9_]{1,60}$/.test(name)) {
  process.stderr.write('usage: npm run db:migration -- name_in_snake_case\n');
  process.exitCode = 1;
} else if (process.env[SHADOW] === undefined) {
  await withShadowDatabase();
} else {
  await writeMigration(process.env[SHADOW]);
}

/** The engine never lets its process end by itself, so it works in a child, and the server is stopped here. */
async function withShadowDatabase() {
  await build({ only: 'infra/local' });
  const [{ startPostgres }, { anyFreePort }] = await Promise.all([
    import('./dist/postgres.js'),
    import('./dist/ports.js'),
  ]);
  const home = await mkdtemp(join(tmpdir(), 'usufruct-migration-'));
  await chmod(home, 0o755);
  const server = await startPostgres({ home, port: await anyFreePort(), durable: false });
  try {
    const environment = { ...process.env, [SHADOW]: server.url('postgres') };
    const { status } = spawnSync(process.execPath, [import.meta.filename, name, folder], {
      env: environment,
      stdio: 'inherit',
    });
    process.exitCode = status ?? 1;
  } finally {
    await server.stop();
    for (const path of [join(server.dataDir, '..'), home]) await rm(path, { recursive: true, force: true });
  }
}

async function writeMigration(url) {
  try {
    const files = [{ path: 'schema.prisma', content: await readSchema(folder) }];
    const engine = await openEngine(url, [['schema.prisma', files[0].content]]);
    await engine.applyMigrations({ migrationsList: await readMigrations(folder), filters: NO_FILTER });
    const { stdout: script } = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: folder },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters: NO_FILTER,
    });
    if (script === null || script.includes('-- This is an empty migration.')) {
      process.stdout.write('the migrations already give this schema\n');
      process.exit(0);
    }
    const time = new Date()
      .toISOString()
      .replaceAll(/[^0-9]/g, '')
      .slice(0, 14);
    const target = join(folder, 'migrations', `${time}_${name}`);
    await mkdir(target, { recursive: true });
    await writeFile(join(target, 'migration.sql'), script);
    const lock = join(folder, 'migrations/migration_lock.toml');
    if (!existsSync(lock))
      await writeFile(lock, '# Read by Prisma Migrate; belongs under version control.\nprovider = "postgresql"\n');
    process.stdout.write(`${join(target, 'migration.sql')}\n`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`no migration made: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
