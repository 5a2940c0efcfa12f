import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openDatabase } from './database.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holder-database-'));
  openDatabase(folder, 'me').close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const changed = (sql: string): void => {
  const database = new DatabaseSync(join(folder, 'key-holder.sqlite'));
  database.exec(sql);
  database.close();
};

describe("a holder's database", () => {
  it('is opened again as it was left', () => {
    changed(`INSERT INTO meta VALUES ('left', 'here')`);
    const database = openDatabase(folder, 'me');
    expect(database.prepare(`SELECT value FROM meta WHERE key = 'left'`).get()).toEqual({ value: 'here' });
    database.close();
  });

  it.each([1, 1_000])('is refused where version %i made it, and left alone', (version) => {
    changed(`PRAGMA user_version = ${version}`);
    const refusal = { code: 'CONFIG_INVALID', details: { setting: 'DATA_DIR', reason: 'from another version' } };
    for (let i = 0; i < 2; i++) expect(() => openDatabase(folder, 'me')).toThrow(expect.objectContaining(refusal));
  });

  it('that a killed process left has nothing in its log of writes any more once it is open', () => {
    const database = openDatabase(folder, 'me');
    database.exec(`INSERT INTO meta VALUES ('share', 'of a contribution'); DELETE FROM meta WHERE key = 'share'`);
    const left = join(folder, 'left');
    mkdirSync(left);
    const suffixes = ['', '-wal'].map((suffix) => `key-holder.sqlite${suffix}`);
    for (const name of suffixes) copyFileSync(join(folder, name), join(left, name));
    database.close();
    const found = () => suffixes.some((name) => readFileSync(join(left, name)).includes('of a contribution'));
    expect(found()).toBe(true);
    const opened = openDatabase(left, 'me');
    expect(found()).toBe(false);
    opened.close();
  });

  it('is refused to another identity', () => {
    const refusal = { code: 'CONFIG_INVALID', details: expect.objectContaining({ setting: 'HOLDER_SECRET' }) };
    expect(() => openDatabase(folder, 'another')).toThrow(expect.objectContaining(refusal));
  });
});
