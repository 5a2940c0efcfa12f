import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { epochFixturesModule } from './epoch-fixtures.js';
import { governanceFixturesModule } from './governance-fixtures.js';
import { fixturesModule } from './signed-fixtures.js';

const FIXTURES = [
  ['fixtures', fixturesModule],
  ['epoch_fixtures', epochFixturesModule],
  ['governance_fixtures', async () => governanceFixturesModule()],
] as const;

/** Exit code and last line of one of this folder's scripts. */
function run(script: string, ...args: string[]): { code: number | null; said: string } {
  const { status, stdout } = spawnSync(process.execPath, [resolve('tools/move', script), ...args], {
    encoding: 'utf8',
  });
  return { code: status, said: stdout.trimEnd() };
}

describe('the Move contracts', () => {
  it.each(FIXTURES)('are tested with the %s that the TypeScript libraries sign today', async (name, make) => {
    const path = resolve(`move/usufruct/tests/${name}.move`);
    const made = await make();
    if (process.env['USUFRUCT_WRITE_FIXTURES'] === '1') await writeFile(path, made);
    expect(await readFile(path, 'utf8')).toBe(made);
  });

  it('compile without a warning to the pinned digest', () => {
    const { code, said } = run('build.mjs');
    expect(said).toMatch(/as pinned$/);
    expect(code).toBe(0);
  }, 420_000);

  it('pass their tests on the Move VM, every abort code reached', () => {
    const { code, said } = run('test.mjs');
    expect(said).toMatch(/^[1-9]\d* passed, 0 failed; [1-9]\d* abort codes$/);
    expect(code).toBe(0);
  }, 420_000);

  it('are stopped when they take too long', () => {
    expect(run('test.mjs', '--limit-ms=1')).toEqual({ code: 1, said: 'stopped after 1 ms: an endless loop?' });
  });
});
