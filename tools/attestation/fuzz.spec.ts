import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { refuse } from '@usufruct/kernel';
import { fuzz, type FuzzTarget } from './fuzz-loop.js';
import { FUZZ_TARGETS } from './fuzz-targets.js';
import { mutated, numbersFor } from './mutate.js';

const SEED = 20_260_601;
const FUZZ = join(import.meta.dirname, 'fuzz.mjs');
/** On demand it is a minute for each: `npm run attestation:fuzz`. */
const SECONDS = 1;

describe('mutated inputs', () => {
  // In processes of their own: here, every look at the memory would collect Jest's heap, too.
  it('neither upset nor hang any parser', async () => {
    const args = ['--conditions=@usufruct/source', '--no-warnings', FUZZ, '--seconds', String(SECONDS)];
    const { stdout } = await promisify(execFile)(process.execPath, [...args, '--seed', String(SEED)]);
    const lines = stdout.trim().split('\n');
    expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([]);
    expect(lines.map((line) => line.split(/\s+/)[1]).sort()).toEqual([...FUZZ_TARGETS].sort());
    for (const line of lines) {
      const [, inputs, accepted] = /(\d+) inputs, (\d+) accepted/.exec(line)!.map(Number);
      expect(inputs).toBeGreaterThan(10);
      // Most inputs are wrong, or the parser would read nothing of them.
      expect(accepted).toBeLessThan(inputs!);
    }
  }, 480_000);
});

describe('the fuzzer', () => {
  const target = (accepts: FuzzTarget['accepts']): FuzzTarget => ({
    name: 'made up',
    seeds: [Uint8Array.from({ length: 100 }, (_, i) => i)],
    accepts,
  });
  const isGood = (bytes: Uint8Array): boolean => bytes.length === 100 && bytes.every((byte, i) => byte === i);
  const run = (accepts: FuzzTarget['accepts']) => fuzz({ target: target(accepts), seed: SEED, durationMs: 300 });

  it('finds an error that is no refusal, and takes a refusal for what it is', async () => {
    const thrown = await run((bytes) => {
      if (bytes.length < 50) throw new RangeError('too short');
      return isGood(bytes);
    });
    expect(thrown.flaw).toMatch(/^input \d+: threw RangeError: too short/);
    const refused = await run((bytes) => {
      if (bytes.length < 50) throw refuse('INVALID_ARGUMENT', { field: 'bytes' });
      return isGood(bytes);
    });
    expect(refused.flaw).toBeNull();
  });

  it('finds what takes more than a second', async () => {
    const slow = await run((bytes) => {
      if (bytes.length > 1000) {
        const { user } = process.cpuUsage();
        let turns = 0;
        while (process.cpuUsage().user - user < 1_200_000) for (let i = 0; i < 1e6; i++) turns += i;
        expect(turns).toBeGreaterThan(0);
      }
      return isGood(bytes);
    });
    expect(slow.flaw).toMatch(/^input \d+ took \d{4} ms/);
  });

  it('finds memory that is held for ever', async () => {
    const held: Uint8Array[] = [];
    let nextMs = 0;
    const grown = await fuzz({
      target: target((bytes) => {
        if (performance.now() > nextMs) {
          held.push(new Uint8Array(2 * 1024 * 1024));
          nextMs = performance.now() + 10;
        }
        return isGood(bytes);
      }),
      seed: SEED,
      durationMs: 3000,
    });
    expect(grown.flaw).toMatch(/^memory grew by \d+ bytes/);
    held.length = 0;
  });

  it('refuses a target that refuses its own valid inputs', async () => {
    expect((await run(() => false)).flaw).toBe('valid input 0 is refused');
  });

  it('makes every input again from its number', () => {
    const seeds = [Uint8Array.from({ length: 100 }, (_, i) => i)];
    for (let i = 0; i < 200; i++) {
      expect(inputOf(seeds, i)).toBe(inputOf(seeds, i));
    }
    const different = new Set(Array.from({ length: 200 }, (_, i) => inputOf(seeds, i)));
    expect(different.size).toBeGreaterThan(150);
  });
});

const inputOf = (seeds: readonly Uint8Array[], input: number): string =>
  Buffer.from(mutated(seeds, numbersFor(SEED, input))).toString('base64');
