import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder } from './lock-folder.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lock = () => lockFolder({ folder: join(folder, 'index'), name: 'index.lock', setting: 'INDEX_DIR' });
const REFUSED = expect.objectContaining({
  code: 'CONFIG_INVALID',
  details: { setting: 'INDEX_DIR', reason: 'another process works in this folder' },
});

it('lets one in, and the next one when it has gone', () => {
  const unlock = lock();
  expect(lock).toThrow(REFUSED);
  unlock();
  lock()();
});

it('is no hindrance when its process was killed', async () => {
  const script = `
    const db = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
    db.exec('pragma locking_mode = exclusive; begin exclusive');
    console.log('locked');
    setInterval(() => {}, 1000);`;
  lock()();
  const other = spawn(process.execPath, ['--no-warnings', '-e', script, join(folder, 'index', 'index.lock')]);
  await once(other.stdout, 'data');
  expect(lock).toThrow(REFUSED);
  const gone = once(other, 'exit');
  other.kill('SIGKILL');
  await gone;
  lock()();
});

it('says what is wrong with the disk, and does not call it another process', () => {
  writeFileSync(join(folder, 'index'), 'a file in the place of the folder');
  expect(lock).toThrow(expect.objectContaining({ code: 'EEXIST' }));
});
