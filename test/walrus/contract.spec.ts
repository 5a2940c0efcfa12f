import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom, type BlobId, type Logger } from '@usufruct/kernel';
import { FakeLeaseChain, FakeStore, FakeTransport, S3_TEST_KEY_ID, S3_TEST_SECRET, S3Server } from '@usufruct/testing';
import { httpBlobStore, localLeases, uploadBlobStore } from '@usufruct/walrus';
import { blobIdEncoder } from '@usufruct/walrus/blob-id';
import { readConfig, startLocalStore } from '@usufruct/walrus/local';
import { s3BlobStore } from '@usufruct/walrus/s3';
import { walrusQuilt } from '@usufruct/walrus/sui';
import { describeStore, type Subject } from './contract.js';
import { FakeAggregator } from './fake-aggregator.js';

const SHARDS = 25;
/** 25 shards have 17 source columns. */
const QUILT_FILES = 16;
const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

describeStore('the fake of the tests', async () => ({ store: new FakeStore() }));

describeStore('the local store, over HTTP', async (): Promise<Subject> => {
  const folder = await mkdtemp(join(tmpdir(), 'usufruct-contract-'));
  const config = readConfig({ PORT: '1', DATA_DIR: folder, SHARDS: String(SHARDS) });
  const running = await startLocalStore({ ...config, port: 0 }, systemClock, quiet);
  const { url } = running;
  const store = httpBlobStore({
    publisherUrl: url,
    aggregatorUrl: url,
    shards: SHARDS,
    blobIdOf: await blobIdEncoder(SHARDS),
    leases: localLeases({ url }),
  });
  return {
    store,
    close: async () => {
      await running.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

describeStore('an S3-compatible object store', async (): Promise<Subject> => {
  const server = await S3Server.start();
  const store = s3BlobStore({
    endpoint: server.url,
    region: 'eu-central-1',
    bucket: 'ciphertext',
    credentials: { accessKeyId: S3_TEST_KEY_ID, secretAccessKey: S3_TEST_SECRET },
    clock: systemClock,
  });
  return { store, close: async () => server.close() };
});

describeStore('a wallet of one’s own, with contracts and nodes that are fakes', async (): Promise<Subject> => {
  const chain = new FakeLeaseChain();
  const transport = new FakeTransport(chain, 1_000n);
  const records = new Map<string, string>();
  const isLeased = (blobId: BlobId): boolean =>
    [...chain.blobs.values()].some((blob) => blob.blobId === blobId && blob.certified);
  const readers = new FakeAggregator((blobId) => (isLeased(blobId) ? (transport.stored.get(blobId) ?? null) : null));
  const store = uploadBlobStore({
    chain,
    transport,
    random: systemRandom,
    journal: {
      get: async (key) => records.get(key) ?? null,
      put: async (key, value) => void records.set(key, value),
      delete: async (key) => void records.delete(key),
    },
    readers,
    encodeQuilt: async (files) => readers.remember(files, walrusQuilt(files, SHARDS)),
    maxQuiltFiles: QUILT_FILES,
  });
  return { store };
});
