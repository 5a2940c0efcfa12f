/**
 * `npm run db:migrate -- [DATABASE_URL] [prisma folder]`: applies what is missing, in order, each once. The URL is taken from the
 * environment if none is given. Prints the applied names; exit code 1 with one line when a migration fails.
 */
import { NO_FILTER, openEngine, PRISMA_FOLDER, readMigrations, readSchema } from './schema-engine.mjs';

const url = process.argv[2] ?? process.env.DATABASE_URL;
const folder = process.argv[3] ?? PRISMA_FOLDER;

try {
  if (url === undefined || url === '') throw new Error('give the database as an argument or in DATABASE_URL');
  const engine = await openEngine(url, [['schema.prisma', await readSchema(folder)]]);
  const { appliedMigrationNames } = await engine.applyMigrations({
    migrationsList: await readMigrations(folder),
    filters: NO_FILTER,
  });
  process.stdout.write(
    appliedMigrationNames.length === 0 ? 'nothing to migrate\n' : `${appliedMigrationNames.join('\n')}\n`,
  );
  process.exit(0);
} catch (error) {
  process.stderr.write(`migration failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
