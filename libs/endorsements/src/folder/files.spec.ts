import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { whileLocked } from './files.js';

const PATIENCE_MS = 200;
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(folder, 'index.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a lock stays with a writer that lives, however long its disk takes', async () => {
  const seen: string[] = [];
  const begun = Promise.withResolvers<void>();
  const slow = whileLocked(
    path,
    async () => {
      begun.resolve();
      await sleep(4 * PATIENCE_MS);
      seen.push('first');
    },
    PATIENCE_MS,
  );
  await begun.promise;
  await whileLocked(path, async () => void seen.push('second'), PATIENCE_MS);
  await slow;
  expect(seen).toEqual(['first', 'second']);
});

it('a lock goes to the next one when its writer was killed', async () => {
  writeFileSync(path, '');
  expect(await whileLocked(path, async () => 'mine', PATIENCE_MS)).toBe('mine');
});
