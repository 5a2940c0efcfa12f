import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import initWasm, { bls12381_min_pk_verify } from '@mysten/walrus-wasm';
import {
  fromHex,
  systemClock,
  toBase64Url,
  UsufructError,
  type BlobId,
  type Hex32,
  type Logger,
} from '@usufruct/kernel';
import { blobIdEncoder } from '../blob-id/index.js';
import type { Certificate, LeaseView, Transport } from '../upload/ports.js';
import { relayTransport } from '../upload/relay.js';
import { readConfig } from './config.js';
import { startLocalStore, type RunningStore } from './start.js';

const ALICE = `0x${'a1'.repeat(32)}`;
const BOB = `0x${'b0'.repeat(32)}`;
const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
let folder: string;
let running: RunningStore;
let relay: Transport;
let blobIdOf: (bytes: Uint8Array) => Promise<BlobId>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'usufruct-relay-spec-'));
  running = await startLocalStore(readConfig({ PORT: '0', DATA_DIR: folder, SHARDS: '7' }), systemClock, quiet);
  const patience = { fetch: globalThis.fetch, timeoutMs: 10_000, tries: 2, pauseMs: 1 };
  relay = relayTransport({ ...patience, url: running.url, maxTipMist: 0n, shards: () => Promise.resolve(7) });
  blobIdOf = await blobIdEncoder(7);
});
afterAll(async () => {
  await running.close();
  await rm(folder, { recursive: true, force: true });
});

const post = (path: string, body: object): Promise<Response> =>
  fetch(`${running.url}/v1/local/objects${path}`, { method: 'POST', body: JSON.stringify(body) });
const statusOf = async (blobId: BlobId): Promise<number> => (await fetch(`${running.url}/v1/blobs/${blobId}`)).status;
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );
async function register(bytes: Uint8Array, deletable: boolean, sizeBytes = bytes.length): Promise<LeaseView> {
  const blobId = await blobIdOf(bytes);
  const response = await post('', { blobId, sizeBytes, epochs: 3, deletable, owner: ALICE });
  const { blobObject } = (await response.json()) as {
    blobObject: { id: Hex32; certifiedEpoch: null; storage: { endEpoch: number } };
  };
  expect(blobObject.certifiedEpoch).toBeNull();
  const { endEpoch } = blobObject.storage;
  return { blobId, objectId: blobObject.id, sizeBytes, endEpoch, deletable, certified: false };
}
const upload = (bytes: Uint8Array, lease: LeaseView): Promise<Certificate> =>
  relay.upload({
    bytes,
    lease,
    encoded: { blobId: lease.blobId, rootHash: new Uint8Array(32) },
    tipDigest: null,
    nonce: new Uint8Array(32),
  });
const certify = (
  { objectId }: LeaseView,
  { signers, message, signature }: Certificate,
  owner = ALICE,
): Promise<Response> =>
  post(`/${objectId}/certify`, {
    owner,
    confirmation_certificate: { signers, serialized_message: [...message], signature: toBase64Url(signature) },
  });

describe('the upload relay', () => {
  it.each([true, false])('registers, takes, vouches and certifies (deletable: %p)', async (deletable) => {
    const bytes = new Uint8Array(randomBytes(500));
    expect(await relay.tipFor(bytes, new Uint8Array(32))).toBeNull();
    const lease = await register(bytes, deletable);
    expect(await statusOf(lease.blobId)).toBe(404);
    const certificate = await upload(bytes, lease);
    // Here, but not certified.
    expect(await statusOf(lease.blobId)).toBe(404);
    const info = (await (await fetch(`${running.url}/v1/info`)).json()) as { nodePublicKey: string };
    await initWasm();
    // By Walrus's own implementation of its nodes' signatures.
    expect(bls12381_min_pk_verify(certificate.signature, fromHex(info.nodePublicKey), certificate.message)).toBe(true);
    expect(await upload(bytes, lease)).toEqual(certificate);
    for (let time = 0; time < 2; time++) expect((await certify(lease, certificate)).status).toBe(200);
    expect(await statusOf(lease.blobId)).toBe(200);
  });

  it('takes nothing that is not registered, for another object, or of another id', async () => {
    const bytes = new Uint8Array(randomBytes(500));
    const blobId = await blobIdOf(bytes);
    const lease = await register(new Uint8Array(randomBytes(500)), true);
    expect(await codeOf(upload(bytes, { ...lease, blobId }))).toBe('UPSTREAM_INVALID');
    expect(await codeOf(upload(bytes, { ...lease, blobId, deletable: false }))).toBe('UPSTREAM_INVALID');
    // 400, which to a client may be about its tip, too.
    expect(await codeOf(upload(bytes, lease))).toBe('Error: status 400');
    expect(await codeOf(upload(bytes, await register(bytes, true, 499)))).toBe('Error: status 400');
    expect(await statusOf(blobId)).toBe(404);
  });

  it('certifies with nothing else than what the store has signed, and for its owner', async () => {
    const bytes = new Uint8Array(randomBytes(500));
    const lease = await register(bytes, true);
    const certificate = await upload(bytes, lease);
    const other = await register(bytes, true);
    const permanent = await register(bytes, false);
    const signature = Uint8Array.from(certificate.signature);
    signature[95] = (signature[95] ?? 0) ^ 1;
    expect((await certify(lease, { ...certificate, signature })).status).toBe(401);
    expect((await certify(lease, { ...certificate, signature: new Uint8Array(96) })).status).toBe(401);
    expect((await certify(other, certificate)).status).toBe(401);
    expect((await certify(permanent, certificate)).status).toBe(401);
    expect((await certify(lease, certificate, BOB)).status).toBe(403);
    expect(await statusOf(lease.blobId)).toBe(404);
    expect((await certify(lease, certificate)).status).toBe(200);
    expect((await certify(permanent, await upload(bytes, permanent))).status).toBe(200);
  });

  it('certifies with what was signed in this epoch, and not with what was signed before', async () => {
    const bytes = new Uint8Array(randomBytes(500));
    const lease = await register(bytes, false);
    const old = await upload(bytes, lease);
    const advance = { method: 'POST', body: '{"epochs":1}' };
    expect((await fetch(`${running.url}/v1/local/epoch`, advance)).status).toBe(200);
    expect((await certify(lease, old)).status).toBe(401);
    expect((await certify(lease, await upload(bytes, lease))).status).toBe(200);
    expect(await statusOf(lease.blobId)).toBe(200);
  });
});
