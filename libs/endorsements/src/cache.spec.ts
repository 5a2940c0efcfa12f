import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  intelItems,
  itemOfName,
  nameOfItem,
  SNP_ENDORSEMENTS,
  TDX_ENDORSEMENTS,
  type EndorsementItem,
} from '@usufruct/attestation';
import { DEV_PLATFORM, devTdxEndorsements } from '@usufruct/attestation-dev';
import type { TimestampMs } from '@usufruct/kernel';
import { PAGES, VendorServer, VendorWorld } from '../../../test/support/vendor-server.js';
import { EndorsementCache, type EndorsementCacheOptions, type FetchOutcome } from './cache.js';
import { OfflineFolder } from './offline-folder.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000];
const INTEL = intelItems(DEV_PLATFORM.fmspc, ['platform']);
const TCB: EndorsementItem = { kind: 'intel-tcb-info', fmspc: DEV_PLATFORM.fmspc };
const TCB_NAME = nameOfItem(TCB);
const ALL = [
  ...INTEL.map(nameOfItem),
  SNP_ENDORSEMENTS.chain('VCEK', 'Milan'),
  SNP_ENDORSEMENTS.crl('Milan'),
  `amd/Milan/vcek/${'c1'.repeat(64)}-4.0.24.219.0.der`,
  'nvidia/rim/NV_GPU_VBIOS_1010_0200_882_96005E0001.xml',
].map((name) => itemOfName(name)!);

let world: VendorWorld;
let server: VendorServer;
let folder: string;
let nowMs: number;

beforeAll(async () => {
  world = await VendorWorld.make(NOW_MS);
}, 60_000);
afterAll(() => world.clean());
beforeEach(async () => {
  nowMs = NOW_MS;
  folder = world.folder();
  server = await VendorServer.start();
  await world.publish(server);
});
afterEach(() => server.stop());

const clock = { nowMs: () => nowMs as TimestampMs };
const cacheOf = (changes: Partial<EndorsementCacheOptions> = {}) =>
  new EndorsementCache({ folder, roots: world.roots, clock, urls: server.urls, ...changes });
const outcomes = (found: readonly FetchOutcome[]) => found.map(({ outcome }) => outcome);
const one = async (cache: EndorsementCache, again = false) => (await cache.fetch([TCB], { again }))[0]!;

describe('the cache of endorsements', () => {
  it('fetches every kind in the form of its service, keeps it, and does not ask again while it is fresh', async () => {
    const cache = cacheOf();
    const found = await cache.fetch(ALL);
    expect(found.map(({ name, outcome, reason }) => [name, outcome, reason])).toEqual(
      ALL.map((item) => [nameOfItem(item), 'fetched', '']),
    );
    const asked = server.asked.length;
    expect(asked).toBe(ALL.length);
    expect(new Set(outcomes(await cache.fetch(ALL)))).toEqual(new Set(['fresh']));
    // Another process finds it in the folder.
    expect(new Set(outcomes(await cacheOf().fetch(ALL)))).toEqual(new Set(['fresh']));
    expect(server.asked.length).toBe(asked);
    expect(readdirSync(join(folder, 'intel')).toSorted()).toEqual([
      'pck-platform.crl',
      'pck-platform.crl.issuers.pem',
      'root-ca.crl',
      'root-ca.crl.issuers.pem',
      'tdx',
    ]);
  });

  it('asks once for many who ask at the same time', async () => {
    const cache = cacheOf();
    await Promise.all(Array.from({ length: 10 }, () => cache.fetch(INTEL)));
    expect(server.times(PAGES.tcbInfo)).toBe(1);
    expect(server.times(PAGES.rootCrl)).toBe(1);
    expect(server.times(PAGES.qeIdentity)).toBe(1);
  });

  it('asks again with the ETag when it is no longer fresh, and takes "not modified" for what it is', async () => {
    await one(cacheOf());
    nowMs += 2 * HOUR_MS;
    expect((await one(cacheOf())).outcome).toBe('unchanged');
    expect(server.asked.map(({ ifNoneMatch }) => ifNoneMatch)).toEqual([undefined, '"tcb-1"']);
    // It counts as asked now, not as asked two hours ago.
    nowMs += 30 * MINUTE_MS;
    expect((await one(cacheOf())).outcome).toBe('fresh');
  });

  it('is fresh as long as the answer says, but never beyond the signed validity', async () => {
    const page = server.pages.get(PAGES.tcbInfo) as { body: Uint8Array; headers: Record<string, string> };
    server.pages.set(PAGES.tcbInfo, {
      ...page,
      headers: { ...page.headers, 'cache-control': 'public, max-age=18000' },
    });
    const cache = cacheOf();
    await one(cache);
    nowMs += 4 * HOUR_MS;
    expect((await one(cache)).outcome).toBe('fresh');
    nowMs += 2 * HOUR_MS;
    expect((await one(cache)).outcome).toBe('unchanged');
    // TCB info of the software TEE is good for 29 days; 29 days minus two hours later it is fresh for two hours at most.
    nowMs = NOW_MS + 29 * DAY_MS - 2 * HOUR_MS;
    await one(cache, true);
    const [status] = await cache.status();
    expect(status).toMatchObject({ signedUntilMs: NOW_MS + 29 * DAY_MS, freshUntilMs: NOW_MS + 29 * DAY_MS });
  });

  it('keeps using what it has while a vendor is down, until its signed validity ends, and not a moment longer', async () => {
    const cache = cacheOf();
    await cache.fetch(INTEL);
    server.down = true;
    nowMs = NOW_MS + 29 * DAY_MS;
    expect(await one(cache)).toMatchObject({ outcome: 'kept', reason: expect.stringContaining('cannot be reached') });
    nowMs += 1;
    expect(await one(cache)).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('signed validity ended'),
    });
    // The lists are good for 30 days.
    expect(outcomes(await cache.fetch([{ kind: 'intel-pck-crl', ca: 'platform' }]))).toEqual(['kept']);
  });

  it('leaves a vendor alone for a minute after a failure', async () => {
    server.down = true;
    const cache = cacheOf();
    await one(cache);
    await one(cache);
    expect(server.asked.length).toBe(1);
    server.down = false;
    nowMs += MINUTE_MS;
    expect((await one(cache)).outcome).toBe('fetched');
  });

  it('asks again after the clock was set back, and does not use what is not valid yet', async () => {
    const cache = cacheOf();
    await one(cache);
    nowMs -= HOUR_MS; // issued a day before it was fetched
    expect((await one(cache)).outcome).toBe('unchanged');
    nowMs -= 2 * DAY_MS;
    expect(await one(cache)).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('not valid before') });
  });

  it('two processes at once leave one whole folder', async () => {
    const caches = Array.from({ length: 4 }, () => cacheOf());
    await Promise.all(caches.map((cache) => cache.fetch(ALL)));
    const status = await cacheOf().status();
    expect(status.map(({ name }) => name).toSorted()).toEqual(ALL.map(nameOfItem).toSorted());
    expect(new Set(status.map(({ state }) => state))).toEqual(new Set(['fresh']));
    expect(readdirSync(folder, { recursive: true }).filter((name) => /part$|lock$/.test(String(name)))).toEqual([]);
  });

  it('takes over the lock of a process that was killed', async () => {
    writeFileSync(join(folder, 'index.lock'), '');
    expect((await one(cacheOf())).outcome).toBe('fetched');
    expect((await cacheOf().status())[0]?.state).toBe('fresh');
  });

  it('serves from memory where the folder cannot be written', async () => {
    const cache = cacheOf({ folder: '/dev/null/endorsements' });
    expect((await one(cache)).outcome).toBe('fetched');
    expect((await one(cache)).outcome).toBe('fresh');
    expect(server.asked.length).toBe(1);
  });
});

describe('a folder that somebody else wrote in', () => {
  const path = (name: string) => join(folder, name);
  beforeEach(async () => {
    await cacheOf().fetch(INTEL);
  });

  it.each([
    ['half of the document', () => writeFileSync(path(TCB_NAME), readFileSync(path(TCB_NAME)).subarray(0, 900))],
    ['an empty file', () => writeFileSync(path(TCB_NAME), '')],
    ['one byte changed', () => writeFileSync(path(TCB_NAME), readFileSync(path(TCB_NAME)).fill(0x20, 40, 41))],
    [
      'other issuers',
      () => writeFileSync(path(`${TCB_NAME}.issuers.pem`), readFileSync(path('intel/pck-platform.crl.issuers.pem'))),
    ],
    ['no issuers', () => rmSync(path(`${TCB_NAME}.issuers.pem`))],
    [
      'the document of something else',
      () => writeFileSync(path(TCB_NAME), readFileSync(path('intel/tdx/qe-identity.json'))),
    ],
  ])('%s: never trusted, fetched anew', async (_what, damage) => {
    damage();
    expect((await cacheOf().status()).find(({ name }) => name === TCB_NAME)).toMatchObject({ state: 'unusable' });
    const before = server.times(PAGES.tcbInfo);
    expect((await one(cacheOf())).outcome).toBe('fetched');
    expect(server.times(PAGES.tcbInfo)).toBe(before + 1);
    expect(server.asked.at(-1)!.ifNoneMatch).toBeUndefined();
    expect((await one(cacheOf())).outcome).toBe('fresh');
  });

  it.each([
    ['half of it', (text: string) => text.slice(0, 300)],
    ['nothing', () => ''],
    ['a name that climbs out', (text: string) => text.replaceAll(TCB_NAME, '../../escape.json')],
    ['dates that are none', (text: string) => text.replaceAll(/"freshUntilMs": \d+/g, '"freshUntilMs": 1e400')],
  ])('an index of which there is %s: everything is asked for anew', async (_what, change) => {
    writeFileSync(path('index.json'), change(readFileSync(path('index.json'), 'utf8')));
    expect((await one(cacheOf())).outcome).toBe('fetched');
    expect((await cacheOf().status()).find(({ name }) => name === TCB_NAME)).toMatchObject({ state: 'fresh' });
  });

  it('an index that calls a file fresh for ever does not outlive the signature', async () => {
    writeFileSync(
      path('index.json'),
      readFileSync(path('index.json'), 'utf8').replaceAll(/"freshUntilMs": \d+/g, '"freshUntilMs": 9007199254740991'),
    );
    nowMs = NOW_MS + 30 * DAY_MS;
    server.down = true;
    expect((await one(cacheOf())).outcome).toBe('failed');
  });
});

describe('an older document than one that was held before', () => {
  const older = async (changes: Record<string, unknown>) => {
    const tdx = await devTdxEndorsements({ pki: world.tdx, nowMs: NOW_MS, tcbInfo: changes });
    for (const [url, page] of world.intelPages(tdx)) {
      if (url === PAGES.tcbInfo) server.pages.set(url, { ...page, headers: { ...page.headers, etag: '"tcb-2"' } });
    }
  };

  it.each([
    ['a lower evaluation number', { tcbEvaluationDataNumber: 17 }],
    ['the same number, issued earlier', { issueDate: '2026-05-30T00:00:00Z' }],
  ])('%s: refused, said so, and the newer one stays', async (_what, changes) => {
    const cache = cacheOf();
    await one(cache);
    const before = readFileSync(join(folder, TCB_NAME));
    await older(changes);
    const found = await one(cache, true);
    expect(found).toMatchObject({
      outcome: 'kept',
      reason: expect.stringContaining('older than one held before (number 18'),
    });
    expect(readFileSync(join(folder, TCB_NAME))).toEqual(before);
  });

  it('is refused also by a process that starts later, and after the file was deleted or the index lost', async () => {
    await one(cacheOf());
    await older({ tcbEvaluationDataNumber: 17 });
    rmSync(join(folder, TCB_NAME));
    expect(await one(cacheOf())).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('older') });
    await world.publish(server);
    nowMs += MINUTE_MS;
    await one(cacheOf());
    await older({ tcbEvaluationDataNumber: 17 });
    rmSync(join(folder, 'index.json'));
    expect(await one(cacheOf())).toMatchObject({ outcome: 'kept', reason: expect.stringContaining('older') });
  });

  it('put into the folder by hand, is not used', async () => {
    await one(cacheOf());
    const index = readFileSync(join(folder, 'index.json'), 'utf8');
    await older({ tcbEvaluationDataNumber: 17 });
    const elsewhere = world.folder();
    await one(cacheOf({ folder: elsewhere }));
    await cp(join(elsewhere, 'intel'), join(folder, 'intel'), { recursive: true });
    // With the digests that go with it, as whoever writes files would write them.
    const entries = JSON.parse(readFileSync(join(elsewhere, 'index.json'), 'utf8')).items[TCB_NAME].entry;
    const forged = JSON.parse(index);
    forged.items[TCB_NAME].entry = entries;
    writeFileSync(join(folder, 'index.json'), JSON.stringify(forged));
    server.down = true;
    expect((await one(cacheOf())).outcome).toBe('failed');
  });

  it('a newer one takes its place', async () => {
    const cache = cacheOf();
    await one(cache);
    await older({ tcbEvaluationDataNumber: 19 });
    expect((await one(cache, true)).outcome).toBe('fetched');
  });

  it('a revocation list issued earlier is refused, too', async () => {
    const cache = cacheOf();
    const item = { kind: 'intel-pck-crl', ca: 'platform' } as const;
    await cache.fetch([item]);
    const tdx = await devTdxEndorsements({ pki: world.tdx, nowMs: NOW_MS, pckCrl: { fromDays: -2 } });
    const page = server.pages.get(PAGES.pckCrl) as object;
    server.pages.set(PAGES.pckCrl, { ...page, body: tdx[TDX_ENDORSEMENTS.pckCrl('platform')]! });
    expect((await cache.fetch([item], { again: true }))[0]).toMatchObject({
      outcome: 'kept',
      reason: expect.stringContaining('older than one held before'),
    });
  });
});

describe('an offline folder', () => {
  it('is a copy of the cache: its files and its index, or its files alone', async () => {
    await cacheOf().fetch(ALL);
    const copy = world.folder();
    await cp(folder, copy, { recursive: true });
    const offline = new OfflineFolder({ folder: copy, roots: world.roots, clock });
    expect((await offline.status()).map(({ state }) => state)).toEqual(ALL.map(() => 'fresh'));
    rmSync(join(copy, 'index.json'));
    expect((await offline.status()).map(({ state }) => state)).toEqual(ALL.map(() => 'stale'));
    nowMs = NOW_MS + 40 * DAY_MS;
    expect(new Set((await offline.status()).map(({ state }) => state))).toEqual(new Set(['expired', 'stale']));
  });

  it('says that a folder which is not there is empty', async () => {
    const offline = new OfflineFolder({ folder: join(folder, 'nowhere'), roots: world.roots, clock });
    expect(await offline.status()).toEqual([]);
  });
});
