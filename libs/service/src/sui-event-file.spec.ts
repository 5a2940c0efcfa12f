import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toUsufructError } from '@usufruct/kernel';
import { suiEventFile } from './sui-event-file.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sui-events-'));
  path = join(folder, 'new', 'sui-events.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const record = (n: number) => ({ record: Uint8Array.of(n), chained: new Uint8Array(32).fill(n) });
const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: unknown) => {
      const { code, details } = toUsufructError(error);
      return `${code}: ${details['reason']}`;
    },
  );
const changed = (sql: string): void => {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
};

describe('the file of events', () => {
  it('is made where there is none, for its owner alone, and gives back what was kept', async () => {
    expect(await suiEventFile(path).load()).toEqual({ scope: null, records: [] });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await suiEventFile(path).append('a', 0, [record(1), record(2)]);
    await suiEventFile(path).append('b', 2, [record(3)]);
    expect(await suiEventFile(path).load()).toEqual({ scope: 'b', records: [record(1), record(2), record(3)] });
  });

  it('is shared by processes that read the same ledger, each in its own time', async () => {
    const [first, second] = [suiEventFile(path), suiEventFile(path)];
    await first.append('a', 0, [record(1), record(2), record(3)]);
    await second.append('a', 0, [record(1), record(2)]);
    await second.append('a', 2, [record(3), record(4)]);
    expect((await first.load()).records).toHaveLength(4);
  });

  it.each<[string, number, number[], string]>([
    ['another record at a kept place', 1, [3, 9], 'another process keeps another history'],
    ['a place that leaves a gap', 3, [9], 'the kept events have a gap'],
  ])('refuses %s, and keeps none of what came with it', async (_name, after, numbers, reason) => {
    const file = suiEventFile(path);
    await file.append('a', 0, [record(1), record(2)]);
    expect(await refusalOf(file.append('z', after, numbers.map(record)))).toBe(`CHAIN_EVENTS_BROKEN: ${reason}`);
    expect(await file.load()).toEqual({ scope: 'a', records: [record(1), record(2)] });
  });

  it('keeps nothing of a request that fails halfway', async () => {
    const file = suiEventFile(path);
    await file.append('a', 0, [record(1)]);
    changed(`CREATE TRIGGER no BEFORE INSERT ON records WHEN new.place = 3 BEGIN SELECT raise(ABORT, 'no'); END`);
    expect(await refusalOf(file.append('z', 1, [record(2), record(3)]))).toMatch(/^INTERNAL/);
    expect(await file.load()).toEqual({ scope: 'a', records: [record(1)] });
  });

  it.each<[string, () => void, string]>([
    ['a lost place', () => changed('DELETE FROM records WHERE place = 2'), 'the kept events have a gap'],
    [
      'a place that is none',
      () => changed('UPDATE records SET place = -1 WHERE place = 1'),
      'the kept events have a gap',
    ],
    ['other tables', () => changed('ALTER TABLE records RENAME COLUMN chained TO x'), 'the kept events cannot be read'],
    ['bytes of something else', () => writeFileSync(path, 'x'.repeat(8_192)), 'the kept events cannot be read'],
  ])('is refused with %s', async (_name, damage, reason) => {
    await suiEventFile(path).append('a', 0, [record(1), record(2), record(3)]);
    damage();
    expect(await refusalOf(suiEventFile(path).load())).toBe(`CHAIN_EVENTS_BROKEN: ${reason}`);
  });
});
