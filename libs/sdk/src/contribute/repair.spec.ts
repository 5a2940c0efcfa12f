import { beforeEach, describe, expect, it } from '@jest/globals';
import { sha256 } from '@usufruct/crypto';
import {
  asBlobId,
  fromBase64Url,
  fromHex,
  toBase64Url,
  toHex32,
  utf8,
  type Digest,
  type Hex32,
} from '@usufruct/kernel';
import { SignedManifestBcs, type BlobReference } from '@usufruct/protocol';
import {
  actingChain,
  aContribution,
  aDao,
  aDataset,
  aPolicy,
  dealManifest,
  FakeStore,
  ManualClock,
  seededRandom,
  signManifest,
  testWallet,
  type FakeChain,
} from '@usufruct/testing';
import type { PutOptions } from '@usufruct/walrus';
import { connect } from '../client.js';
import { memoryJournal, type Journal } from '../journal.js';
import { copyAsSource } from './copy.js';

const OWNER = testWallet('contributor');
const CIPHERTEXTS = [utf8('the first part of a ciphertext'), utf8('and the second one')];
const blobIdOf = (blob: Hex32) => asBlobId(toBase64Url(fromHex(blob)));

describe('repairing what the store has lost', () => {
  let chain: FakeChain;
  let store: FakeStore;
  let copy: FakeStore;
  let journal: Journal;
  let manifestBlob: BlobReference;
  let parts: BlobReference[];
  let contributionId: ReturnType<typeof aContribution>['id'];

  const keep = async (bytes: Uint8Array): Promise<BlobReference> => {
    const { blobId, sizeBytes, endEpoch } = await store.put(bytes, { epochs: 10, deletable: true });
    await copy.put(bytes, { epochs: 10, deletable: true });
    return { blob: toHex32<Hex32>(fromBase64Url(blobId)), sizeBytes, endEpoch };
  };
  const lose = (from: FakeStore, { blob }: BlobReference) => from.delete({ blobId: blobIdOf(blob) });
  const client = (signer = OWNER) =>
    connect({
      apiUrl: 'http://api.test',
      signer,
      chain,
      store,
      holders: [],
      journal,
      fetch: () => Promise.reject(new Error('nothing is fetched')),
      clock: new ManualClock(),
      random: seededRandom('repair'),
    });
  const repair = (signer = OWNER, epochs?: number) =>
    client(signer).contributions.repair({ contributionId, sources: [copy], ...(epochs !== undefined && { epochs }) });
  const states = async () => (await repair()).blobs.map(({ state }) => state);

  /** A contribution of both ciphertexts, which lie in these blobs. */
  async function registered(of: BlobReference[]): Promise<void> {
    const dealt = dealManifest(OWNER.address, {
      parts: of.map(({ blob, sizeBytes }, i) => ({
        blob,
        sizeBytes,
        sha256: toHex32<Digest>(sha256(CIPHERTEXTS[i]!)),
      })),
    });
    const signature = await signManifest(OWNER, dealt);
    manifestBlob = await keep(SignedManifestBcs.serialize({ manifest: dealt.bytes, signature }).toBytes());
    contributionId = dealt.manifest.contributionId;
    chain.put(
      'contribution',
      aContribution({
        id: contributionId,
        owner: OWNER.address,
        manifestDigest: dealt.digest,
        manifestBlob,
        parts: of,
        tombstonedAtMs: null,
      }),
    );
  }

  beforeEach(async () => {
    [chain, store, copy, journal] = [actingChain(), new FakeStore(), new FakeStore(), memoryJournal()];
    chain.put('dao', aDao()).put('dataset', aDataset());
    parts = [];
    for (const ciphertext of CIPHERTEXTS) parts.push(await keep(ciphertext));
    await registered(parts);
  });

  it('does nothing where nothing is lost', async () => {
    const puts = store.puts.length;
    expect(await repair()).toMatchObject({ complete: true, contributionId });
    expect(await states()).toEqual(['there', 'there', 'there']);
    expect(store.puts).toHaveLength(puts);
    expect(chain.executed).toEqual([]);
  });

  it('puts the very same bytes back, manifest and parts, and notes how long they last', async () => {
    await lose(store, parts[1]!);
    await lose(store, manifestBlob);
    const { blobs, complete } = await repair(OWNER, 20);
    expect(blobs.map(({ state }) => state)).toEqual(['repaired', 'there', 'repaired']);
    expect(complete).toBe(true);
    expect(await store.get(blobIdOf(parts[1]!.blob))).toEqual(CIPHERTEXTS[1]);
    const { parts: after, manifestBlob: manifest } = await chain.contribution(contributionId);
    // Epoch 24 of the fake store: ten more epochs at first, twenty now.
    expect([manifest, ...after].map(({ endEpoch }) => endEpoch)).toEqual([44, 34, 44]);
    expect(await states()).toEqual(['there', 'there', 'there']);
  });

  it.each(['deletable', 'permanent'] as const)('puts it back as the DAO decides: %s', async (blobs) => {
    chain.put('dao', aDao({ policy: aPolicy({ blobs }), policyVersion: 2 }));
    await lose(store, parts[1]!);
    await repair();
    const { deletable } = await store.status(blobIdOf(parts[1]!.blob));
    expect(deletable).toBe(blobs === 'deletable');
  });

  it('calls nothing repaired that cannot be read back', async () => {
    await lose(store, parts[1]!);
    const { put } = store;
    store.put = async (bytes, options) => {
      const stored = await put(bytes, options);
      store.tamper(stored.blobId);
      return stored;
    };
    await expect(repair(OWNER, 20)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    expect(chain.executed).toEqual([]);
  });

  it('goes on with an upload that was cut, so that a wallet pays for it once, and forgets it when it is there', async () => {
    await lose(store, parts[1]!);
    const asked: PutOptions[] = [];
    const { put } = store;
    store.put = async (_, options = {}) => {
      asked.push(options);
      // What a store keeps of an upload under its key.
      await journal.put(`${options.resumeKey}/upload`, '{}');
      throw new Error('killed');
    };
    await expect(repair(OWNER, 20)).rejects.toThrow('killed');
    store.put = (bytes, options = {}) => (asked.push(options), put(bytes, options));
    expect(await repair(OWNER, 20)).toMatchObject({ complete: true });
    expect(asked[0]!.resumeKey).toBeDefined();
    expect(asked[1]).toEqual(asked[0]);
    expect(await journal.keys('')).toEqual([]);
  });

  it('says what nobody has, and repairs the rest', async () => {
    await lose(store, parts[0]!);
    await lose(copy, parts[0]!);
    await lose(store, parts[1]!);
    expect(await repair()).toMatchObject({ complete: false });
    expect(await states()).toEqual(['there', 'missing', 'there']);
  });

  it('takes other bytes for none, from the store and from a source', async () => {
    store.tamper(blobIdOf(parts[0]!.blob));
    expect(await states()).toEqual(['there', 'repaired', 'there']);
    store.tamper(blobIdOf(parts[0]!.blob));
    copy.tamper(blobIdOf(parts[0]!.blob));
    expect(await states()).toEqual(['there', 'missing', 'there']);
  });

  it('pays for nothing that a source gives as the whole blob and is not: it may have given the right bytes before', async () => {
    const right = await store.get(blobIdOf(parts[1]!.blob));
    await lose(store, parts[1]!);
    const liar = { getPatch: async () => right, get: async () => right.map((byte) => byte ^ 1) };
    const before = store.puts.length;
    const { blobs } = await client().contributions.repair({ contributionId, sources: [liar] });
    expect(blobs.map(({ state }) => state)).toEqual(['there', 'there', 'missing']);
    expect(store.puts).toHaveLength(before);
  });

  it('needs the manifest from somewhere', async () => {
    await lose(store, manifestBlob);
    copy.tamper(blobIdOf(manifestBlob.blob));
    await expect(repair()).rejects.toMatchObject({ code: 'BLOB_UNAVAILABLE' });
  });

  it('is its owner’s, while it is not retired', async () => {
    await expect(repair(testWallet('stranger'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const view = await chain.contribution(contributionId);
    chain.put('contribution', { ...view, tombstonedAtMs: 1 as never });
    await expect(repair()).rejects.toMatchObject({ code: 'TOMBSTONED' });
  });

  describe('from a copy that its owner has kept', () => {
    const kept = new Map<string, Uint8Array>();
    const source = copyAsSource(async (name) => kept.get(name) ?? null);
    const copyNow = () =>
      client().contributions.copy({ contributionId, keep: async (name, bytes) => void kept.set(name, bytes) });
    const repaired = async () =>
      (await client().contributions.repair({ contributionId, sources: [source] })).blobs.map(({ state }) => state);
    beforeEach(() => kept.clear());

    it('puts back everything', async () => {
      const { names, sizeBytes } = await copyNow();
      expect(names).toHaveLength(3);
      expect(names).toEqual([...kept.keys()]);
      expect(sizeBytes).toBe([...kept.values()].reduce((sum, { length }) => sum + length, 0));
      for (const each of [manifestBlob, ...parts]) await lose(store, each);
      expect(await repaired()).toEqual(['repaired', 'repaired', 'repaired']);
      expect(await repaired()).toEqual(['there', 'there', 'there']);
      expect(await store.get(blobIdOf(parts[0]!.blob))).toEqual(CIPHERTEXTS[0]);
    });

    it('keeps no copy of other bytes', async () => {
      store.tamper(blobIdOf(parts[1]!.blob));
      await expect(copyNow()).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    });

    it('keeps no whole blob that is not the one that it has just read', async () => {
      const { get } = store;
      let reads = 0;
      // Each is read, and then whole: the second part's second answer is another.
      store.get = async (...args) => {
        const bytes = await get(...args);
        return ++reads === 6 ? bytes.map((byte) => byte ^ 1) : bytes;
      };
      await expect(copyNow()).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
    });

    it('takes a changed file of the copy for none', async () => {
      await copyNow();
      await lose(store, parts[0]!);
      for (const bytes of kept.values()) bytes[0]! ^= 1;
      expect(await repaired()).toEqual(['there', 'missing', 'there']);
    });

    it('has a small part, and the whole quilt that it lies in', async () => {
      const files = CIPHERTEXTS.map((bytes) => ({ identifier: toHex32(sha256(bytes)).slice(2), bytes }));
      const { blobId } = await store.putMany(files, { epochs: 10, deletable: true });
      const quilt = { blob: toHex32<Hex32>(fromBase64Url(blobId)), sizeBytes: CIPHERTEXTS[0]!.length, endEpoch: 34 };
      await registered([quilt, { ...quilt, sizeBytes: CIPHERTEXTS[1]!.length }]);
      const { names } = await copyNow();
      // The manifest's blob, the quilt, and each file of it.
      expect(names).toHaveLength(4);
      await lose(store, quilt);
      expect(await repaired()).toEqual(['there', 'repaired']);
      expect(await store.getPatch({ quiltId: blobId, identifier: files[1]!.identifier })).toEqual(CIPHERTEXTS[1]);
    });
  });
});
