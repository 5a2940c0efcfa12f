import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { inTransaction } from '@usufruct/service';
import { openDatabase } from '../store/database.js';
import { Scrubber } from './scrubber.js';

let folder: string;
let database: DatabaseSync;
let secrets: Buffer[];
const onDisk = (): boolean[] =>
  secrets.map((bytes) => readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(bytes)));
/** As if the file still had it: nothing is over-written when a row goes. */
const destroy = (n: number, scrubber: Scrubber | null, noted: readonly Uint8Array[] | null = [secrets[n]!]): void =>
  inTransaction(database, () => {
    database.prepare('DELETE FROM secrets WHERE n = ?').run(n);
    scrubber?.note(noted);
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scrubber-'));
  database = openDatabase(folder, 'me');
  database.exec('PRAGMA secure_delete = OFF; CREATE TABLE secrets (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL)');
  secrets = [1, 2, 3].map((n) => Buffer.from(`secret ${n} `.repeat(8)));
  for (const [n, bytes] of secrets.entries()) database.prepare('INSERT INTO secrets VALUES (?, ?)').run(n, bytes);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

it('finds in the files what was deleted, and has it out when it says so', async () => {
  const scrubber = new Scrubber(database);
  await scrubber.finish();
  destroy(0, scrubber);
  expect([scrubber.isDue(), onDisk()]).toEqual([true, [true, true, true]]);
  await scrubber.finish();
  expect([scrubber.isDue(), onDisk()]).toEqual([false, [false, true, true]]);
});

it.each([
  ['that was killed after it deleted', () => destroy(0, new Scrubber(database))],
  ['that did not say what it deleted', (scrubber: Scrubber) => destroy(0, scrubber, null)],
  [
    'that deleted much',
    (scrubber: Scrubber) => {
      destroy(0, scrubber);
      for (let i = 0; i < 64; i++) inTransaction(database, () => scrubber.note([Buffer.from(`not there ${i}`)]));
    },
  ],
])('goes on for a process %s', async (_what, arrange) => {
  const scrubber = new Scrubber(database);
  arrange(scrubber);
  destroy(1, scrubber);
  expect([scrubber.isDue(), onDisk()]).toEqual([true, [true, true, true]]);
  await scrubber.finish();
  expect([scrubber.isDue(), onDisk()]).toEqual([false, [false, false, true]]);
});

it('does not take what was destroyed meanwhile for looked for', async () => {
  const scrubber = new Scrubber(database);
  destroy(0, scrubber);
  const first = scrubber.finish();
  await Promise.resolve();
  destroy(1, scrubber);
  await first;
  expect(scrubber.isDue()).toBe(true);
  await scrubber.finish();
  expect([scrubber.isDue(), onDisk()]).toEqual([false, [false, false, true]]);
});

it('is still due where the transaction that it was noted in came to nothing, and where a file could not be read', async () => {
  const scrubber = new Scrubber(database);
  const rolledBack = (): void =>
    inTransaction(database, () => {
      scrubber.note([secrets[0]!]);
      throw new Error('rolled back');
    });
  expect(rolledBack).toThrow('rolled back');
  expect(scrubber.isDue()).toBe(false);
  destroy(1, scrubber);
  const reader = openDatabase(folder, 'me');
  reader.exec('BEGIN');
  reader.prepare('SELECT * FROM secrets').all();
  database.exec('PRAGMA busy_timeout = 1');
  await expect(scrubber.finish()).rejects.toMatchObject({ code: 'INTERNAL' });
  expect(scrubber.isDue()).toBe(true);
  reader.close();
  await scrubber.finish();
  expect([scrubber.isDue(), onDisk()]).toEqual([false, [true, false, true]]);
});
