import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase } from './test-database.js';

const MIGRATIONS = readdirSync(resolve(import.meta.dirname, '../../prisma/migrations'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .toSorted();

describe('createTestDatabase', () => {
  it('gives separate databases in which every migration was applied once', async () => {
    const databases = await Promise.all([createTestDatabase(), createTestDatabase()]);
    const clients = databases.map(({ url }) => new pg.Client({ connectionString: url }));
    try {
      for (const client of clients) {
        await client.connect();
        const rows = await client.query(
          'select migration_name from _prisma_migrations where finished_at is not null order by 1',
        );
        expect(rows.rows.map((row) => row.migration_name)).toEqual(MIGRATIONS);
      }
      await clients[0]!.query('create table only_here (n int)');
      const found = await clients[1]!.query("select to_regclass('only_here') as name");
      expect(found.rows).toEqual([{ name: null }]);
    } finally {
      for (const client of clients) await client.end();
      for (const database of databases) await database.drop();
    }
  }, 60_000);
});
