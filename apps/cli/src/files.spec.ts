import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { localFiles } from './files.js';

describe('what is to be contributed', () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'usufruct-files-'));
    await mkdir(join(home, 'notes/old'), { recursive: true });
    await mkdir(join(home, 'empty'));
    for (const name of ['notes/b.txt', 'notes/a.md', 'notes/old/c.txt', 'notes/.hidden', 'alone.txt'])
      await writeFile(join(home, name), name);
    await symlink(home, join(home, 'notes/round'));
    await symlink(join(home, 'alone.txt'), join(home, 'notes/link.txt'));
  });
  afterAll(() => rm(home, { recursive: true }));

  it('is a file, or all files of a folder, without what is hidden and without links', async () => {
    const found = async (name: string) => (await localFiles(join(home, name))).map(({ path }) => relative(home, path));
    expect(await found('alone.txt')).toEqual(['alone.txt']);
    expect(await found('notes')).toEqual(['notes/a.md', 'notes/b.txt', 'notes/old/c.txt']);
    expect(await found('empty')).toEqual([]);
    await expect(found('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
