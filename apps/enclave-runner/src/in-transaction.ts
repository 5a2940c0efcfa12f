import type { DatabaseSync } from 'node:sqlite';

/** All or nothing. Never spans an await: SQLite calls are synchronous here. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('begin immediate');
  try {
    const result = work();
    database.exec('commit');
    return result;
  } catch (error) {
    database.exec('rollback');
    throw error;
  }
}
