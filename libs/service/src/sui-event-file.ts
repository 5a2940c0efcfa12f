import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { equalBytes, refuse } from '@usufruct/kernel';
import { inTransaction } from './in-transaction.js';

interface KeptRecord {
  readonly record: Uint8Array;
  readonly chained: Uint8Array;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS scope (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS records (place INTEGER PRIMARY KEY, record BLOB NOT NULL, chained BLOB NOT NULL) STRICT;
`;
const OWNER_ONLY = 0o600;
/** SQLite's primary result codes of a file with other tables, a damaged one, and one that is no database. */
const DAMAGED: readonly number[] = [1, 11, 26];
const PRIMARY_CODE = 0xff;

/**
 * The store of a Sui network's events in one file (the port is `SuiEventStore` of the chain library). What was appended
 * survives a kill of the process and of the machine; it is opened for each request only, so several processes can share
 * it and none has to close it. Nothing in it is secret: all of it is on the chain.
 */
export function suiEventFile(path: string) {
  return {
    load: async () =>
      inFile(path, (database) => {
        const scope = database.prepare('SELECT text FROM scope').get()?.['text'];
        const rows = database.prepare('SELECT place, record, chained FROM records ORDER BY place').all();
        const records = rows.map(({ place, record, chained }, at) => {
          if (place !== at + 1 || !(record instanceof Uint8Array) || !(chained instanceof Uint8Array)) {
            throw broken('the kept events have a gap');
          }
          return { record, chained };
        });
        return { scope: typeof scope === 'string' ? scope : null, records };
      }),
    append: async (scope: string, after: number, records: readonly KeptRecord[]) =>
      inFile(path, (database) => {
        const { count } = database.prepare('SELECT count(*) AS count FROM records').get() as { count: number };
        if (count < after) throw broken('the kept events have a gap');
        const there = database.prepare('SELECT chained FROM records WHERE place = ?');
        const insert = database.prepare('INSERT INTO records (place, record, chained) VALUES (?, ?, ?)');
        for (const [index, { record, chained }] of records.entries()) {
          const place = after + 1 + index;
          const known = there.get(place)?.['chained'];
          if (known === undefined) insert.run(place, record, chained);
          else if (!(known instanceof Uint8Array) || !equalBytes(known, chained)) {
            throw broken('another process keeps another history');
          }
        }
        database
          .prepare('INSERT INTO scope VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET text = excluded.text')
          .run(scope);
      }),
  };
}

/** One transaction on the file, which is made where there is none. */
function inFile<T>(path: string, work: (database: DatabaseSync) => T): T {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', OWNER_ONLY));
  chmodSync(path, OWNER_ONLY);
  const database = new DatabaseSync(path);
  try {
    // The wait comes first: two processes at once may both want the file while they still set it up.
    database.exec('PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
    return inTransaction(database, () => {
      database.exec(SCHEMA);
      return work(database);
    });
  } catch (error) {
    if (isDamage(error)) throw broken('the kept events cannot be read', error);
    throw error;
  } finally {
    database.close();
  }
}

function isDamage(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return false;
  return typeof error.errcode === 'number' && DAMAGED.includes(error.errcode & PRIMARY_CODE);
}

const broken = (reason: string, cause?: unknown) => refuse('CHAIN_EVENTS_BROKEN', { reason }, cause);
