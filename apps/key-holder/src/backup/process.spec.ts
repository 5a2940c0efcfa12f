import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromHex, toHex, utf8, type Address, type ContributionId, type Digest } from '@usufruct/kernel';
import { aDataset, aHolderSet, idOf, ManualClock, seededRandom, TEST_NOW_MS } from '@usufruct/testing';
import { deriveHolderKeys } from '../identity.js';
import { openKeyring } from '../keyring/open.js';
import { AtRest } from '../store/at-rest.js';
import { openDatabase } from '../store/database.js';
import { ShareStore } from '../store/shares.js';

const ROOT = resolve(import.meta.dirname, '../../../..');
const NEEDED = ['kernel', 'protocol', 'crypto', 'consent', 'ledger', 'attestation', 'endorsements', 'chain', 'service'];
const SECRET = idOf('holder of the process').slice(2);
/** Many times what a process takes to start on two quiet cores. */
const SAID_WITHIN_MS = 90_000;
const children: ChildProcess[] = [];
let folder: string;

beforeAll(async () => {
  const { build } = await import(join(ROOT, 'tools/build.mjs'));
  for (const name of [...NEEDED.map((lib) => `libs/${lib}`), 'apps/key-holder']) await build({ only: name });
}, 120_000);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holder-process-'));
  mkdirSync(join(folder, 'offline'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Line {
  readonly event: string;
  readonly code?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}
interface Running {
  readonly child: ChildProcess;
  readonly lines: Line[];
  readonly ended: Promise<number | null>;
}
function launch(given: readonly string[], environment: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [join(ROOT, 'apps/key-holder/dist/main.js'), ...given], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: 'pipe',
  });
  children.push(child);
  const lines: Line[] = [];
  let said = '';
  child.stdout.on('data', (piece) => {
    said += String(piece);
    const whole = said.split('\n');
    said = whole.pop() ?? '';
    for (const line of whole) if (line.startsWith('{')) lines.push(JSON.parse(line) as Line);
  });
  return { child, lines, ended: once(child, 'close').then(([code]) => code as number | null) };
}
async function until<T>(look: () => T | undefined): Promise<T> {
  for (const endMs = Date.now() + SAID_WITHIN_MS; Date.now() < endMs;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('it did not happen in time');
}
const said = (running: Running, event: string) => until(() => running.lines.find((line) => line.event === event));
/** No chain answers there: a holder starts, backs up and restores without one. */
const settings = (changes: Readonly<Record<string, string>> = {}) => ({
  PORT: '0',
  DATA_DIR: join(folder, 'data'),
  KEYRING_DIR: join(folder, 'keyring'),
  CHAIN_URL: 'http://127.0.0.1:9',
  HOLDER_SECRET: SECRET,
  ...changes,
});
async function sharesIn(work: (shares: ShareStore) => void): Promise<void> {
  const keys = await deriveHolderKeys(fromHex(SECRET));
  const [clock, random] = [new ManualClock(), seededRandom('process')];
  const [dataDir, keyringDir] = [join(folder, 'data'), join(folder, 'keyring')];
  const keyring = await openKeyring({ dataDir, keyringDir, keys, clock, random });
  const database = openDatabase(dataDir, toHex(keys.signing.publicKey));
  work(new ShareStore(database, new AtRest(keyring.storage, random)));
  database.close();
}
const MANIFEST = idOf<Digest>('manifest');
const share = {
  manifestDigest: MANIFEST,
  contributionId: idOf<ContributionId>('contribution'),
  datasetId: aDataset().id,
  owner: idOf<Address>('owner'),
  holderSetId: aHolderSet().id,
  index: 1,
  version: 1,
  commitments: null,
  share: utf8('a share'),
};

describe('the process of a key holder', () => {
  it('backs up while it serves; its disk is destroyed; what is restored is the same holder with the same shares', async () => {
    const offline = join(folder, 'offline');
    expect(await launch(['backup-key', offline, '30']).ended).toBe(0);
    const [privateFile, recipientFile] = readdirSync(offline).sort();
    const backups = {
      BACKUP_DIR: join(folder, 'backups'),
      BACKUP_RECIPIENT: join(offline, recipientFile!),
      BACKUP_INTERVAL_MS: '1000',
    };
    await sharesIn((shares) => shares.insert(share, TEST_NOW_MS));
    const holder = launch([], settings(backups));
    await said(holder, 'backup.made');
    await said(holder, 'listening');
    // It has read its own files by now, which must not take its locks on them away.
    await said(holder, 'storage.rotated');
    // Another process must not copy what this one is writing.
    const beside = launch(['backup'], settings(backups));
    expect(await beside.ended).toBe(1);
    expect(beside.lines.at(-1)).toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'DATA_DIR' } });
    holder.child.kill('SIGKILL');
    await holder.ended;
    for (const name of ['data', 'keyring']) rmSync(join(folder, name), { recursive: true });

    // It may have been killed in the middle of another one, which nothing is restored from.
    const whole = readdirSync(backups.BACKUP_DIR).filter((name) => name.endsWith('.backup'));
    const newest = join(backups.BACKUP_DIR, whole.sort().at(-1)!);
    const restore = ['restore', newest, join(offline, privateFile!)];
    const stranger = launch(restore, settings({ HOLDER_SECRET: idOf('another holder').slice(2) }));
    expect(await stranger.ended).toBe(1);
    expect(stranger.lines.at(-1)).toMatchObject({ code: 'BACKUP_INVALID', details: { check: 'holder' } });
    const restored = launch(restore, settings());
    expect([await restored.ended, restored.lines.at(-1)?.event]).toEqual([0, 'backup.restored']);
    const again = launch(restore, settings());
    expect(await again.ended).toBe(1);
    await sharesIn((shares) => {
      expect(new TextDecoder().decode(shares.decrypt(shares.find(MANIFEST)!))).toBe('a share');
    });

    const next = launch([], settings(backups));
    await said(next, 'storage.rotated');
    await said(next, 'listening');
    next.child.kill('SIGTERM');
    expect(await next.ended).toBe(0);
    const offlineBackup = launch(['backup'], settings(backups));
    expect([await offlineBackup.ended, offlineBackup.lines.at(-1)?.event]).toEqual([0, 'backup.made']);
  }, 300_000);

  it.each<[string, string[], string]>([
    ['an unknown command', ['serve'], 'INVALID_ARGUMENT'],
    ['a restoration without a key', ['restore', 'file'], 'INVALID_ARGUMENT'],
    ['a backup key for nowhere', ['backup-key'], 'INVALID_ARGUMENT'],
    ['a backup key for longer than a year', ['backup-key', '.', '999'], 'INVALID_ARGUMENT'],
    ['a backup without settings', ['backup'], 'CONFIG_INVALID'],
  ])('refuses %s, and says how', async (_what, given, code) => {
    const refused = launch(given);
    expect(await refused.ended).toBe(1);
    expect(refused.lines.at(-1)).toMatchObject({ event: 'start.failed', code });
  });
});
