import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { keypairSigner } from '@usufruct/chain';
import { asBlobId, fromBase64Url, systemClock, toHex32, utf8 } from '@usufruct/kernel';
import { FakeChain } from '@usufruct/testing';
import { httpBlobStore } from '@usufruct/walrus';
import { readConfig as readStoreConfig, startLocalStore, type RunningStore } from '@usufruct/walrus/local';
import { readConfig, type Config } from '../config/config.js';
import { openStore } from './store-port.js';

describe('the store as the lease keeper sees it', () => {
  let home: string;
  let local: RunningStore;
  let other: Server;
  let otherUrl: string;
  let said: string;
  const config = (settings: Readonly<Record<string, string>> = {}): Config =>
    readConfig({
      PORT: '0',
      CHAIN_URL: 'http://127.0.0.1:9',
      DATABASE_URL: 'postgres://nobody@127.0.0.1/none',
      RUNNER_URLS: 'http://127.0.0.1:9',
      HOLDER_URLS: 'http://127.0.0.1:9',
      PUBLISHER_URL: local.url,
      AGGREGATOR_URL: local.url,
      AUTH_SECRET: '5c'.repeat(32),
      SIGN_IN_DOMAIN: 'portal.test',
      PORTAL_ORIGIN: 'http://portal.test',
      ...settings,
    });

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'usufruct-store-port-'));
    const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const settings = readStoreConfig({ PORT: '1', DATA_DIR: home, SHARDS: '7' });
    local = await startLocalStore({ ...settings, port: 0 }, systemClock, quiet);
    other = createServer((_, response) => response.end(said));
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await local.close();
    await new Promise((done) => other.close(done));
    await rm(home, { recursive: true, force: true });
  });

  it('asks the local store for its epoch, and stores and reads there', async () => {
    const store = openStore(config());
    const epoch = await store.epoch();
    const { blobId, endEpoch } = await store.blobs.put(utf8('ciphertext'), { epochs: 3 });
    expect(endEpoch).toBe((epoch ?? 0) + 3);
    // The same bytes for longer: how a lease is renewed where nothing can be extended.
    expect((await store.blobs.put(utf8('ciphertext'), { epochs: 9 })).endEpoch).toBe((epoch ?? 0) + 9);
    expect(await store.aggregators[0]!.get(blobId, { fresh: true })).toEqual(utf8('ciphertext'));
  });

  it('reads each aggregator by itself, and knows absence from silence', async () => {
    const { aggregators } = openStore(config({ AGGREGATOR_URLS: `${local.url},http://127.0.0.1:9` }));
    expect(aggregators).toHaveLength(2);
    const nowhere = asBlobId('A'.repeat(43));
    expect(await aggregators[0]!.status(nowhere)).toMatchObject({ available: false });
    await expect(aggregators[1]!.status(nowhere)).rejects.toMatchObject({ code: 'BLOB_UNAVAILABLE' });
  });

  it.each([
    ['an error page', '<html>', 'UPSTREAM_INVALID'],
    ['no number', '{"epoch":"12"}', 'UPSTREAM_INVALID'],
    ['less than nothing', '{"epoch":-1}', 'UPSTREAM_INVALID'],
    ['half an epoch', '{"epoch":1.5}', 'UPSTREAM_INVALID'],
  ])('takes %s for no epoch', async (_, text, code) => {
    said = text;
    await expect(openStore(config({ STORE_EPOCH_URL: otherUrl })).epoch()).rejects.toMatchObject({ code });
  });

  it('has custody where somebody knows the objects, and is told by whom it is used', async () => {
    const wallet = keypairSigner(new Ed25519Keypair());
    const { blobId, objectId } = await httpBlobStore({ publisherUrl: local.url, aggregatorUrl: local.url }).put(
      utf8('the keeper’s own'),
      { owner: wallet.address },
    );
    const owned = await openStore(config()).custody!(wallet, new FakeChain()).owned();
    expect(owned).toMatchObject([{ objectId, blob: toHex32(fromBase64Url(blobId)) }]);
    const testnet = openStore({ ...config(), suiNetwork: 'testnet' });
    // A chain that is not the one where Walrus's contracts are.
    expect(() => testnet.custody!(wallet, new FakeChain())).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    expect(openStore({ ...config(), suiNetwork: 'https://sui.example' }).custody).toBeUndefined();
  });

  it('asks where it is configured to, and needs to know where on a network of its own', async () => {
    said = '{"epoch":77,"more":true}';
    expect(await openStore(config({ STORE_EPOCH_URL: otherUrl })).epoch()).toBe(77);
    const own = { ...config(), suiNetwork: 'https://sui.example' };
    await expect(openStore(own).epoch()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { setting: 'STORE_EPOCH_URL' },
    });
  });
});
