/**
 * Prisma's own schema engine as WebAssembly, so that migrations need no binary from the internet. It reads the ordinary
 * prisma/migrations folder and fills `_prisma_migrations` as `prisma migrate deploy` does. The engine leaves a timer
 * running: use it in a process of its own.
 */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum, bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

export const PRISMA_FOLDER = resolve(import.meta.dirname, '../../prisma');
/** PostgreSQL's one-byte `"char"`, with which its catalogue is written, and `text`. */
const CHAR_OID = 18;
const TEXT_OID = 25;
export const NO_FILTER = { externalTables: [], externalEnums: [] };

export async function openEngine(connectionString, datamodels) {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const wasm = await readFile(join(folder, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  const factory = bindMigrationAwareSqlAdapterFactory(catalogueAdapter(connectionString));
  return bindings.SchemaEngine.new({ datamodels }, () => undefined, factory);
}

/**
 * The adapter refuses a result with a `"char"` column, and the engine's questions to the catalogue are full of them. So the
 * pool passes them as text and remembers which they were, and the type the engine wants is put back on top.
 */
function catalogueAdapter(connectionString) {
  const charColumns = new Map();
  const factory = new PrismaPg(new CataloguePool({ connectionString }, charColumns));
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query) => {
      const result = await queryRaw(query);
      for (const column of charColumns.get(query.sql) ?? []) result.columnTypes[column] = ColumnTypeEnum.Character;
      return result;
    };
    return adapter;
  };
  return factory;
}

class CataloguePool extends pg.Pool {
  constructor(options, charColumns) {
    super(options);
    this.charColumns = charColumns;
  }
  async query(query, ...rest) {
    const result = await super.query(query, ...rest);
    const found = [];
    for (const [column, field] of (result?.fields ?? []).entries()) {
      if (field.dataTypeID !== CHAR_OID) continue;
      field.dataTypeID = TEXT_OID;
      found.push(column);
    }
    if (found.length > 0) this.charColumns.set(typeof query === 'string' ? query : query.text, found);
    return result;
  }
}

export async function readSchema(prismaFolder) {
  return readFile(join(prismaFolder, 'schema.prisma'), 'utf8');
}

/** The migrations folder as the engine wants it: every folder that holds a migration.sql, in order of name. */
export async function readMigrations(prismaFolder) {
  const baseDir = join(prismaFolder, 'migrations');
  const entries = await readdir(baseDir, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
  const migrationDirectories = [];
  for (const name of names) {
    const content = await readFile(join(baseDir, name, 'migration.sql'), 'utf8');
    migrationDirectories.push({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: content } },
    });
  }
  const lock = await readFile(join(baseDir, 'migration_lock.toml'), 'utf8').catch(() => null);
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: lock },
    migrationDirectories,
    shadowDbInitScript: '',
  };
}
