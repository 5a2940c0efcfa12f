import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { utf8 } from '@usufruct/kernel';
import { copyFolder } from './copy-folder.js';

describe('a folder of kept ciphertext', () => {
  let home: string;
  beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'usufruct-copy-'))));
  afterEach(() => rmSync(home, { recursive: true }));
  const NAME = `${'ab'.repeat(32)}.blob`;

  it('gives what was kept, by the next process too, and leaves nothing half-written', async () => {
    const path = join(home, 'to be', 'made');
    await copyFolder(path).keep(NAME, utf8('first'));
    await copyFolder(path).keep(NAME, utf8('again'));
    expect(await copyFolder(path).read(NAME)).toEqual(utf8('again'));
    expect(readdirSync(path)).toEqual([NAME]);
  });

  it('has nothing where nothing was kept, and says where a folder is none', async () => {
    expect(await copyFolder(join(home, 'nowhere')).read(NAME)).toBeNull();
    writeFileSync(join(home, 'file'), '');
    await expect(copyFolder(join(home, 'file')).read(NAME)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
