import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Journal } from '@usufruct/sdk';

const OWNER_ONLY = 0o600;

/**
 * The SDK's journal in one file that only its owner may read: it holds secrets of what is unfinished. Deleted records
 * are overwritten (`secure_delete`), and no second log file keeps them (`journal_mode=TRUNCATE`, not WAL).
 */
export function fileJournal(path: string): Journal & { close(): void } {
  // Created with its final rights, so that there is no moment in which others can read it.
  closeSync(openSync(path, 'a', OWNER_ONLY));
  chmodSync(path, OWNER_ONLY);
  const database = new DatabaseSync(path);
  // The wait comes first: two commands at once may both want the file while they still set it up.
  database.exec(
    'PRAGMA busy_timeout=5000; PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON',
  );
  database.exec('CREATE TABLE IF NOT EXISTS record (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT');
  const get = database.prepare('SELECT value FROM record WHERE key = ?');
  const put = database.prepare(
    'INSERT INTO record VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const remove = database.prepare('DELETE FROM record WHERE key = ?');
  const keys = database.prepare('SELECT key FROM record WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key');
  return {
    get: async (key) => textOf(get.get(key)?.['value']),
    put: async (key, value) => void put.run(key, value),
    delete: async (key) => void remove.run(key),
    keys: async (prefix) => keys.all(prefix).map((row) => String(row['key'])),
    close: () => database.close(),
  };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
