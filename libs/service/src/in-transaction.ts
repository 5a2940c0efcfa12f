import type { DatabaseSync } from 'node:sqlite';

/** All or nothing. Never spans an await: SQLite calls are synchronous here. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk, for one, has ended it already: what is thrown is why, and not that there is nothing to roll back.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
