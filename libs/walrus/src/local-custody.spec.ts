import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  asTimestampMs,
  fromBase64Url,
  systemClock,
  toHex32,
  toUsufructError,
  type BlobId,
  type ContributionId,
  type Hex32,
} from '@usufruct/kernel';
import type { ContributionView } from '@usufruct/protocol';
import { aContribution, aDao, aDataset, aPolicy, FakeChain, idOf, testWallet } from '@usufruct/testing';
import { httpBlobStore } from './http-blob-store.js';
import { localCustody } from './local-custody.js';
import { localLeases } from './local-leases.js';
import { readConfig, startLocalStore, type RunningStore } from './local/index.js';

const OWNER = testWallet('contributor').address;
const STEWARD = testWallet('steward').address;
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const patience = { tries: 2, pauseMs: 1 };
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => toUsufructError(error).code,
  );

/** The rules are those of the contracts, which `move/usufruct/tests` and `test/walrus/custody.spec.ts` show. */
describe('custody in the local store', () => {
  let folder: string;
  let running: RunningStore;
  let epoch: number;
  let chain: FakeChain;
  let view: ContributionView;
  let blobId: BlobId;
  let objectId: Hex32;
  let name: { contributionId: ContributionId; blob: Hex32 };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'usufruct-local-custody-'));
    running = await startLocalStore(readConfig({ PORT: '0', DATA_DIR: folder, SHARDS: '7' }), systemClock, quiet);
    ({ epoch } = (await (await fetch(`${running.url}/v1/info`)).json()) as { epoch: number });
  });
  afterAll(async () => {
    await running.close();
    await rm(folder, { recursive: true, force: true });
  });
  const custody = (owner = OWNER) => localCustody({ url: running.url, chain, owner, ...patience });
  const storeOf = (owner = OWNER) =>
    httpBlobStore({
      publisherUrl: running.url,
      aggregatorUrl: running.url,
      ...patience,
      leases: localLeases({ url: running.url, owner, ...patience }),
    });
  /** Stored for the owner, and registered. */
  const contribute = async (deletable: boolean) => {
    const bytes = new Uint8Array(randomBytes(50));
    const stored = await storeOf().put(bytes, { epochs: 5, deletable, owner: OWNER });
    const blob = toHex32<Hex32>(fromBase64Url(stored.blobId, 'blobId'));
    const reference = { blob, sizeBytes: 50, endEpoch: stored.endEpoch };
    const id = toHex32<ContributionId>(randomBytes(32));
    const dao = await chain.dao(idOf('dao'));
    view = aContribution({
      id,
      owner: OWNER,
      parts: [reference],
      manifestBlob: reference,
      policyDigest: dao.policyDigest,
    });
    chain.put('contribution', view);
    return { blobId: stored.blobId, objectId: stored.objectId!, name: { contributionId: id, blob } };
  };
  beforeEach(async () => {
    chain = new FakeChain();
    chain.put('dao', aDao({ policy: aPolicy({ blobs: 'deletable' }) })).put('dataset', aDataset());
    ({ blobId, objectId, name } = await contribute(true));
  });
  const held = async () => (await custody().held(name.contributionId, [idOf('another'), name.blob]))[1];
  const retire = (): void => void chain.put('contribution', { ...view, tombstonedAtMs: asTimestampMs(1) });

  it('keeps an object from its owner until the contribution is over', async () => {
    const object = (await custody().owned()).find((one) => one.objectId === objectId);
    expect(object).toEqual({
      objectId,
      blob: name.blob,
      sizeBytes: 50,
      endEpoch: epoch + 5,
      deletable: true,
      certified: true,
    });
    await custody().put(name, objectId);
    await custody().put(name, objectId);
    expect(await held()).toEqual(object);
    expect(await codeOf(storeOf().delete({ blobId, objectId }))).toBe('FORBIDDEN');
    expect(await codeOf(custody().withdraw(name, { isDeleted: true }))).toBe('FORBIDDEN');
    retire();
    expect(await codeOf(custody(STEWARD).withdraw(name, { isDeleted: false }))).toBe('FORBIDDEN');
    await custody().withdraw(name, { isDeleted: false });
    await custody().withdraw(name, { isDeleted: false });
    expect((await custody().owned()).map((one) => one.objectId)).toContain(objectId);
    await storeOf().delete({ blobId, objectId });
    expect(await storeOf().status(blobId)).toMatchObject({ available: false });
  });

  it('is renewed by the owner and by stewards, and by nobody else', async () => {
    const until = epoch + 9;
    expect(await codeOf(custody().renew(name, until))).toBe('NOT_FOUND');
    await custody().put(name, objectId);
    expect(await codeOf(custody(STEWARD).renew(name, until))).toBe('FORBIDDEN');
    chain.member = async (_, address) => ({ address, roles: 4, ordinal: 1 }) as never;
    expect(await custody(STEWARD).renew(name, until)).toEqual({ endEpoch: until });
    expect(await custody().renew(name, until - 1)).toEqual({ endEpoch: until });
    retire();
    for (const who of [OWNER, STEWARD]) expect(await codeOf(custody(who).renew(name, until + 1))).toBe('TOMBSTONED');
    expect(await held()).toMatchObject({ endEpoch: until });
  });

  it('deletes on the way out what can be deleted', async () => {
    await custody().put(name, objectId);
    retire();
    await custody().withdraw(name, { isDeleted: true });
    expect([await held(), (await custody().owned()).some((one) => one.objectId === objectId)]).toEqual([null, false]);
  });

  it('takes nothing that the contracts would not take', async () => {
    const first = name;
    const other = await contribute(true);
    expect(await codeOf(custody().put(other.name, objectId))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(custody(STEWARD).put(other.name, other.objectId))).toBe('FORBIDDEN');
    expect(await codeOf(custody().put({ ...other.name, blob: first.blob }, objectId))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(custody().put(other.name, idOf('no object')))).toBe('NOT_FOUND');
    await custody().put(other.name, other.objectId);
    expect(await codeOf(custody().put(other.name, objectId))).toBe('ALREADY_EXISTS');
    const permanent = await contribute(false);
    expect(await codeOf(custody().put(permanent.name, permanent.objectId))).toBe('INVALID_ARGUMENT');
  });
});
