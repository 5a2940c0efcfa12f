import * as nodeFs from 'node:fs';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { open, seal } from '@usufruct/crypto';
import { asTimestampMs, fromHex, utf8 } from '@usufruct/kernel';
import { idOf, ManualClock, seededRandom } from '@usufruct/testing';
import { deriveHolderKeys, type HolderKeys } from '../identity.js';
import { openDatabase } from '../store/database.js';
import { Keyring, type KeyringParts } from './keyring.js';
import type { FileSystem } from './keyring-file.js';
import { keyringPartsOf, openKeyring } from './open.js';

let folder: string;
let keys: HolderKeys;
let other: HolderKeys;
let clock: ManualClock;
let parts: KeyringParts;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyring-'));
  keys = await deriveHolderKeys(fromHex(idOf('secret')));
  other = await deriveHolderKeys(fromHex(idOf('other')));
  clock = new ManualClock();
  parts = keyringPartsOf({ dataDir: folder, keys, clock, random: seededRandom('keyring') });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = () => join(parts.dir, 'keyring');
const shown = (keyring: Keyring) =>
  JSON.stringify({ storage: keyring.storage.all(), sealing: keyring.sealing.openable() });

describe("a holder's keyring", () => {
  it('is as it was when it is opened again, in a file that nobody else may read', async () => {
    const made = await Keyring.create(parts);
    made.storage.rotate();
    await made.sealing.rotate();
    expect(shown(Keyring.open(parts))).toBe(shown(made));
    expect(readdirSync(parts.dir)).toEqual(['keyring']);
    expect([statSync(parts.dir).mode & 0o777, statSync(file()).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  it('has no key in its file, nor follows from the secret', async () => {
    const made = await Keyring.create(parts);
    const bytes = readFileSync(file());
    for (const key of [made.storage.current().key, made.sealing.current().privateKey])
      for (const text of [key, Buffer.from(key).toString('base64'), Buffer.from(key).toString('hex')])
        expect(bytes.includes(typeof text === 'string' ? text : Buffer.from(text))).toBe(false);
    const second = keyringPartsOf({ ...parts, dataDir: join(folder, 'second'), keys, random: seededRandom('second') });
    expect((await Keyring.create(second)).storage.current().key).not.toEqual(made.storage.current().key);
  });

  it('gives each generation of the storage key until it is destroyed, in memory and in the file', async () => {
    const keyring = await Keyring.create(parts);
    const first = keyring.storage.current();
    clock.advance(1_000);
    const second = keyring.storage.rotate();
    expect(keyring.storage.current()).toBe(second);
    expect(second.createdAtMs - first.createdAtMs).toBe(1_000);
    expect(Keyring.open(parts).storage.byId(first.id)).toEqual(first);
    expect(() => keyring.storage.destroy(second.id)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    keyring.storage.destroy(first.id);
    keyring.storage.destroy(first.id);
    expect([keyring.storage.byId(first.id), Keyring.open(parts).storage.all()]).toEqual([undefined, [second]]);
    expect(first.key).toEqual(new Uint8Array(32));
  });

  it('opens what was sealed to a retired key until that is destroyed', async () => {
    const keyring = await Keyring.create(parts);
    const first = keyring.sealing.current();
    const sealed = await seal({
      recipientPublicKey: first.publicKey,
      info: utf8('i'),
      aad: utf8(''),
      plaintext: utf8('share'),
    });
    const opens = () =>
      Promise.any(
        keyring.sealing
          .openable()
          .map(({ privateKey }) => open({ privateKey, info: utf8('i'), aad: utf8(''), sealed })),
      ).then(String, () => null);
    const retiredAtMs = clock.nowMs();
    const second = await keyring.sealing.rotate();
    expect(keyring.sealing.openable()).toEqual([second, { ...first, retiredAtMs }]);
    expect(keyring.sealing.destroyRetired(retiredAtMs)).toBe(0);
    expect(await opens()).toBe(String(utf8('share')));
    expect(keyring.sealing.destroyRetired(asTimestampMs(retiredAtMs + 1))).toBe(1);
    expect(await opens()).toBeNull();
    expect(shown(Keyring.open(parts))).toBe(JSON.stringify({ storage: keyring.storage.all(), sealing: [second] }));
    expect(keyring.sealing.destroyRetired(Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  it('has one current sealing key when two rotations meet', async () => {
    const keyring = await Keyring.create(parts);
    await Promise.all([keyring.sealing.rotate(), keyring.sealing.rotate()]);
    expect(keyring.sealing.openable().map(({ retiredAtMs }) => retiredAtMs === null)).toEqual([true, false, false]);
    expect(shown(Keyring.open(parts))).toBe(shown(keyring));
  });

  it('is never made where there is one', async () => {
    const made = await Keyring.create(parts);
    await expect(Keyring.create(parts)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(shown(Keyring.open(parts))).toBe(shown(made));
  });
});

describe('a keyring is refused', () => {
  const changed = (change: (bytes: Buffer) => Uint8Array) => writeFileSync(file(), change(readFileSync(file())));
  const flipped = (at: number) => () =>
    changed((bytes) => {
      const place = at < 0 ? bytes.length + at : at;
      bytes[place]! ^= 1;
      return bytes;
    });
  it.each<[string, () => void, string, string]>([
    ['that is empty', () => changed(() => Buffer.alloc(0)), 'KEYRING_DIR', 'no keyring of this version'],
    ['of another version', flipped(7), 'KEYRING_DIR', 'no keyring of this version'],
    ['of another holder', flipped(9), 'HOLDER_SECRET', 'the keyring belongs to another identity'],
    ['with another nonce', flipped(45), 'KEYRING_DIR', 'the keyring was altered'],
    ['that was altered', flipped(100), 'KEYRING_DIR', 'the keyring was altered'],
    ['with another tag', flipped(-1), 'KEYRING_DIR', 'the keyring was altered'],
    ['that was cut', () => changed((bytes) => bytes.subarray(0, -1)), 'KEYRING_DIR', 'the keyring was altered'],
    [
      'that was cut to its header',
      () => changed((bytes) => bytes.subarray(0, 52)),
      'KEYRING_DIR',
      'no keyring of this version',
    ],
    ['that is missing', () => rmSync(file()), 'KEYRING_DIR', 'there is no keyring'],
  ])('%s', async (_what, damage, setting, reason) => {
    await Keyring.create(parts);
    damage();
    const refusal = expect.objectContaining({ code: 'CONFIG_INVALID', details: { setting, reason } });
    expect(() => Keyring.open(parts)).toThrow(refusal);
  });

  it('with another secret', async () => {
    await Keyring.create(parts);
    const refusal = { code: 'CONFIG_INVALID', details: { setting: 'HOLDER_SECRET' } };
    const asked = openKeyring({ ...parts, dataDir: folder, keys: other });
    await expect(asked).rejects.toMatchObject(refusal);
    const mixed = { ...parts, lock: { ...parts.lock, key: other.keyring } };
    expect(() => Keyring.open(mixed)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('where the data has lost its own: a new one would open nothing of it', async () => {
    const settings = { ...parts, dataDir: folder, keys };
    const made = await openKeyring(settings);
    openDatabase(folder, 'me').close();
    expect(shown(await openKeyring(settings))).toBe(shown(made));
    rmSync(file());
    await expect(openKeyring(settings)).rejects.toMatchObject({ details: { setting: 'KEYRING_DIR' } });
  });
});

describe('a process that dies while it changes its keyring', () => {
  class Killed extends Error {}
  /** Dies before its `steps`-th call, and does nothing more. */
  function mortal(steps: number): FileSystem {
    let left = steps;
    return new Proxy(nodeFs, {
      get: (target, name) => {
        const real: unknown = Reflect.get(target, name);
        if (typeof real !== 'function') return real;
        return (...given: unknown[]): unknown => {
          if (left-- <= 0) throw new Killed();
          return Reflect.apply(real, target, given);
        };
      },
    });
  }
  const changes: readonly [string, (keyring: Keyring) => unknown][] = [
    ['makes a storage key', (keyring) => keyring.storage.rotate()],
    ['destroys a storage key', (keyring) => keyring.storage.destroy(keyring.storage.all()[0]!.id)],
    ['makes a sealing key', (keyring) => keyring.sealing.rotate()],
  ];
  it.each(changes)('has the one before or the one after: it %s', async (_what, change) => {
    const dirOf = (steps: number) => ({ ...parts, dir: join(folder, String(steps)) });
    let survived = false;
    const seen = new Set<string>();
    for (let steps = 0; !survived; steps += 1) {
      expect(steps).toBeLessThan(200);
      const here = dirOf(steps);
      const made = await Keyring.create({ ...here, random: seededRandom('same') });
      made.storage.rotate();
      const before = shown(made);
      const dying = (() => {
        try {
          return Keyring.open({ ...here, fs: mortal(steps), random: seededRandom('next') });
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
          return null;
        }
      })();
      if (dying !== null) {
        survived = await Promise.resolve()
          .then(() => change(dying))
          .then(
            () => true,
            (error: unknown) => {
              if (!(error instanceof Killed)) throw error;
              return false;
            },
          );
      }
      const left = Keyring.open(here);
      seen.add(shown(left) === before ? 'before' : 'after');
      // Whoever opens it next finds no second copy, and can go on.
      expect(readdirSync(here.dir)).toEqual(['keyring']);
      left.storage.rotate();
      expect(shown(Keyring.open(here))).toBe(shown(left));
    }
    expect([...seen]).toEqual(['before', 'after']);
  });

  it('has overwritten what it replaced, also when the next process has to', async () => {
    const made = await Keyring.create(parts);
    const second = join(folder, 'second-name');
    nodeFs.linkSync(file(), second);
    const before = readFileSync(second);
    made.storage.rotate();
    expect(readFileSync(second)).toHaveLength(before.length);
    expect(readFileSync(second).equals(before)).toBe(false);
    // Died after the new one had taken its place, before the old one was overwritten.
    const old = readFileSync(file());
    nodeFs.linkSync(file(), `${file()}.old`);
    nodeFs.linkSync(file(), `${second}-2`);
    writeFileSync(`${file()}.new`, old);
    nodeFs.renameSync(`${file()}.new`, file());
    Keyring.open(parts);
    expect(readFileSync(`${second}-2`).equals(old)).toBe(false);
    expect(readFileSync(file()).equals(old)).toBe(true);
  });
});
