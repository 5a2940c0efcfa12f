import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asId, systemClock, toBase64Url, type Address, type Hex32, type Logger } from '@usufruct/kernel';
import { httpBlobStore, localLeases, relayTransport, type LeaseView, type Transport } from '@usufruct/walrus';
import { blobIdEncoder } from '@usufruct/walrus/blob-id';
import { readConfig, startLocalStore } from '@usufruct/walrus/local';
import { codeOf } from './contract.js';

const SHARDS = 7;
const BYTES = new TextEncoder().encode('ciphertext');
const OWNER = `0x${'7'.repeat(64)}` as Address;
const NONCE = new Uint8Array(32);
const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The client of relays and the local store's relay were written from Walrus's sources by different hands. */
describe('the relay’s client against the local store’s relay', () => {
  let folder: string;
  let running: Awaited<ReturnType<typeof startLocalStore>>;
  let relay: Transport;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'usufruct-relay-'));
    const config = readConfig({ PORT: '1', DATA_DIR: folder, SHARDS: String(SHARDS) });
    running = await startLocalStore({ ...config, port: 0 }, systemClock, quiet);
    const patience = { fetch: globalThis.fetch, timeoutMs: 10_000, tries: 2, pauseMs: 1 };
    relay = relayTransport({ ...patience, url: running.url, maxTipMist: 0n, shards: async () => SHARDS });
  });
  afterAll(async () => {
    await running.close();
    await rm(folder, { recursive: true, force: true });
  });

  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${running.url}/v1/local/objects${path}`, { method: 'POST', body: JSON.stringify(body) });
  async function register(deletable: boolean): Promise<LeaseView> {
    const blobId = await (await blobIdEncoder(SHARDS))(BYTES);
    const answer = await post('', { blobId, sizeBytes: BYTES.length, epochs: 5, deletable, owner: OWNER });
    const { blobObject } = (await answer.json()) as { blobObject: { id: string; storage: { endEpoch: number } } };
    const objectId = asId<Hex32>(blobObject.id, 'id');
    const { endEpoch } = blobObject.storage;
    return { blobId, objectId, sizeBytes: BYTES.length, endEpoch, deletable, certified: false };
  }
  const upload = (lease: LeaseView, bytes = BYTES) =>
    relay.upload({
      bytes,
      lease,
      encoded: { blobId: lease.blobId, rootHash: new Uint8Array(32) },
      tipDigest: null,
      nonce: NONCE,
    });

  it('asks for no tip', async () => {
    expect(await relay.tipFor(BYTES, NONCE)).toBeNull();
  });

  it.each([true, false])(
    'brings a registered blob to the store, which certifies it (deletable: %p)',
    async (deletable) => {
      const lease = await register(deletable);
      const { signers, message, signature } = await upload(lease);
      expect(await upload(lease)).toMatchObject({ message });
      const certificate = { signers, serialized_message: [...message], signature: toBase64Url(signature) };
      const certified = await post(`/${lease.objectId}/certify`, {
        owner: OWNER,
        confirmation_certificate: certificate,
      });
      expect(certified.status).toBe(200);
      const leases = localLeases({ url: running.url, owner: OWNER });
      const store = httpBlobStore({ aggregatorUrl: running.url, leases });
      expect(await store.get(lease.blobId)).toEqual(BYTES);
      expect(await leases.describe(lease.blobId)).toMatchObject({ certified: true });
    },
  );

  it('refuses bytes that nobody registered, and what is no blob of this id', async () => {
    const lease = await register(true);
    expect(await codeOf(upload(lease, BYTES.slice(1)))).not.toBe('accepted');
    const missing = { ...lease, objectId: `0x${'1'.repeat(64)}` as Hex32 };
    expect(await codeOf(upload(missing))).not.toBe('accepted');
  });
});
