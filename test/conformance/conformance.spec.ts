import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

describe('the local ledger and the contracts', () => {
  it('agree on random scenarios, and no broken ledger or contract goes unnoticed', () => {
    const args = ['--conditions=@usufruct/source', '--no-warnings', resolve('tools/move/conformance.mjs')];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const lines = stdout.trimEnd().split('\n');
    process.stdout.write(`${stdout}${stderr}`);
    // What disagrees, or was not noticed, stands in its own line above these.
    expect(lines.at(-1)).toBe('0 disagreements');
    expect(lines.at(-2)).toMatch(/^[1-9]\d* broken ledgers and [1-9]\d* broken contracts, 0 not noticed$/);
    expect(Number(/^(\d+) scenarios:/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(500);
    expect(status).toBe(0);
    // On a machine with eight times more to do than cores it took 525 seconds.
  }, 900_000);
});
