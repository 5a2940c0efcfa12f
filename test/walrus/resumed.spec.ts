import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, streamOf } from '@usufruct/crypto';
import {
  asBlobId,
  fromHex,
  systemClock,
  systemRandom,
  toBase64,
  toBase64Url,
  type BlobId,
  type ContributionId,
  type DatasetId,
  type Logger,
} from '@usufruct/kernel';
import { decodeManifest, LIMITS, manifestDigest, SignedManifestBcs } from '@usufruct/protocol';
import { connect, memoryJournal, type Journal } from '@usufruct/sdk';
import {
  actingChain,
  aDao,
  aDataset,
  aHolderSet,
  FakeHolder,
  FakeLeaseChain,
  FakeTransport,
  fetchOf,
  idOf,
  ManualClock,
  S3_TEST_KEY_ID,
  S3_TEST_SECRET,
  S3Server,
  testWallet,
  type FakeChain,
} from '@usufruct/testing';
import { httpBlobStore, localLeases, readPart, uploadBlobStore, type BlobStore } from '@usufruct/walrus';
import { blobIdEncoder } from '@usufruct/walrus/blob-id';
import { readConfig, startLocalStore } from '@usufruct/walrus/local';
import { s3BlobStore } from '@usufruct/walrus/s3';
import { walrusQuilt } from '@usufruct/walrus/sui';
import { FakeAggregator } from './fake-aggregator.js';

const SHARDS = 25;
const DATASET = idOf<DatasetId>('dataset');
const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** They share quilts, where there are quilts. */
const CONTENTS = [900, 901].map((length, i) => new Uint8Array(length).fill(i + 65));
const files = CONTENTS.map((content, i) => ({
  key: `file ${i}`,
  datasetId: DATASET,
  fileName: `${i}.txt`,
  sizeBytes: content.length,
  source: () => streamOf(content),
}));

interface Opened {
  /** The store as a fresh process has it, with what its journal holds. */
  readonly open: (journal: Journal) => BlobStore;
  readonly close?: () => Promise<void>;
}
const publisher = async (): Promise<Opened> => {
  const folder = await mkdtemp(join(tmpdir(), 'usufruct-resumed-'));
  const config = readConfig({ PORT: '1', DATA_DIR: folder, SHARDS: String(SHARDS) });
  const running = await startLocalStore({ ...config, port: 0 }, systemClock, quiet);
  const { url } = running;
  const blobIdOf = await blobIdEncoder(SHARDS);
  const leases = localLeases({ url });
  return {
    open: () =>
      httpBlobStore({ publisherUrl: url, aggregatorUrl: url, shards: SHARDS, blobIdOf, leases, tries: 2, pauseMs: 1 }),
    close: async () => {
      await running.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
const wallet = (tipMist: bigint | null) => async (): Promise<Opened> => {
  const chain = new FakeLeaseChain();
  const transport = new FakeTransport(chain, tipMist);
  const isLeased = (blobId: BlobId): boolean =>
    [...chain.blobs.values()].some((blob) => blob.blobId === blobId && blob.certified && blob.endEpoch > chain.epoch);
  const readers = new FakeAggregator((blobId) => (isLeased(blobId) ? (transport.stored.get(blobId) ?? null) : null));
  return {
    open: (journal) =>
      uploadBlobStore({
        chain,
        transport,
        random: systemRandom,
        journal,
        readers,
        encodeQuilt: async (quilted) => readers.remember(quilted, walrusQuilt(quilted, SHARDS)),
        maxQuiltFiles: 16,
      }),
  };
};
const s3 = async (): Promise<Opened> => {
  const server = await S3Server.start();
  const credentials = { accessKeyId: S3_TEST_KEY_ID, secretAccessKey: S3_TEST_SECRET };
  const at = { endpoint: server.url, region: 'eu-central-1', bucket: 'ciphertext' };
  return {
    open: () => s3BlobStore({ ...at, credentials, clock: systemClock, tries: 2, pauseMs: 1 }),
    close: async () => server.close(),
  };
};

describe.each<[string, () => Promise<Opened>]>([
  ['a publisher', publisher],
  ['a relay', wallet(1_000n)],
  ['nodes', wallet(null)],
  ['an object store', s3],
])('contributions over %s', (_name, start) => {
  let opened: Opened;
  let holders: FakeHolder[];
  let chain: FakeChain;
  let journal: Journal;
  let clock: ManualClock;
  let stored: Set<BlobId>;
  let resumed = 0;
  beforeAll(async () => {
    opened = await start();
    holders = await Promise.all(['a', 'b', 'c'].map((name) => FakeHolder.create(name, 'local:test')));
  });
  afterAll(() => opened.close?.());
  beforeEach(fresh);
  function fresh(): void {
    [chain, journal, clock, stored] = [actingChain(), memoryJournal(), new ManualClock(), new Set()];
    const members = holders.map(({ member }) => ({
      operator: member.operator,
      signingPublicKey: toBase64(member.signingPublicKey),
      sealingPublicKey: toBase64(member.sealingPublicKey),
    }));
    chain.put('dao', aDao()).put('dataset', aDataset({ contributionCount: 0 }));
    chain.put('holder-set', aHolderSet({ members }));
  }

  /** A process that dies before so many writes to its journal. */
  function process(writes = Number.POSITIVE_INFINITY) {
    let left = writes;
    const write = async (what: () => Promise<void>): Promise<void> => {
      if (left-- <= 0) throw new Error('killed');
      return what();
    };
    const own: Journal = {
      ...journal,
      put: (key, value) => write(() => journal.put(key, value)),
      delete: (key) => write(() => journal.delete(key)),
    };
    const store = opened.open(own);
    const noted: BlobStore = {
      ...store,
      put: async (bytes, put) => {
        const one = await store.put(bytes, put);
        stored.add(one.blobId);
        return one;
      },
      putMany: async (many, put) => {
        const one = await store.putMany(many, put);
        stored.add(one.blobId);
        return one;
      },
    };
    return connect({
      apiUrl: 'http://api.test',
      signer: testWallet('contributor'),
      chain,
      store: noted,
      holders: holders.map(({ url }) => ({ url })),
      journal: own,
      fetch: fetchOf(holders),
      clock,
      random: systemRandom,
    }).contributions;
  }
  async function loseAll(): Promise<void> {
    const store = opened.open(journal);
    for (const blobId of stored) await store.delete({ blobId });
    stored.clear();
  }
  async function expectReadable(before: ReadonlySet<ContributionId>): Promise<void> {
    const store = opened.open(journal);
    const registered = await chain.contributionsOf(DATASET);
    expect(registered).toHaveLength(files.length);
    for (const { id, manifestBlob, manifestDigest: digest } of registered) {
      if (before.has(id)) continue;
      const read = (blob: string, of: typeof digest, sizeBytes: number, isRight: (bytes: Uint8Array) => boolean) =>
        readPart(store, { blobId: asBlobId(toBase64Url(fromHex(blob))), digest: of, sizeBytes }, isRight);
      const bytes = await read(manifestBlob.blob, digest, manifestBlob.sizeBytes, (found) => {
        try {
          return manifestDigest(SignedManifestBcs.parse(found).manifest) === digest;
        } catch {
          return false;
        }
      });
      for (const part of decodeManifest(SignedManifestBcs.parse(bytes).manifest).parts)
        await read(part.blob, part.sha256, part.sizeBytes, (found) => digestOf(found) === part.sha256);
    }
  }

  it('killed at any record, and all that was stored lost since: none is registered that cannot be read', async () => {
    for (let writes = 1; ; writes += 4) {
      fresh();
      const isDone = await process(writes)
        .contributeMany(files)
        .then(
          () => true,
          () => false,
        );
      if (isDone) break;
      // What counted before it was lost is the keeper's matter.
      const before = new Set((await chain.contributionsOf(DATASET)).map(({ id }) => id));
      await loseAll();
      clock.advance(LIMITS.transactionTermMs + LIMITS.clockSkewMs + 1);
      await process().contributeMany(files);
      await expectReadable(before);
      resumed++;
    }
    expect(resumed).toBeGreaterThan(5);
  }, 300_000);
});
