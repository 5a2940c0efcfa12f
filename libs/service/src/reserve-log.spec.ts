import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { reserveLog } from './reserve-log.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'usufruct-log-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function opened(): DatabaseSync {
  const database = new DatabaseSync(join(folder, 'some.sqlite'));
  database.exec('pragma journal_mode = wal; pragma synchronous = full; create table if not exists kept (text text)');
  return database;
}
const sizeOf = (name: string): number => statSync(join(folder, name)).size;
const kept = (database: DatabaseSync): unknown[] =>
  database
    .prepare('select text from kept')
    .all()
    .map(({ text }) => text);

describe('a log with room', () => {
  it('does not grow with what is written, and leaves no trace in the database', () => {
    const database = opened();
    reserveLog(database);
    const before = sizeOf('some.sqlite-wal');
    expect(before).toBeGreaterThanOrEqual(4_096_000);
    database.exec('pragma synchronous = normal');
    const insert = database.prepare('insert into kept values (?)');
    for (let i = 0; i < 400; i++) insert.run('x'.repeat(4_000));
    expect(sizeOf('some.sqlite-wal')).toBe(before);
    const tables = database.prepare("select name from sqlite_schema where type = 'table'").all();
    expect(tables.map(({ name }) => name)).toEqual(['kept']);
    database.close();
  });

  it('is made once, holds what was there, and takes no more of the disk with each start', () => {
    const sizes: number[] = [];
    for (const text of ['a', 'b', 'c']) {
      const database = opened();
      reserveLog(database);
      reserveLog(database);
      database.prepare('insert into kept values (?)').run(text);
      expect(kept(database).at(-1)).toBe(text);
      database.close();
      sizes.push(sizeOf('some.sqlite'));
    }
    expect(sizes[2]).toBe(sizes[0]);
    const last = opened();
    expect(kept(last)).toEqual(['a', 'b', 'c']);
    last.close();
  });

  it('takes away what a process left that ended in the middle', () => {
    const database = opened();
    database.exec('create table log_reserve (filler blob) strict');
    reserveLog(database);
    database.exec('create table log_reserve (filler blob) strict');
    reserveLog(database);
    expect(database.prepare("select 1 from sqlite_schema where name = 'log_reserve'").get()).toBeUndefined();
    database.close();
  });

  it('is none where the disk has no room for it, and what there is to write is written', () => {
    const database = opened();
    database.exec('pragma max_page_count = 20');
    reserveLog(database);
    database.prepare('insert into kept values (?)').run('a');
    expect(kept(database)).toEqual(['a']);
    database.close();
  });

  it('is none in memory', () => {
    const database = new DatabaseSync(':memory:');
    expect(() => reserveLog(database)).not.toThrow();
    database.close();
  });
});
