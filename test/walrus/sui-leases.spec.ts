import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { WalrusClient } from '@mysten/walrus';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { keypairSigner } from '@usufruct/chain';
import { systemRandom, type Address, type BlobId } from '@usufruct/kernel';
import {
  authPayload,
  confirmationOf,
  uploadBlobStore,
  type BlobStore,
  type LeaseChain,
  type Tip,
  type Transport,
} from '@usufruct/walrus';
import { blobIdEncoder } from '@usufruct/walrus/blob-id';
import { suiLeaseChain } from '@usufruct/walrus/sui';
import { codeOf } from './contract.js';
import { FakeAggregator } from './fake-aggregator.js';
import { FakeWalrusNode } from './fake-walrus-node.js';

/** Few, because encoding for a thousand takes seconds; the calls are the same. */
const SHARDS = 7;
const BYTES = new TextEncoder().encode('ciphertext');
const KEY = { resumeKey: 'part/0', epochs: 5, deletable: true };
const RELAY = `0x${'8'.repeat(64)}` as Address;
const signer = keypairSigner(new Ed25519Keypair());

/** The contracts' calls are `@mysten/walrus`'s; what is looked at here is what this client makes of them. */
describe('leases on Sui', () => {
  let node: FakeWalrusNode;
  let chain: LeaseChain;
  const records = new Map<string, string>();
  const stored = new Map<BlobId, Uint8Array>();

  const open = (coins = { sui: 10n ** 9n, wal: 10n ** 9n }): void => {
    node = new FakeWalrusNode(signer.address, SHARDS, coins);
    const walrus = new WalrusClient({ network: 'testnet', suiClient: node });
    chain = suiLeaseChain({ client: node, walrus, signer, lookUpAfterMs: [0, 1] });
  };
  const transport = (tipMist: bigint | null = null): Transport => ({
    tipFor: async (bytes, nonce): Promise<Tip | null> =>
      tipMist === null ? null : { address: RELAY, amountMist: tipMist, authPayload: await authPayload(bytes, nonce) },
    upload: async ({ bytes, lease }) => {
      stored.set(lease.blobId, bytes);
      const message = confirmationOf(lease, node.walrusEpoch);
      return { signers: [0], message, signature: new Uint8Array(48) };
    },
  });
  const storeOf = (tipMist: bigint | null = null): BlobStore =>
    uploadBlobStore({
      chain,
      transport: transport(tipMist),
      random: systemRandom,
      readers: new FakeAggregator((blobId) => stored.get(blobId) ?? null),
      encodeQuilt: () => Promise.reject(new Error('none')),
      maxQuiltFiles: 0,
      journal: {
        get: async (key) => records.get(key) ?? null,
        put: async (key, value) => void records.set(key, value),
        delete: async (key) => void records.delete(key),
      },
    });
  const named = (): string[][] => node.calls.map(({ names }) => names);

  beforeEach(() => {
    open();
    records.clear();
    stored.clear();
  });

  it('are registered and certified, under the id that RedStuff gives', async () => {
    const blob = await storeOf().put(BYTES, KEY);
    expect(blob).toMatchObject({ blobId: await (await blobIdEncoder(SHARDS))(BYTES), sizeBytes: 10, endEpoch: 35 });
    expect(named()).toEqual([['reserve_space', 'register_blob'], ['certify_blob']]);
    expect(await chain.lease(blob.objectId!)).toMatchObject({ certified: true, deletable: true, endEpoch: 35 });
    expect(await storeOf().put(BYTES, KEY)).toEqual(blob);
    expect(node.calls).toHaveLength(2);
  });

  it('pay a relay in the same transaction, tied to the upload by its first input', async () => {
    await storeOf(1_000n).put(BYTES, KEY);
    const [registration] = node.calls;
    const { nonce } = JSON.parse(records.get('part/0/upload')!) as { nonce: string };
    expect(registration!.firstInput).toEqual(await authPayload(BYTES, new Uint8Array(Buffer.from(nonce, 'base64'))));
    // The tip to the relay, and the lease to its owner.
    expect(registration!.transfers).toBe(2);
  });

  it.each(['request', 'answer'] as const)('are paid once where the %s is lost', async (lost) => {
    node.loseNext = lost;
    const first = await codeOf(storeOf().put(BYTES, KEY));
    expect(first).toBe(lost === 'request' ? 'SETTLEMENT_UNKNOWN' : 'accepted');
    expect(await codeOf(storeOf().put(BYTES, KEY))).toBe('accepted');
    expect(named()).toEqual([['reserve_space', 'register_blob'], ['certify_blob']]);
  });

  it('are registered anew when what was lost can happen no more', async () => {
    node.loseNext = 'request';
    await codeOf(storeOf().put(BYTES, KEY));
    node.epoch++;
    expect(await codeOf(storeOf().put(BYTES, KEY))).toBe('accepted');
    expect(named()).toEqual([['reserve_space', 'register_blob'], ['certify_blob']]);
  });

  it('are certified anew when the epoch of the certificate is over', async () => {
    const { prepareCertification } = chain;
    chain.prepareCertification = () => Promise.reject(new Error('killed'));
    expect(await codeOf(storeOf().put(BYTES, KEY))).toBe('Error: killed');
    chain.prepareCertification = prepareCertification;
    node.walrusEpoch++;
    expect(await codeOf(storeOf().put(BYTES, KEY))).toBe('accepted');
    expect(named()).toEqual([['reserve_space', 'register_blob'], ['certify_blob'], ['certify_blob']]);
  });

  it('are extended and ended by their owner', async () => {
    const blob = await storeOf().put(BYTES, KEY);
    expect(await storeOf().extend({ blobId: blob.blobId }, 40)).toEqual({ endEpoch: 40 });
    expect(await storeOf().extend(blob, 40)).toEqual({ endEpoch: 40 });
    expect(await storeOf().status(blob.blobId)).toMatchObject({ certified: true, endEpoch: 40, deletable: true });
    await storeOf().delete(blob);
    await storeOf().delete(blob);
    expect(named().slice(2)).toEqual([['extend_blob'], ['delete_blob']]);
    expect(await chain.lease(blob.objectId!)).toBeNull();
    expect(await chain.leaseOf(blob.blobId)).toBeNull();
  });

  it('end with the epoch that Walrus says, read afresh', async () => {
    const blob = await storeOf().put(BYTES, KEY);
    expect(await chain.currentEpoch()).toBe(30);
    node.walrusEpoch = 35;
    expect(await chain.currentEpoch()).toBe(35);
    expect(await codeOf(storeOf().extend(blob, 40))).toBe('BLOB_UNAVAILABLE');
  });

  it.each([
    ['WAL', { sui: 10n ** 9n, wal: 1n }],
    ['SUI', { sui: 0n, wal: 10n ** 9n }],
  ])('cost what a wallet without %s has not', async (_, coins) => {
    open(coins);
    expect(await codeOf(storeOf().put(BYTES, KEY))).toBe('INSUFFICIENT_BALANCE');
    expect(node.calls).toEqual([]);
  });
});
