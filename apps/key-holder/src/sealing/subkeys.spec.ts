import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { equalBytes, fromHex } from '@usufruct/kernel';
import { idOf, ManualClock, seededRandom, TEST_NOW_MS } from '@usufruct/testing';
import fc from 'fast-check';
import { deriveHolderKeys } from '../identity.js';
import { Keyring, type KeyringParts } from '../keyring/keyring.js';
import { keyringPartsOf } from '../keyring/open.js';
import { Subkeys, type Subkey } from './subkeys.js';

const [AGE, GRACE] = [1_000, 100];
const TERMS = { maxAgeMs: AGE, graceMs: GRACE };
let folder: string;
let clock: ManualClock;
let parts: KeyringParts;
let keyring: Keyring;
let subkeys: Subkeys;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'subkeys-'));
  await begin();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function begin(dataDir = folder): Promise<void> {
  clock = new ManualClock();
  const keys = await deriveHolderKeys(fromHex(idOf('secret')));
  parts = keyringPartsOf({ dataDir, keys, clock, random: seededRandom('subkeys') });
  keyring = await Keyring.create(parts);
  subkeys = new Subkeys(keyring.sealing, clock, TERMS);
}
/** The next process, over what this one left. */
function restart(): void {
  keyring = Keyring.open(parts);
  subkeys = new Subkeys(keyring.sealing, clock, TERMS);
}
const isOpenable = ({ publicKey }: Subkey): boolean =>
  subkeys.openable().some((key) => equalBytes(key.publicKey, publicKey));
const kept = (): number => keyring.sealing.openable().length;

describe('the keys that shares are sealed to', () => {
  it('are the same until their time is over, and open so long after it as the grace says', async () => {
    const first = await subkeys.current();
    expect([first.notBeforeMs, first.notAfterMs]).toEqual([TEST_NOW_MS, TEST_NOW_MS + AGE]);
    clock.advance(AGE - 1);
    expect(await subkeys.current()).toEqual(first);
    clock.advance(1);
    const second = await subkeys.current();
    expect(second.publicKey).not.toEqual(first.publicKey);
    expect(second.notBeforeMs).toBe(TEST_NOW_MS + AGE);
    clock.advance(GRACE - 1);
    expect([isOpenable(first), isOpenable(second)]).toEqual([true, true]);
    clock.advance(1);
    expect([isOpenable(first), isOpenable(second), kept()]).toEqual([false, true, 2]);
    await subkeys.tend();
    expect(kept()).toBe(1);
  });

  it('that were replaced early open no longer for it', async () => {
    const first = await subkeys.current();
    await keyring.sealing.rotate();
    clock.advance(GRACE);
    expect(isOpenable(first)).toBe(false);
  });

  it('are one new one, however many ask at once', async () => {
    clock.advance(AGE);
    const keys = await Promise.all([subkeys.current(), subkeys.current(), subkeys.tend(), subkeys.current()]);
    expect(new Set(keys.flatMap((key) => (key ? [key.publicKey] : []))).size).toBe(1);
    expect(kept()).toBe(2);
  });

  it('that nobody replaced in time end as if somebody had, and are gone at the next start', async () => {
    const first = await subkeys.current();
    clock.advance(AGE + GRACE);
    restart();
    expect(isOpenable(first)).toBe(false);
    await subkeys.tend();
    expect([isOpenable(first), kept()]).toEqual([false, 1]);
  });

  it('that a killed process had replaced and not destroyed are destroyed by the next', async () => {
    const first = await subkeys.current();
    clock.advance(AGE);
    await keyring.sealing.rotate(); // and no more
    clock.advance(GRACE);
    restart();
    expect([isOpenable(first), kept()]).toEqual([false, 2]);
    await subkeys.tend();
    expect(kept()).toBe(1);
    restart();
    expect(kept()).toBe(1);
  });

  it('of a clock that ran ahead are given up: nobody would seal to them', async () => {
    clock.advance(10 * 60_000);
    const early = await subkeys.current();
    clock.advance(-10 * 60_000);
    const made = await subkeys.current();
    expect(made.notBeforeMs).toBe(TEST_NOW_MS);
    expect([isOpenable(early), kept()]).toEqual([false, 1]);
  });

  it('are in no file once they are destroyed', async () => {
    const first = await subkeys.current();
    const secret = Uint8Array.from(first.privateKey);
    clock.advance(AGE + GRACE);
    await subkeys.tend();
    expect(first.privateKey).toEqual(new Uint8Array(32));
    for (const name of readdirSync(parts.dir)) {
      const bytes = readFileSync(join(parts.dir, name));
      expect(bytes.includes(Buffer.from(secret))).toBe(false);
    }
  });

  type Step = { readonly kind: 'wait'; readonly ms: number } | { readonly kind: 'ask' | 'tend' | 'rotate' | 'kill' };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: AGE + 2 * GRACE }) }),
    fc.record({ kind: fc.constantFrom('ask' as const, 'tend' as const, 'rotate' as const, 'kill' as const) }),
  );
  it('whatever happens: what was sealed in time opens within the grace, and never after', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        rmSync(folder, { recursive: true, force: true });
        await begin();
        // By the test's own reckoning: when each key that was given out ends.
        const given = new Map<string, { key: Subkey; endsAtMs: number }>();
        for (const one of steps) {
          if (one.kind === 'wait') clock.advance(one.ms);
          if (one.kind === 'tend') await subkeys.tend();
          if (one.kind === 'kill') restart();
          if (one.kind === 'rotate') {
            await keyring.sealing.rotate();
            for (const known of given.values()) known.endsAtMs = Math.min(known.endsAtMs, clock.nowMs());
          }
          if (one.kind === 'ask') {
            const key = await subkeys.current();
            expect(clock.nowMs()).toBeGreaterThanOrEqual(key.notBeforeMs);
            expect(clock.nowMs()).toBeLessThan(key.notAfterMs);
            const name = String(key.publicKey);
            if (!given.has(name)) given.set(name, { key, endsAtMs: key.notBeforeMs + AGE });
          }
          for (const { key, endsAtMs } of given.values()) {
            expect(isOpenable(key)).toBe(clock.nowMs() < endsAtMs + GRACE);
          }
        }
        clock.advance(AGE + GRACE);
        await subkeys.tend();
        expect(kept()).toBe(1);
      }),
      { numRuns: 60 },
    );
  });
});
