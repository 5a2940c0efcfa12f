import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { asBlobId, UsufructError, type Hex32 } from '@usufruct/kernel';
import { breaksOff, hangs, hostileServer, says, type Handler } from '@usufruct/testing';
import { confirmationOf } from './certificate.js';
import type { LeaseView, SliverUpload, Transport } from './ports.js';
import { relayTransport, TipRefused } from './relay.js';

const BLOB_ID = asBlobId('M4hsZGQ1oCktdzegB6HnI6Mi28S2nqOPHxK-W7_4BUk');
const OTHER_ID = asBlobId('A'.repeat(43));
const BYTES = new TextEncoder().encode('ciphertext');
const NONCE = new Uint8Array(32).fill(23);
const LEASE: LeaseView = {
  blobId: BLOB_ID,
  objectId: `0x${'2a'.repeat(32)}` as Hex32,
  sizeBytes: BYTES.length,
  endEpoch: 9,
  deletable: true,
  certified: false,
};
/** The bytes 13, as Sui writes them in base58: the transaction id of the relay's own tests. */
const TIP_DIGEST = `0x${'0d'.repeat(32)}` as Hex32;
const UPLOAD: SliverUpload = {
  bytes: BYTES,
  encoded: { blobId: BLOB_ID, rootHash: new Uint8Array(32) },
  lease: LEASE,
  tipDigest: TIP_DIGEST,
  nonce: NONCE,
};
const ADDRESS = `0x${'5'.repeat(64)}`;

const relayed = (over: object = {}, lease: LeaseView = LEASE, blobId: string = BLOB_ID): object => ({
  blob_id: blobId,
  confirmation_certificate: {
    signers: [0, 2, 3],
    serialized_message: [...confirmationOf(lease, 34)],
    // 48 bytes in the alphabet for URLs, as the Rust relay writes them.
    signature: Buffer.alloc(48, 0xfb).toString('base64url'),
    ...over,
  },
});

describe('an upload relay', () => {
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0)) cleanup();
  });
  async function against(handlers: readonly Handler[]): Promise<{ relay: Transport; seen: string[] }> {
    const { url, seen, close } = await hostileServer(handlers);
    cleanups.push(close);
    const timeoutMs = handlers.includes(hangs) ? 1_000 : 10_000;
    const patience = { fetch: globalThis.fetch, timeoutMs, tries: 2, pauseMs: 1 };
    const relay = relayTransport({ ...patience, url, maxTipMist: 5_000_000n, shards: () => Promise.resolve(1_000) });
    return { relay, seen };
  }
  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'accepted',
      (error: unknown) =>
        error instanceof UsufructError ? error.code : error instanceof TipRefused ? 'tip refused' : String(error),
    );

  it('is asked as its specification says, and gives back what the nodes signed', async () => {
    const { relay, seen } = await against([says(200, relayed())]);
    const certificate = await relay.upload(UPLOAD);
    expect(certificate).toEqual({
      signers: [0, 2, 3],
      message: confirmationOf(LEASE, 34),
      signature: new Uint8Array(48).fill(0xfb),
    });
    const url = new URL(seen[0]!.replace('POST ', ''), 'http://relay');
    expect(url.pathname).toBe('/v1/blob-upload-relay');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      blob_id: BLOB_ID,
      nonce: Buffer.from(NONCE).toString('base64url'),
      // Base58 of 32 bytes of 13, worked out with another implementation.
      tx_id: 'swqrv48gsrwpBFbftEwnP2vB4jckpvfGJfXkwaniLCC',
      deletable_blob_object: LEASE.objectId,
      encoding_type: 'RS2',
    });
  });

  it('is told no transaction where no tip was paid, and no object for a permanent blob', async () => {
    const permanent = { ...LEASE, deletable: false };
    const { relay, seen } = await against([says(200, relayed({}, permanent))]);
    await relay.upload({ ...UPLOAD, lease: permanent, tipDigest: null });
    expect([...new URL(seen[0]!.slice(5), 'http://relay').searchParams.keys()]).toEqual(['blob_id', 'encoding_type']);
  });

  it.each<[string, Handler[], string]>([
    ['answers about another blob', [says(200, relayed({}, LEASE, OTHER_ID))], 'BLOB_MISMATCH'],
    ['a certificate of another blob', [says(200, relayed({}, { ...LEASE, blobId: OTHER_ID }))], 'BLOB_MISMATCH'],
    ['a certificate for a permanent blob', [says(200, relayed({}, { ...LEASE, deletable: false }))], 'BLOB_MISMATCH'],
    [
      'a certificate for another object',
      [says(200, relayed({}, { ...LEASE, objectId: `0x${'2b'.repeat(32)}` as Hex32 }))],
      'BLOB_MISMATCH',
    ],
    ['a message with a byte more', [says(200, relayed({ serialized_message: [1, 2, 3] }))], 'BLOB_MISMATCH'],
    ['no signers', [says(200, relayed({ signers: [] }))], 'UPSTREAM_INVALID'],
    ['no signature', [says(200, relayed({ signature: '#' }))], 'UPSTREAM_INVALID'],
    ['an error page with status 200', [says(200, '<html>', 'text/html')], 'UPSTREAM_INVALID'],
    ['an endless answer', [says(200, ' '.repeat(300_000))], 'UPSTREAM_INVALID'],
    ['a refusal', [says(403, {})], 'UPSTREAM_INVALID'],
    ['a blob that is too large for it', [says(413, {})], 'REQUEST_TOO_LARGE'],
    ['a tip that is too small', [says(402, 'insufficient', 'text/plain')], 'tip refused'],
    ['a tip that is too old', [says(400, 'too old', 'text/plain')], 'tip refused'],
    ['silence', [hangs], 'UPSTREAM_UNAVAILABLE'],
    ['nodes that do not sign', [says(500, 'internal client error', 'text/plain')], 'UPSTREAM_UNAVAILABLE'],
    ['no answer at first, and two then', [hangs, says(200, relayed())], 'accepted'],
    ['half an answer at first', [breaksOff, says(200, relayed())], 'accepted'],
    ['too much to do at first', [says(429, ''), says(200, relayed())], 'accepted'],
  ])('upload: %s', async (_, handlers, code) => {
    const { relay } = await against(handlers);
    expect(await codeOf(relay.upload(UPLOAD))).toBe(code);
  });

  const tip = (kind: object): Handler => says(200, { send_tip: { address: ADDRESS, kind } });

  it('names its price, which is paid with what ties it to this upload', async () => {
    const { relay, seen } = await against([tip({ const: 31_415 })]);
    const priced = await relay.tipFor(BYTES, NONCE);
    expect(seen).toEqual(['GET /v1/tip-config']);
    expect(priced).toMatchObject({ address: ADDRESS, amountMist: 31_415n });
    // SHA-256 of the blob and of the nonce, and the length as u64, little-endian (the relay's AuthPackage, BCS).
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(BYTES.length));
    const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
    const expected = Buffer.concat([sha256(BYTES), sha256(NONCE), length]);
    expect(Buffer.from(priced!.authPayload).equals(expected)).toBe(true);
  });

  it.each<[string, object, bigint]>([
    // A blob of 10 bytes has 66,034,000 bytes in 1,000 shards (Walrus's documentation), 64,487 KiB begun.
    ['by the encoded size', { linear: { base: 101, encoded_size_mul_per_kib: 42 } }, 101n + 42n * 64_487n],
    ['as the specification spells it', { linear: { base: 101, encoded_size_mul_per_kb: 42 } }, 101n + 42n * 64_487n],
    ['nothing', { const: 0 }, 0n],
  ])('price: %s', async (_, kind, amount) => {
    const { relay } = await against([tip(kind)]);
    expect((await relay.tipFor(BYTES, NONCE))!.amountMist).toBe(amount);
  });

  it('may ask for no tip', async () => {
    const { relay } = await against([says(200, JSON.stringify('no_tip'))]);
    expect(await relay.tipFor(BYTES, NONCE)).toBeNull();
  });

  it.each<[string, Handler, string]>([
    ['more than was allowed', tip({ const: 5_000_001 }), 'PAYMENT_REQUIRED'],
    ['a negative price', tip({ const: -1 }), 'UPSTREAM_INVALID'],
    ['half a coin', tip({ const: 0.5 }), 'UPSTREAM_INVALID'],
    ['a price without a factor', tip({ linear: { base: 1 } }), 'UPSTREAM_INVALID'],
    ['a kind that nobody knows', tip({ auction: {} }), 'UPSTREAM_INVALID'],
    ['no address', says(200, { send_tip: { address: '0x5', kind: { const: 1 } } }), 'UPSTREAM_INVALID'],
    ['an error page', says(200, '<html>', 'text/html'), 'UPSTREAM_INVALID'],
    ['nothing', says(404, ''), 'UPSTREAM_INVALID'],
    ['silence', hangs, 'UPSTREAM_UNAVAILABLE'],
  ])('price: refuses %s', async (_, handler, code) => {
    const { relay } = await against([handler]);
    expect(await codeOf(relay.tipFor(BYTES, NONCE))).toBe(code);
  });
});
