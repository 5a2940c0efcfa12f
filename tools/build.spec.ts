import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '..');

describe('what is built', () => {
  let root: string;
  const write = (path: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), 'export const here = 1;\n');
  };
  const built = async (name: string): Promise<string[]> => {
    const { build } = (await import(join(ROOT, 'tools/build.mjs'))) as {
      build: (options: { root: string; only: string }) => Promise<void>;
    };
    await build({ root, only: name });
    const entries = readdirSync(join(root, name, 'dist'), { recursive: true, encoding: 'utf8' });
    return entries.filter((path) => path.endsWith('.js')).toSorted();
  };

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'build-'));
    cpSync(join(ROOT, '.swcrc'), join(root, '.swcrc'));
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    for (const path of ['main.ts', 'deep/part.ts', 'main.spec.ts', 'deep/part.e2e.ts', 'testing/fake.ts'])
      write(`apps/runner/src/${path}`);
    write('libs/testing/src/index.ts');
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  // The runner's dist is in the image that is measured: a fake there would be in what a DAO approves.
  it('is neither a test nor what an app has for its tests', async () => {
    expect(await built('apps/runner')).toEqual(['deep/part.js', 'main.js']);
  });

  it('is the library of fakes, which other packages name', async () => {
    expect(await built('libs/testing')).toEqual(['index.js']);
  });
});
