import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppraisalDesk, productionRoots } from '@usufruct/attestation';
import { asTimestampMs, fromHex, toHex, utf8, type Address, type ContributionId, type Digest } from '@usufruct/kernel';
import { BACKUP_LIMITS } from '@usufruct/protocol';
import { aDataset, aHolderSet, FakeChain, idOf, ManualClock, seededRandom, TEST_NOW_MS } from '@usufruct/testing';
import { makeHolder, type Holder } from '../holder.js';
import { deriveHolderKeys, type HolderKeys } from '../identity.js';
import { openKeyring } from '../keyring/open.js';
import { rotateStorage, rotateStorageIfDue } from '../keyring/rotate-storage.js';
import { openDatabase } from '../store/database.js';
import { backUp, startBackingUp } from './backing-up.js';
import { removeUnfinished } from './make-backup.js';
import { makeBackupKey } from './recipient.js';
import { restoreBackup, type RestoreParts } from './restore.js';

const DAY_MS = 86_400_000;
const random = seededRandom('backups');
let folder: string;
let keys: HolderKeys;
let other: HolderKeys;
let clock: ManualClock;
let said: string[];
let open: Holder[];
/** Text of the private key's file, by the recipient's. */
let offline: { recipientFile: string; privateFile: string };

beforeAll(async () => {
  keys = await deriveHolderKeys(fromHex(idOf('secret')));
  other = await deriveHolderKeys(fromHex(idOf('other')));
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backup-'));
  clock = new ManualClock();
  said = [];
  open = [];
  offline = await makeBackupKey(random, clock.nowMs(), 90 * DAY_MS);
  writeFileSync(recipientFile(), offline.recipientFile);
});
afterEach(() => {
  for (const { database } of open) if (database.isOpen) database.close();
  rmSync(folder, { recursive: true, force: true });
});

const recipientFile = (): string => join(folder, 'recipient.json');
const settings = () => ({ dir: join(folder, 'backups'), recipientFile: recipientFile(), retentionMs: 30 * DAY_MS });
const data = (): string => join(folder, 'data');
const restoring = (file: string, changes: Partial<RestoreParts> = {}): RestoreParts => ({
  file,
  privateKey: offline.privateFile,
  dataDir: join(folder, 'restored'),
  keys,
  clock,
  random,
  ...changes,
});

async function holderIn(dataDir: string, as = keys): Promise<Holder> {
  const keyring = await openKeyring({ dataDir, keys: as, clock, random });
  const database = openDatabase(dataDir, toHex(as.signing.publicKey));
  const log = (event: string): void => void said.push(event);
  const holder = makeHolder({
    keys: as,
    keyring,
    database,
    chain: new FakeChain(),
    desk: new AppraisalDesk({ roots: productionRoots() }),
    standIns: [],
    clock,
    random,
    logger: { info: log, warn: log, error: log },
  });
  open.push(holder);
  return holder;
}
const digestAt = (n: number): Digest => idOf<Digest>(`manifest ${n}`);
const shareAt = (n: number) => utf8(`share ${n} of somebody's key, in clear`);
function deposit({ shares }: Holder, n: number): void {
  const row = {
    manifestDigest: digestAt(n),
    contributionId: idOf<ContributionId>(`contribution ${n}`),
    datasetId: aDataset().id,
    owner: idOf<Address>('owner'),
    holderSetId: aHolderSet().id,
    index: 1,
    version: 1,
    commitments: null,
    share: shareAt(n),
  };
  shares.insert(row, TEST_NOW_MS);
}
const sharesOf = ({ shares }: Holder, count: number): (string | null)[] =>
  Array.from({ length: count }, (_, n) => {
    const stored = shares.find(digestAt(n));
    return stored === undefined ? null : new TextDecoder().decode(shares.decrypt(stored));
  });
const expectedShares = (count: number) => Array.from({ length: count }, (_, n) => new TextDecoder().decode(shareAt(n)));

describe('a backup of a holder', () => {
  it('gives all of it back, to who has the secret and the private key, and nothing to who has neither', async () => {
    const holder = await holderIn(data());
    for (let n = 0; n < 5; n += 1) deposit(holder, n);
    const { path } = await backUp(holder, settings());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(path);
    const secrets = [idOf('contribution 1').slice(2), toHex(holder.keyring.storage.current().key), 'CREATE TABLE'];
    for (const text of secrets) expect(bytes.includes(text)).toBe(false);
    expect(await restoreBackup(restoring(path))).toEqual({ createdAtMs: clock.nowMs(), logSize: 0 });
    const restored = await holderIn(join(folder, 'restored'));
    expect(sharesOf(restored, 5)).toEqual(expectedShares(5));
    expect(readdirSync(join(folder, 'restored')).filter((name) => name.startsWith('restoring'))).toEqual([]);
  });

  it('leaves nothing in clear behind, also of one that was killed in the middle', async () => {
    const holder = await holderIn(data());
    deposit(holder, 0);
    mkdirSync(join(data(), 'backup-left'));
    writeFileSync(join(data(), 'backup-left', 'snapshot.sqlite'), 'left');
    await backUp(holder, settings());
    expect(readdirSync(data()).filter((name) => name.startsWith('backup-'))).toEqual(['backup-left']);
    removeUnfinished(data());
    expect(readdirSync(data()).filter((name) => name.startsWith('backup-'))).toEqual([]);
    expect(readdirSync(settings().dir)).toHaveLength(1);
  });

  it('of many pieces is whole, whatever is written meanwhile', async () => {
    const holder = await holderIn(data());
    const insert = holder.database.prepare('INSERT INTO leaves VALUES (?, ?, ?)');
    for (let i = 0; i < 40; i += 1) insert.run(i, idOf('subject'), random(60_000));
    deposit(holder, 0);
    const making = backUp(holder, settings());
    for (let n = 1; n < 20; n += 1) {
      deposit(holder, n);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { path, bytes } = await making;
    expect(bytes).toBeGreaterThan(2 * BACKUP_LIMITS.chunkBytes);
    expect((await restoreBackup(restoring(path))).logSize).toBe(40);
    const restored = await holderIn(join(folder, 'restored'));
    const found = sharesOf(restored, 20).filter((share) => share !== null);
    expect(found.length).toBeGreaterThan(0);
    expect(found).toEqual(expectedShares(20).slice(0, found.length));
    expect(restored.log.size).toBe(40);
  });

  it('in the middle of a rotation has the keys of both generations; restored, it is rotated past all that is in it', async () => {
    const holder = await holderIn(data());
    deposit(holder, 0);
    holder.keyring.storage.rotate();
    deposit(holder, 1);
    const { path } = await backUp(holder, settings());
    await restoreBackup(restoring(path));
    const restored = await holderIn(join(folder, 'restored'));
    expect(sharesOf(restored, 2)).toEqual(expectedShares(2));
    const inBackup = holder.keyring.storage.all().map(({ id }) => id);
    expect(restored.keyring.storage.all().map(({ id }) => inBackup.includes(id))).toEqual([true, true, false]);
    await rotateStorageIfDue(restored);
    expect(restored.keyring.storage.all().map(({ id }) => inBackup.includes(id))).toEqual([false]);
    expect(sharesOf(restored, 2)).toEqual(expectedShares(2));
    // None of the keys that shares are sealed to is in a backup.
    expect(restored.keyring.sealing.openable()).toHaveLength(1);
    expect(restored.keyring.sealing.current().publicKey).not.toEqual(holder.keyring.sealing.current().publicKey);
  });

  it('waits for a rotation, and a rotation for it', async () => {
    const holder = await holderIn(data());
    for (let n = 0; n < 300; n += 1) deposit(holder, n);
    const [, { path }] = await Promise.all([rotateStorage(holder), backUp(holder, settings()), rotateStorage(holder)]);
    await restoreBackup(restoring(path));
    expect(sharesOf(await holderIn(join(folder, 'restored')), 300)).toEqual(expectedShares(300));
  });

  it('is noted before it is begun, with the time at which its private key is to be destroyed', async () => {
    const holder = await holderIn(data());
    expect(holder.backups.openableUntilMs(clock.nowMs())).toBe(0);
    rmSync(settings().dir, { recursive: true, force: true });
    writeFileSync(settings().dir, 'no folder');
    await expect(backUp(holder, settings())).rejects.toThrow();
    expect(holder.backups.openableUntilMs(clock.nowMs())).toBe(clock.nowMs() + 90 * DAY_MS);
  });

  it('that is restored knows of those that were made after it, by the files beside it', async () => {
    const holder = await holderIn(data());
    const { path } = await backUp(holder, settings());
    clock.advance(DAY_MS);
    const next = await makeBackupKey(random, clock.nowMs(), 200 * DAY_MS);
    writeFileSync(recipientFile(), next.recipientFile);
    await backUp(holder, settings());
    await restoreBackup(restoring(path));
    const restored = await holderIn(join(folder, 'restored'));
    expect(restored.backups.openableUntilMs(clock.nowMs())).toBe(clock.nowMs() + 200 * DAY_MS);
  });
});

describe('old backups', () => {
  const names = () => readdirSync(settings().dir).sort();

  it('go when they are older than the retention or their recipient has expired, and no others', async () => {
    const holder = await holderIn(data());
    const first = await backUp(holder, settings());
    clock.advance(29 * DAY_MS);
    const short = await makeBackupKey(random, clock.nowMs(), DAY_MS);
    writeFileSync(recipientFile(), short.recipientFile);
    const second = await backUp(holder, settings());
    writeFileSync(recipientFile(), offline.recipientFile);
    for (const name of ['notes.txt', 'key-holder-0000000000000000-00000000000001.backup'])
      writeFileSync(join(settings().dir, name), 'of somebody else');
    const unfinished = `${first.path}.unfinished`;
    writeFileSync(unfinished, 'killed');
    clock.advance(DAY_MS);
    const third = await backUp(holder, settings());
    expect([first, second, third].map(({ path }) => existsSync(path))).toEqual([true, false, true]);
    expect(existsSync(unfinished)).toBe(false);
    clock.advance(1);
    const fourth = await backUp(holder, settings());
    expect([first, third, fourth].map(({ path }) => existsSync(path))).toEqual([false, true, true]);
    expect(names()).toHaveLength(4);
  });

  it('stay where no newer one can be made: an expired recipient is refused', async () => {
    const holder = await holderIn(data());
    const { path } = await backUp(holder, settings());
    clock.advance(90 * DAY_MS);
    await expect(backUp(holder, settings())).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { setting: 'BACKUP_RECIPIENT', reason: 'it has expired: make another one' },
    });
    expect(existsSync(path)).toBe(true);
  });

  it('cannot be opened with another private key: who destroyed theirs has lost what is in them', async () => {
    const holder = await holderIn(data());
    deposit(holder, 0);
    const { path } = await backUp(holder, settings());
    const next = await makeBackupKey(random, clock.nowMs(), 90 * DAY_MS);
    const forged = JSON.parse(next.privateFile) as { recipient: unknown };
    forged.recipient = JSON.parse(offline.recipientFile);
    for (const privateKey of [next.privateFile, JSON.stringify(forged)]) {
      await expect(restoreBackup(restoring(path, { privateKey }))).rejects.toMatchObject({
        code: 'BACKUP_INVALID',
        details: { check: 'recipient' },
      });
    }
    expect(existsSync(join(folder, 'restored', 'key-holder.sqlite'))).toBe(false);
  });

  it('are not opened after their time, whoever kept the private key', async () => {
    const { path } = await backUp(await holderIn(data()), settings());
    clock.advance(90 * DAY_MS);
    await expect(restoreBackup(restoring(path))).rejects.toMatchObject({ details: { check: 'expired' } });
  });
});

describe('making them on a timer', () => {
  it('begins at once, goes on after each interval, also over a restart, and says what failed', async () => {
    const holder = await holderIn(data());
    const rule = { ...settings(), intervalMs: DAY_MS };
    const once = async (): Promise<void> => startBackingUp(holder, rule).stop();
    await once();
    await once();
    expect(said.splice(0)).toEqual(['backup.made']);
    clock.advance(DAY_MS);
    await once();
    expect(readdirSync(rule.dir)).toHaveLength(2);
    clock.advance(DAY_MS);
    writeFileSync(recipientFile(), '{}');
    await once();
    expect(said).toEqual(['backup.made', 'backup.failed']);
  });
});

describe('a recipient is refused', () => {
  const changed = (change: Record<string, unknown>) =>
    JSON.stringify({ ...(JSON.parse(offline.recipientFile) as object), ...change });
  it.each<[string, () => string]>([
    ['that is no JSON', () => 'recipient'],
    ['that is a private key', () => offline.privateFile],
    ['with another expiry', () => changed({ expiresAtMs: TEST_NOW_MS + 91 * DAY_MS })],
    ['with another key', () => changed({ publicKey: Buffer.alloc(32, 7).toString('base64') })],
    ['with a short key', () => changed({ publicKey: 'AAAA' })],
    ['of another version', () => changed({ version: 2 })],
  ])('%s', async (_what, text) => {
    writeFileSync(recipientFile(), text());
    await expect(backUp(await holderIn(data()), settings())).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { setting: 'BACKUP_RECIPIENT' },
    });
  });

  it.each([0, -1, 367 * DAY_MS])('with a term of %d ms, before it is made', async (termMs) => {
    await expect(makeBackupKey(random, clock.nowMs(), termMs)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('restoring refuses', () => {
  /** Where the pieces begin: magic, length, header, signature. */
  const start = (bytes: Buffer): number => 12 + bytes.readUInt32LE(8) + 64;
  const pieces = (bytes: Buffer): Buffer[] => {
    const found: Buffer[] = [];
    for (let at = start(bytes); at < bytes.length;) {
      const end = at + 4 + bytes.readUInt32LE(at);
      found.push(bytes.subarray(at, end));
      at = end;
    }
    return found;
  };
  const rewrite = (path: string, change: (bytes: Buffer) => Buffer) => writeFileSync(path, change(readFileSync(path)));
  const inPieces = (path: string, change: (found: Buffer[]) => Buffer[]) =>
    rewrite(path, (bytes) => Buffer.concat([bytes.subarray(0, start(bytes)), ...change(pieces(bytes))]));
  const flip = (path: string, at: (bytes: Buffer) => number) =>
    rewrite(path, (bytes) => {
      bytes[at(bytes)]! ^= 1;
      return bytes;
    });

  let path: string;
  let second: string;
  /** Two backups of one holder, made once. */
  let kept: { readonly dir: string; readonly offline: typeof offline; readonly names: readonly [string, string] };
  beforeEach(async () => {
    kept ??= await makeTwo();
    offline = kept.offline;
    clock.advance(1_000);
    cpSync(kept.dir, settings().dir, { recursive: true });
    [path, second] = [join(settings().dir, kept.names[0]), join(settings().dir, kept.names[1])];
  });
  afterAll(() => rmSync(kept.dir, { recursive: true, force: true }));

  async function makeTwo(): Promise<typeof kept> {
    const holder = await holderIn(data());
    const insert = holder.database.prepare('INSERT INTO leaves VALUES (?, ?, ?)');
    for (let i = 0; i < 40; i += 1) insert.run(i, idOf('subject'), random(60_000));
    const dir = mkdtempSync(join(tmpdir(), 'kept-backups-'));
    const first = await backUp(holder, { ...settings(), dir });
    clock.advance(1_000);
    const next = await backUp(holder, { ...settings(), dir });
    clock = new ManualClock();
    return { dir, offline, names: [basename(first.path), basename(next.path)] };
  }

  it.each<[string, string, () => void]>([
    ['an empty file', 'format', () => truncateSync(path)],
    ['what is no backup', 'format', () => flip(path, () => 0)],
    ['another version of it', 'format', () => flip(path, () => 7)],
    ['a header that claims to be long', 'format', () => flip(path, () => 10)],
    ['an altered header', 'signature', () => flip(path, (bytes) => 12 + bytes.readUInt32LE(8) - 1)],
    ['an altered signature', 'signature', () => flip(path, (bytes) => start(bytes) - 1)],
    ['a cut header', 'format', () => truncateSync(path, 60)],
    ['an altered first piece', 'piece', () => flip(path, (bytes) => start(bytes) + 4)],
    ['an altered last piece', 'piece', () => flip(path, (bytes) => bytes.length - 1)],
    ['a length that is too long', 'piece', () => flip(path, (bytes) => start(bytes) + 3)],
    ['one that was cut', 'piece', () => truncateSync(path, statSync(path).size - 1)],
    ['one without its last piece', 'piece', () => inPieces(path, (found) => found.slice(0, -1))],
    ['one without its first piece', 'piece', () => inPieces(path, (found) => found.slice(1))],
    ['one without a piece in the middle', 'piece', () => inPieces(path, ([a, , ...rest]) => [a!, ...rest])],
    ['pieces in another order', 'piece', () => inPieces(path, ([a, b, c, ...rest]) => [a!, c!, b!, ...rest])],
    ['a piece twice', 'piece', () => inPieces(path, ([a, b, ...rest]) => [a!, b!, b!, ...rest])],
    [
      "another backup's piece",
      'piece',
      () => inPieces(path, ([a, , ...rest]) => [a!, pieces(readFileSync(second))[1]!, ...rest]),
    ],
    ['what goes on after its end', 'piece', () => appendFileSync(path, 'x')],
    ['a piece after the last', 'piece', () => inPieces(path, (found) => [...found, found.at(-1)!])],
    [
      "another backup's header",
      'piece',
      () => {
        const theirs = readFileSync(second);
        rewrite(path, (bytes) => Buffer.concat([theirs.subarray(0, start(theirs)), bytes.subarray(start(bytes))]));
      },
    ],
  ])('%s', async (_what, check, damage) => {
    damage();
    await expect(restoreBackup(restoring(path))).rejects.toMatchObject({ code: 'BACKUP_INVALID', details: { check } });
    expect(readdirSync(join(folder, 'restored'))).toEqual([]);
    // Nothing of it stands in the way of a good one.
    await restoreBackup(restoring(second));
  });

  it("another holder's", async () => {
    await expect(restoreBackup(restoring(path, { keys: other }))).rejects.toMatchObject({
      details: { check: 'holder' },
    });
  });

  it.each(['', '{}', 'x'])('what is no private key (%j)', async (privateKey) => {
    await expect(restoreBackup(restoring(path, { privateKey }))).rejects.toMatchObject({
      details: { check: 'private key' },
    });
  });

  it('a file that is not there', async () => {
    await expect(restoreBackup(restoring(join(folder, 'none')))).rejects.toMatchObject({
      details: { check: 'format' },
    });
  });

  it('where there is data already, or a keyring', async () => {
    const into = join(folder, 'restored');
    mkdirSync(into);
    writeFileSync(join(into, 'sui-events.sqlite'), '');
    const inData = { code: 'CONFIG_INVALID', details: { setting: 'DATA_DIR', reason: 'it is not empty' } };
    await expect(restoreBackup(restoring(path))).rejects.toMatchObject(inData);
    rmSync(join(into, 'sui-events.sqlite'));
    await openKeyring({ dataDir: into, keys, clock, random });
    await expect(restoreBackup(restoring(path))).rejects.toMatchObject({ details: { setting: 'KEYRING_DIR' } });
    rmSync(join(into, 'keyring', 'keyring'));
    mkdirSync(join(into, 'lost+found'));
    expect((await restoreBackup(restoring(path))).createdAtMs).toBe(asTimestampMs(clock.nowMs() - 1_000));
    await expect(restoreBackup(restoring(path))).rejects.toMatchObject(inData);
  });
});
