import * as nodeFs from 'node:fs';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppraisalDesk, productionRoots } from '@usufruct/attestation';
import { fromHex, toHex, utf8, type Address, type ContributionId, type Digest } from '@usufruct/kernel';
import { inTransaction } from '@usufruct/service';
import { aDataset, aHolderSet, FakeChain, idOf, ManualClock, seededRandom, TEST_NOW_MS } from '@usufruct/testing';
import { makeHolder, type Holder } from '../holder.js';
import { deriveHolderKeys, type HolderKeys } from '../identity.js';
import { generationOf } from '../store/at-rest.js';
import { openDatabase } from '../store/database.js';
import type { NewShare } from '../store/shares.js';
import { Keyring } from './keyring.js';
import type { FileSystem } from './keyring-file.js';
import { keyringPartsOf, openKeyring } from './open.js';
import { ENCRYPTED_TABLES, rotateStorage, rotateStorageIfDue } from './rotate-storage.js';

const DAY_MS = 86_400_000;
const random = seededRandom('rotation');
let folder: string;
let keys: HolderKeys;
let clock: ManualClock;
let said: string[];
let open: Holder[];

beforeAll(async () => {
  keys = await deriveHolderKeys(fromHex(idOf('secret')));
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotate-storage-'));
  clock = new ManualClock();
  said = [];
  open = [];
});
afterEach(() => {
  for (const { database } of open) if (database.isOpen) database.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Mortality {
  readonly database: (database: DatabaseSync) => DatabaseSync;
  readonly fs: FileSystem;
}
async function holderIn(dataDir: string, mortality?: Mortality): Promise<Holder> {
  const settings = { dataDir, keys, clock, random };
  const made = await openKeyring(settings);
  const keyring = mortality === undefined ? made : Keyring.open({ ...keyringPartsOf(settings), fs: mortality.fs });
  const database = openDatabase(dataDir, toHex(keys.signing.publicKey));
  const log = (event: string): void => void said.push(event);
  const holder = makeHolder({
    keys,
    keyring,
    database: mortality?.database(database) ?? database,
    chain: new FakeChain(),
    desk: new AppraisalDesk({ roots: productionRoots() }),
    standIns: [],
    clock,
    random,
    logger: { info: log, warn: log, error: log },
  });
  open.push({ ...holder, database });
  return holder;
}

/** Rows of every table that is encrypted, each with its own plaintext. */
function fill({ database, atRest }: Holder, rowsOfEach: number): void {
  inTransaction(database, () => {
    for (const { table, aboutRow } of ENCRYPTED_TABLES) {
      const columns = database.prepare(`PRAGMA table_info(${table})`).all() as { name: string; type: string }[];
      for (let n = 0; n < rowsOfEach; n += 1) {
        const row = Object.fromEntries(
          columns.map(({ name, type }) => {
            if (type === 'INTEGER') return [name, n];
            return [name, type === 'TEXT' ? idOf(`${table} ${name} ${n}`) : utf8(`${name} ${n}`)];
          }),
        );
        row['encrypted'] = atRest.encrypt(aboutRow(row), utf8(`${table} ${n}`));
        const places = columns.map(() => '?').join(', ');
        database.prepare(`INSERT INTO ${table} VALUES (${places})`).run(...columns.map(({ name }) => row[name]!));
      }
    }
  });
}
/** What opens, and under how many generations it is. */
function opened({ database, atRest }: Pick<Holder, 'database' | 'atRest'>): { texts: string[]; generations: string[] } {
  const texts: string[] = [];
  const generations = new Set<string>();
  for (const { table, aboutRow } of ENCRYPTED_TABLES) {
    for (const row of database.prepare(`SELECT * FROM ${table}`).all()) {
      const encrypted = row['encrypted'] as Uint8Array;
      generations.add(generationOf(encrypted));
      try {
        texts.push(new TextDecoder().decode(atRest.decrypt(aboutRow(row), encrypted)));
      } catch {
        // counted by its absence
      }
    }
  }
  return { texts: texts.sort(), generations: [...generations] };
}
const expectedTexts = (rowsOfEach: number): string[] =>
  ENCRYPTED_TABLES.flatMap(({ table }) => Array.from({ length: rowsOfEach }, (_, n) => `${table} ${n}`)).sort();
const filesIn = (dir: string): Buffer[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name)));

describe('a rotation of the storage key', () => {
  it('leaves every row readable, under the new key alone, and nothing under the old one in the files', async () => {
    const holder = await holderIn(join(folder, 'data'));
    fill(holder, 300);
    const old = holder.keyring.storage.current();
    expect(filesIn(join(folder, 'data')).some((bytes) => bytes.includes(Buffer.from(old.id, 'hex')))).toBe(true);
    await rotateStorage(holder);
    const now = holder.keyring.storage.current();
    expect(now.id).not.toBe(old.id);
    expect(opened(holder)).toEqual({ texts: expectedTexts(300), generations: [now.id] });
    expect(holder.keyring.storage.all()).toEqual([now]);
    expect(filesIn(join(folder, 'data')).some((bytes) => bytes.includes(Buffer.from(old.id, 'hex')))).toBe(false);
  });

  it("makes an older copy of the database useless to who has today's keyring and the secret", async () => {
    const data = join(folder, 'data');
    const holder = await holderIn(data);
    fill(holder, 3);
    const copy = join(folder, 'copy');
    cpSync(data, copy, { recursive: true });
    await rotateStorage(holder);
    rmSync(join(copy, 'keyring'), { recursive: true });
    const thief = openDatabase(copy, toHex(keys.signing.publicKey));
    expect(opened({ database: thief, atRest: holder.atRest }).texts).toEqual([]);
    thief.close();
    cpSync(join(data, 'keyring'), join(copy, 'keyring'), { recursive: true });
    await expect(holderIn(copy)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { setting: 'KEYRING_DIR', reason: 'the keyring is not of the same time as the data' },
    });
  });

  it('is refused where the keyring is older than the data', async () => {
    const data = join(folder, 'data');
    const holder = await holderIn(data);
    const kept = join(folder, 'kept');
    cpSync(join(data, 'keyring'), kept, { recursive: true });
    fill(holder, 1);
    await rotateStorage(holder);
    cpSync(kept, join(data, 'keyring'), { recursive: true });
    await expect(holderIn(data)).rejects.toMatchObject({ details: { setting: 'KEYRING_DIR' } });
  });

  it('loses nothing that is written, or written anew in another order, while it goes on', async () => {
    const holder = await holderIn(join(folder, 'data'));
    fill(holder, 600);
    const { id: datasetId } = aDataset();
    const share = (n: number): NewShare => ({
      manifestDigest: idOf<Digest>(`written meanwhile ${n}`),
      contributionId: idOf<ContributionId>(`c ${n}`),
      datasetId,
      owner: idOf<Address>('owner'),
      holderSetId: aHolderSet().id,
      index: 2,
      version: 1,
      commitments: null,
      share: utf8(`shares meanwhile ${n}`),
    });
    // As they were read before: these open also when they were encrypted anew since.
    const [early] = [holder.shares.find(idOf<Digest>('shares manifest_digest 0'))!];
    const work = { isDone: false };
    const rotated = rotateStorage(holder).finally(() => (work.isDone = true));
    let written = 0;
    for (; !work.isDone; await nextTurn()) {
      if (written < 20) holder.shares.insert(share(written++), TEST_NOW_MS);
      if (written === 5) {
        holder.database.exec('DELETE FROM shares WHERE share_index % 2 = 1 AND share_index < 400; VACUUM');
      }
    }
    await rotated;
    expect(written).toBeGreaterThan(5);
    const now = holder.keyring.storage.current().id;
    const { texts, generations } = opened(holder);
    expect(generations).toEqual([now]);
    expect(texts.filter((text) => text.startsWith('shares meanwhile'))).toHaveLength(written);
    expect(texts.filter((text) => /^shares [0-9]/.test(text))).toHaveLength(400);
    expect(new TextDecoder().decode(holder.shares.decrypt(early))).toBe('shares 0');
  });

  it('leaves a row as it is that does not open, and says so', async () => {
    const holder = await holderIn(join(folder, 'data'));
    fill(holder, 2);
    const damage = `UPDATE shares SET encrypted = CAST(substr(encrypted, 1, 30) || x'00' AS BLOB) WHERE share_index = 0`;
    holder.database.exec(damage);
    await rotateStorage(holder);
    expect(said.filter((event) => event === 'storage.row_broken')).toHaveLength(1);
    expect(opened(holder).texts).toEqual(expectedTexts(2).filter((text) => text !== 'shares 0'));
    expect(holder.keyring.storage.all()).toHaveLength(1);
  });

  it('is due when the key is old, when something was destroyed, and when one was interrupted', async () => {
    const holder = await holderIn(join(folder, 'data'));
    const { keyring, database, scrubber } = holder;
    const rotates = async (): Promise<boolean> => {
      const before = keyring.storage.current().id;
      await rotateStorageIfDue(holder);
      return keyring.storage.current().id !== before;
    };
    expect(await rotates()).toBe(false);
    clock.advance(7 * DAY_MS - 1);
    expect(await rotates()).toBe(false);
    clock.advance(1);
    expect([await rotates(), await rotates()]).toEqual([true, false]);
    inTransaction(database, () => scrubber.note([utf8('a destroyed share')]));
    expect([await rotates(), await rotates()]).toEqual([true, false]);
    keyring.storage.rotate();
    expect(await rotates()).toBe(false); // it goes on under the key that it began with
    expect(keyring.storage.all()).toHaveLength(1);
  });

  it('rests for twenty times as long as the last one took, whatever is destroyed', async () => {
    const holder = await holderIn(join(folder, 'data'));
    const { keyring, database, scrubber, rotations } = holder;
    rotations.took(clock.nowMs(), clock.nowMs());
    rotations.took(TEST_NOW_MS, clock.nowMs());
    const destroyed = () => inTransaction(database, () => scrubber.note([utf8('another')]));
    destroyed();
    const startMs = clock.nowMs();
    clock.advance(100);
    rotations.took(startMs, clock.nowMs());
    expect(rotations.isDue(keyring, clock.nowMs())).toBe(false);
    clock.advance(1_999);
    expect(rotations.isDue(keyring, clock.nowMs())).toBe(false);
    clock.advance(1);
    expect(rotations.isDue(keyring, clock.nowMs())).toBe(true);
  });
});

describe('a holder that dies while it rotates its storage key', () => {
  class Killed extends Error {}
  interface Death extends Mortality {
    arm(): void;
  }
  /** What writes counts, once armed; at the last step the files are copied as they are, and nothing is written any more. */
  function dyingAfter(steps: number, atDeath: () => void): Death {
    let left = Number.POSITIVE_INFINITY;
    const step = (): void => {
      if (left === 0) atDeath();
      left -= 1;
      if (left < 0) throw new Killed();
    };
    const counted = <T extends object>(target: T, counts: (name: string) => boolean): T =>
      new Proxy(target, {
        get: (_target, name) => {
          const real: unknown = Reflect.get(target, name);
          if (typeof real !== 'function') return real;
          return (...given: unknown[]): unknown => {
            if (counts(String(name))) step();
            const result: unknown = Reflect.apply(real, target, given);
            return name === 'prepare' ? counted(result as StatementSync, isStep) : result;
          };
        },
      });
    const isStep = (name: string): boolean => ['exec', 'run'].includes(name);
    const isFileStep = (name: string): boolean => /^(open|write|link|rename|unlink)/.test(name);
    return {
      database: (database) => counted(database, isStep),
      fs: counted(nodeFs, isFileStep),
      arm: () => void (left = steps),
    };
  }

  it('has lost no row, whichever step was its last, and goes on from there', async () => {
    const ROWS = 1;
    const seen = { both: 0, one: 0 };
    const source = join(folder, 'source');
    const first = await holderIn(source);
    fill(first, ROWS);
    const before = first.keyring.storage.current().id;
    first.database.close();
    let survived = false;
    for (let steps = 0; !survived; steps += 1) {
      expect(steps).toBeLessThan(400);
      const [data, left] = [join(folder, `life-${steps}`), join(folder, `left-${steps}`)];
      cpSync(source, data, { recursive: true });
      const death = dyingAfter(steps, () => cpSync(data, left, { recursive: true }));
      const dying = await holderIn(data, death);
      death.arm();
      survived = await rotateStorage(dying).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          return false;
        },
      );
      open.at(-1)!.database.close();
      const after = survived ? data : left;
      const next = await holderIn(after);
      expect(opened(next).texts).toEqual(expectedTexts(ROWS));
      seen[next.keyring.storage.all().length === 2 ? 'both' : 'one'] += 1;
      await rotateStorageIfDue(next);
      await next.scrubber.finish();
      const { id } = next.keyring.storage.current();
      expect(opened(next)).toEqual({ texts: expectedTexts(ROWS), generations: [id] });
      expect(next.keyring.storage.all()).toHaveLength(1);
      next.database.close();
      if (id !== before) expect(filesIn(after).some((bytes) => bytes.includes(Buffer.from(before, 'hex')))).toBe(false);
      for (const dir of [data, left]) rmSync(dir, { recursive: true, force: true });
    }
    expect(seen.both).toBeGreaterThan(10);
    expect(seen.one).toBeGreaterThan(5);
  });
});
