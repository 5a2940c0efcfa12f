import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromHex, refuse, toBase64, UsufructError, type BlobId, type DatasetId, type Hex32 } from '@usufruct/kernel';
import { collect, combine, decryptEnvelope, deriveSessionKey, streamOf } from '@usufruct/crypto';
import { decodeManifest, heldKeys, LIMITS, TAGS } from '@usufruct/protocol';
import {
  actingChain,
  aDao,
  aDataset,
  aHolderSet,
  aPolicy,
  FakeHolder,
  FakeStore,
  fetchOf,
  idOf,
  ManualClock,
  seededRandom,
  testWallet,
  type FakeChain,
} from '@usufruct/testing';
import { QUILTED_AT_MOST_BYTES, readPart, type QuiltFile } from '@usufruct/walrus';
import { encodedBlobBytes, quiltBytes, STORAGE_UNIT_BYTES } from '@usufruct/walrus/cost';
import fc from 'fast-check';
import { connect } from '../../client.js';
import { memoryJournal, type Journal } from '../../journal.js';
import type { ContributeParams } from '../contribute.js';
import { blobIdOf, fetchManifest } from '../manifest-blob.js';
import { planQuilts } from './plan.js';

const DATASET = idOf<DatasetId>('dataset');
const WALLET = testWallet('contributor');

class Killed extends Error {}

/** Stops the client at its n-th step to the outside, just before it happens or just after; then nothing happens any more. */
class Fuse {
  steps = 0;
  private isBlown = false;
  constructor(
    private readonly at = Number.POSITIVE_INFINITY,
    private readonly isAfter = false,
  ) {}
  async pass<T>(step: () => Promise<T>): Promise<T> {
    if (this.isBlown) throw new Killed();
    this.isBlown = this.steps++ === this.at;
    if (this.isBlown && !this.isAfter) throw new Killed();
    const result = await step();
    if (this.isBlown) throw new Killed();
    return result;
  }
}

let holders: FakeHolder[];
let chain: FakeChain;
let store: FakeStore;
let journal: Journal;
/** How many files each quilt had that was sent. */
let quilts: number[];

beforeAll(async () => {
  holders = await Promise.all(['a', 'b', 'c'].map((name) => FakeHolder.create(name, 'local:test')));
});
function freshWorld(): void {
  [chain, store, journal, quilts] = [actingChain(), new FakeStore(), memoryJournal(), []];
  const members = holders.map(({ member }) => ({
    operator: member.operator,
    signingPublicKey: toBase64(member.signingPublicKey),
    sealingPublicKey: toBase64(member.sealingPublicKey),
  }));
  for (const holder of holders) {
    holder.shares.clear();
    holder.isDown = false;
  }
  chain.put('dao', aDao()).put('dataset', aDataset({ contributionCount: 0 }));
  chain.put('holder-set', aHolderSet({ members }));
}
beforeEach(freshWorld);
afterEach(() => Promise.all(holders.map((holder) => holder.rotate())));

function client(fuse = new Fuse(), process = 'one', storage = {}) {
  const reach = fetchOf(holders);
  return connect({
    apiUrl: 'http://api.test',
    signer: {
      address: WALLET.address,
      signPersonalMessage: (message) => fuse.pass(() => WALLET.signPersonalMessage(message)),
    },
    chain: Object.assign(Object.create(chain) as FakeChain, {
      prepare: (...args: Parameters<FakeChain['prepare']>) => fuse.pass(() => chain.prepare(...args)),
      send: (...args: Parameters<FakeChain['send']>) => fuse.pass(() => chain.send(...args)),
    }),
    store: Object.assign(Object.create(store) as FakeStore, {
      put: (...args: Parameters<FakeStore['put']>) => fuse.pass(() => store.put(...args)),
      putMany: (...args: Parameters<FakeStore['putMany']>) =>
        fuse.pass(() => (quilts.push(args[0].length), store.putMany(...args))),
      getPatch: (...args: Parameters<FakeStore['getPatch']>) => fuse.pass(() => store.getPatch(...args)),
    }),
    holders: holders.map(({ url }) => ({ url })),
    journal: {
      get: (key) => journal.get(key),
      keys: (prefix) => journal.keys(prefix),
      put: (key, value) => fuse.pass(() => journal.put(key, value)),
      delete: (key) => fuse.pass(() => journal.delete(key)),
    },
    fetch: (input, init) => fuse.pass(() => reach(input, init)),
    storage,
    clock: new ManualClock(),
    random: seededRandom(process),
  }).contributions;
}

const contentOf = (i: number, bytes = 900): Uint8Array => new Uint8Array(bytes).map((_, at) => (at * 7 + i) % 251);
const fileOf = (i: number, content = contentOf(i), datasetId = DATASET): ContributeParams => ({
  key: `file ${i}`,
  datasetId,
  fileName: `note-${i}.txt`,
  sizeBytes: content.length,
  source: () => streamOf(content),
});
const filesOf = (count: number) => Array.from({ length: count }, (_, i) => fileOf(i));

/** Every file is one contribution, with a share at every holder, and what two of them open is the file. */
async function expectContributed(contents: readonly Uint8Array[]): Promise<void> {
  const registered = await chain.contributionsOf(DATASET);
  expect(registered).toHaveLength(contents.length);
  const opened = new Map<string, Uint8Array>();
  for (const contribution of registered) {
    const manifest = decodeManifest(await fetchManifest(store, contribution));
    expect(manifest.parts.map(({ blob }) => blob)).toEqual(contribution.parts.map(({ blob }) => blob));
    const shares = holders.map((holder) => holder.shares.get(contribution.manifestDigest)!.share);
    const secret = combine(shares.slice(0, 2), heldKeys(manifest).commitments);
    const sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret, context: fromHex(contribution.id) });
    const parts = await Promise.all(
      manifest.parts.map(({ blob, sha256, sizeBytes }) =>
        readPart(store, { blobId: blobIdOf(blob), digest: sha256, sizeBytes }, () => true),
      ),
    );
    const { fileName, body } = await decryptEnvelope({ source: streamOf(...parts), sessionKey });
    opened.set(fileName, await collect(body, LIMITS.fileBytes));
  }
  for (const [i, content] of contents.entries())
    expect(Buffer.compare(opened.get(`note-${i}.txt`) ?? new Uint8Array(), content)).toBe(0);
}
const blobs = async (): Promise<{ parts: Set<Hex32>; manifests: Set<Hex32> }> => {
  const registered = await chain.contributionsOf(DATASET);
  return {
    parts: new Set(registered.flatMap(({ parts }) => parts.map(({ blob }) => blob))),
    manifests: new Set(registered.map(({ manifestBlob }) => manifestBlob.blob)),
  };
};
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );

describe('which files belong into a quilt', () => {
  const walrus = { quilts: true, maxQuiltFiles: 666, maxBlobBytes: LIMITS.partBytes, shards: 1_000 };
  const local = { ...walrus, maxQuiltFiles: 16, shards: 25 };
  const same = (count: number, bytes: number) => Array.from({ length: count }, () => bytes);

  it.each<[string, number[], typeof walrus, number[]]>([
    ['a thousand of 10 KiB on Walrus', same(1_000, 10_240), walrus, [663, 337]],
    ['a thousand in the local store, of small quilts', same(1_000, 10_240), local, [...same(62, 16), 8]],
    ['one alone', same(1, 10_240), walrus, []],
    ['none', [], walrus, []],
    ['what is larger than a quilt takes', same(5, QUILTED_AT_MOST_BYTES + 1), walrus, []],
    ['where there are no quilts', same(5, 100), { ...walrus, quilts: false }, []],
  ])('%s', (_, sizes, limits, expected) => {
    expect(planQuilts(sizes, limits).map(({ length }) => length)).toEqual(expected);
  });

  it('none twice, none too large, and never for more than their own blobs would cost', () => {
    const unitsOf = (bytes: number, shards: number) => Math.ceil(encodedBlobBytes(bytes, shards) / STORAGE_UNIT_BYTES);
    const sizes = fc.array(fc.integer({ min: 1, max: 2 * QUILTED_AT_MOST_BYTES }), { maxLength: 60 });
    fc.assert(
      fc.property(sizes, fc.constantFrom(walrus, local), (given, limits) => {
        const planned = planQuilts(given, limits);
        expect(new Set(planned.flat()).size).toBe(planned.flat().length);
        for (const places of planned) {
          const together = places.map((i) => given[i]!);
          const bytes = quiltBytes(together, 64, limits.shards)!;
          expect(bytes).toBeLessThanOrEqual(limits.maxBlobBytes);
          expect(places.length).toBeLessThanOrEqual(limits.maxQuiltFiles);
          const alone = together.reduce((sum, size) => sum + unitsOf(size, limits.shards), 0);
          expect(unitsOf(bytes, limits.shards)).toBeLessThan(alone);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('many small files at once', () => {
  it('lie in two quilts, one of parts and one of manifests, and nothing else is stored', async () => {
    const done = await client().contributeMany(filesOf(5));
    expect(done.map(({ fileName }) => fileName)).toEqual([
      'note-0.txt',
      'note-1.txt',
      'note-2.txt',
      'note-3.txt',
      'note-4.txt',
    ]);
    expect([quilts, store.puts.length]).toEqual([[5, 5], 2]);
    await expectContributed(filesOf(5).map((_, i) => contentOf(i)));
    const { parts, manifests } = await blobs();
    expect([parts.size, manifests.size]).toEqual([1, 1]);
    // The results, and no secret and no quilt.
    expect(await journal.keys('')).toEqual(filesOf(5).map(({ key }) => `contribute/${encodeURIComponent(key)}/done`));
  });

  it('come into as many quilts as the store’s are small, and a large one is a blob of its own', async () => {
    Object.assign(store, { abilities: { ...store.abilities, maxQuiltFiles: 16, shards: 25 } });
    const large = contentOf(20, QUILTED_AT_MOST_BYTES);
    const files = [...filesOf(20), fileOf(20, large)];
    await client().contributeMany(files);
    expect(quilts.toSorted((a, b) => a - b)).toEqual([4, 4, 16, 16]);
    expect(store.puts).toHaveLength(4 + 2);
    await expectContributed([...filesOf(20).map((_, i) => contentOf(i)), large]);
  });

  it('are blobs of their own where there are no quilts', async () => {
    Object.assign(store, { abilities: { ...store.abilities, quilts: false, maxQuiltFiles: 0 } });
    await client().contributeMany(filesOf(2));
    expect([quilts, store.puts.length]).toEqual([[], 4]);
    await expectContributed(filesOf(2).map((_, i) => contentOf(i)));
  });

  it('of several datasets share no quilt: it is extended and deleted only whole', async () => {
    const other = idOf<DatasetId>('another dataset');
    chain.put('dataset', aDataset({ id: other, contributionCount: 0 }));
    await client().contributeMany([...filesOf(2), fileOf(2, contentOf(2), other), fileOf(3, contentOf(3), other)]);
    expect(quilts).toEqual([2, 2, 2, 2]);
    const [one] = await chain.contributionsOf(DATASET);
    const [two] = await chain.contributionsOf(other);
    expect(one!.parts[0]!.blob).not.toBe(two!.parts[0]!.blob);
  });

  it('have the lifetime that was asked for', async () => {
    await client(new Fuse(), 'one', { epochs: 7, deletable: true }).contributeMany(filesOf(2));
    const [{ parts, manifestBlob }] = (await chain.contributionsOf(DATASET)) as [never];
    const [part] = parts as { blob: Hex32; endEpoch: number }[];
    expect([part!.endEpoch, (manifestBlob as { endEpoch: number }).endEpoch]).toEqual([
      store.epoch + 7,
      store.epoch + 7,
    ]);
    expect(await store.status(blobIdOf(part!.blob))).toMatchObject({ deletable: true });
  });

  it.each([
    ['deletable', true],
    ['permanent', false],
  ] as const)('are stored as the DAO decides: %s', async (kind, deletable) => {
    chain.put('dao', aDao({ policy: aPolicy({ blobs: kind }), policyVersion: 2 }));
    await client().contributeMany([...filesOf(2), fileOf(2, contentOf(2, QUILTED_AT_MOST_BYTES))]);
    for (const { parts, manifestBlob } of await chain.contributionsOf(DATASET))
      for (const { blob } of [...parts, manifestBlob])
        expect(await store.status(blobIdOf(blob))).toMatchObject({ deletable });
    // A client that was told otherwise stores nothing.
    const before = store.puts.length;
    const other = client(new Fuse(), 'two', { deletable: !deletable });
    expect(await codeOf(other.contributeMany([fileOf(7), fileOf(8)]))).toBe('INVALID_ARGUMENT');
    expect(store.puts).toHaveLength(before);
  });

  it('of which one cannot be contributed: the others are, and it is told where it is contributed', async () => {
    const short = { ...fileOf(1), sizeBytes: 901 };
    const contributions = client();
    await contributions.storeTogether([fileOf(0), short, fileOf(2), { ...fileOf(3), fileName: 'film.mov' }]);
    expect(quilts).toEqual([2, 2]);
    expect(await codeOf(contributions.contribute(short))).toBe('INVALID_ARGUMENT');
    for (const i of [0, 2]) expect(await codeOf(contributions.contribute(fileOf(i)))).toBe('done');
    expect(store.puts).toHaveLength(2);
  });

  it('are not stored where the store gives one of them back changed', async () => {
    const { putMany } = store;
    store.putMany = async (files, options) => {
      const lie = files.map((file, i): QuiltFile =>
        i === 1 ? { ...file, bytes: file.bytes.map((b) => b ^ 1) } : file,
      );
      return putMany(lie, options);
    };
    expect(await codeOf(client().contributeMany(filesOf(3)))).toBe('BLOB_MISMATCH');
    expect(await chain.contributionsOf(DATASET)).toEqual([]);
  });

  it('again give the same, and send nothing', async () => {
    const first = await client().contributeMany(filesOf(3));
    expect(await client(new Fuse(), 'two').contributeMany(filesOf(3))).toEqual(first);
    expect(store.puts).toHaveLength(2);
  });
});

describe('a quilt that was interrupted', () => {
  const COUNT = 2;
  const contents = filesOf(COUNT).map((_, i) => contentOf(i));

  it('is paid once and ends in every contribution, whatever step it is killed at', async () => {
    const counting = new Fuse();
    // What comes after, each contribution does by itself.
    await client(counting).storeTogether(filesOf(COUNT));
    expect(counting.steps).toBeGreaterThan(20);
    // Just after a step is just before the next one.
    for (let at = 0; at < counting.steps; at++) {
      freshWorld();
      await expect(client(new Fuse(at, true)).contributeMany(filesOf(COUNT))).rejects.toBeDefined();
      await client(new Fuse(), 'two').contributeMany(filesOf(COUNT));
      await expectContributed(contents);
      // Sent again perhaps: the same bytes are the same blob, and the same upload under its key.
      expect(new Set<BlobId>(store.puts).size).toBe(2);
      expect(await journal.keys('quilts/')).toEqual([]);
    }
  });

  it('survives being killed several times', async () => {
    const kills = fc.array(fc.tuple(fc.nat(60), fc.boolean()), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(kills, async (list) => {
        freshWorld();
        for (const [i, [at, isAfter]] of list.entries())
          await client(new Fuse(at, isAfter), `process ${i}`)
            .contributeMany(filesOf(COUNT))
            .catch(() => undefined);
        await client(new Fuse(), 'last').contributeMany(filesOf(COUNT));
        await expectContributed(contents);
        expect(new Set<BlobId>(store.puts).size).toBe(2);
      }),
      { numRuns: 5 },
    );
  });

  /** Until the first quilt is stored, and nobody knows. */
  async function killedAfterPut(): Promise<void> {
    const { putMany } = store;
    store.putMany = async (...args) => {
      await putMany(...args);
      throw new Killed();
    };
    await expect(client().contributeMany(filesOf(COUNT))).rejects.toThrow(Killed);
    store.putMany = putMany;
  }

  it('is the same one when there are more files now', async () => {
    await killedAfterPut();
    await client(new Fuse(), 'two').contributeMany(filesOf(COUNT + 2));
    await expectContributed(filesOf(COUNT + 2).map((_, i) => contentOf(i)));
    expect(quilts).toEqual([COUNT, COUNT, COUNT, 2, 2]);
    expect(new Set<BlobId>(store.puts).size).toBe(4);
  });

  it('is given up where a file of it is missing, or has changed, and nothing changed goes under the old key', async () => {
    await killedAfterPut();
    const changed = contentOf(99);
    await client(new Fuse(), 'two').contributeMany([fileOf(0), fileOf(1, changed)]);
    await expectContributed([contents[0]!, changed]);
    freshWorld();
    await killedAfterPut();
    await client(new Fuse(), 'two').contributeMany([fileOf(0)]);
    await expectContributed(contents.slice(0, 1));
    expect(await journal.keys('quilts/')).toEqual([]);
  });

  it('is found stored by whoever contributes one of its files alone', async () => {
    // Stored and written down, and no contribution has noted it.
    let puts = 0;
    const put = journal.put.bind(journal);
    journal.put = async (key, value) => {
      await put(key, value);
      if (key.startsWith('quilts/') && ++puts === 2) throw new Killed();
    };
    await expect(client().contributeMany(filesOf(COUNT))).rejects.toThrow(Killed);
    journal.put = put;
    await client(new Fuse(), 'two').contribute(fileOf(1));
    // The quilt, and this manifest as a blob of its own.
    expect(store.puts).toHaveLength(2);
    await client(new Fuse(), 'three').contributeMany(filesOf(COUNT));
    await expectContributed(contents);
    expect(store.puts).toHaveLength(3);
  });

  it('has the DAO’s lifetime also where another client, told otherwise, goes on with what was planned', async () => {
    await killedAfterPut();
    await client(new Fuse(), 'two', { deletable: false }).storeTogether(filesOf(COUNT));
    expect(quilts).toEqual([COUNT, COUNT, COUNT]);
    for (const blobId of store.puts) expect(await store.status(blobId)).toMatchObject({ deletable: true });
  });

  it('is not begun with what was sent as a blob of its own, and may be paid by whoever runs the store', async () => {
    const { put } = store;
    // The answer is lost, and the store remembers nothing of it.
    let left = 0;
    store.put = async (bytes, options) => {
      if (left-- > 0) return put(bytes, options);
      await put(bytes, options);
      throw new Killed();
    };
    await expect(client().contribute(fileOf(0))).rejects.toThrow(Killed);
    // Its part gets through, and its manifest is cut.
    left = 1;
    await expect(client(new Fuse(), 'two').contribute(fileOf(1))).rejects.toThrow(Killed);
    store.put = put;
    await client(new Fuse(), 'three').contributeMany(filesOf(4));
    await expectContributed(filesOf(4).map((_, i) => contentOf(i)));
    expect(quilts).toEqual([2, 2]);
    // Two parts and two manifests alone, each the same blob again where it is sent again.
    expect(new Set<BlobId>(store.puts).size).toBe(2 + 4);
  });

  it('is of no use to a contribution that had to begin anew', async () => {
    const contributions = client();
    await contributions.storeTogether(filesOf(COUNT));
    chain.put('dao', aDao({ policy: aPolicy({ verifierThreshold: 1 }), policyVersion: 2 }));
    await client(new Fuse(), 'two').contributeMany(filesOf(COUNT));
    await expectContributed(contents);
    expect(quilts).toHaveLength(4);
  });
});

describe('what lies in a quilt', () => {
  const signedIn = async () => {
    await client(new Fuse(), 'one', { deletable: true }).contributeMany(filesOf(2));
    return chain.contributionsOf(DATASET);
  };

  it('has its manifest read by whoever shows the key modes', async () => {
    const [one] = await signedIn();
    expect(await client().keyMode(one!.id)).toBe('holders');
  });

  it('is put back whole by its owner, which helps all that lies in it', async () => {
    const [one, two] = await signedIn();
    const names = [one!.manifestBlob, one!.parts[0]!].map(({ blob }) => blobIdOf(blob));
    const copy = new FakeStore();
    for (const name of names) await copy.put(await store.get(name));
    // A fake knows the files of a quilt from when it was stored: the copy has the bytes, and the store what they are.
    const getPatch = store.getPatch;
    const sources = [{ get: copy.get, getPatch }];
    const isLost = new Set<string>(names);
    store.getPatch = async (patch, options) => {
      if ('quiltId' in patch && isLost.has(patch.quiltId)) throw refuse('BLOB_UNAVAILABLE');
      return getPatch(patch, options);
    };
    const { get, put } = store;
    store.get = async (blobId, options) =>
      isLost.has(blobId) ? Promise.reject(refuse('BLOB_UNAVAILABLE', { blobId })) : get(blobId, options);
    const before = store.puts.length;
    store.put = async (bytes, options) => {
      const stored = await put(bytes, options);
      isLost.delete(stored.blobId);
      return stored;
    };
    const { blobs, complete } = await client().repair({ contributionId: one!.id, sources });
    expect([complete, blobs.map(({ state }) => state)]).toEqual([true, ['repaired', 'repaired']]);
    expect(store.puts.slice(before)).toEqual(names);
    const other = await client().repair({ contributionId: two!.id, sources: [] });
    expect(other.blobs.map(({ state }) => state)).toEqual(['there', 'there']);
  });

  it('is deleted with the last of it, and said to stay until then', async () => {
    const [one, two] = await signedIn();
    const erase = async (id: typeof one) => (await client().erase(id!.id)).receipt.blobs.map(({ state }) => state);
    expect(await erase(one)).toEqual(['expires', 'expires']);
    expect((await store.status(blobIdOf(one!.parts[0]!.blob))).available).toBe(true);
    expect(await erase(two)).toEqual(['gone', 'gone']);
    expect((await store.status(blobIdOf(one!.parts[0]!.blob))).available).toBe(false);
    // Asked again, the first is gone as well.
    expect(await erase(one)).toEqual(['gone', 'gone']);
  });

  it('is not deleted under what is stored and not registered yet', async () => {
    const contributions = client(new Fuse(), 'one', { deletable: true });
    await contributions.storeTogether(filesOf(2));
    await contributions.contribute(fileOf(0));
    const [one] = await chain.contributionsOf(DATASET);
    await contributions.erase(one!.id);
    expect((await store.status(blobIdOf(one!.parts[0]!.blob))).available).toBe(true);
    await contributions.contribute(fileOf(1));
    const registered = await chain.contributionsOf(DATASET);
    expect(decodeManifest(await fetchManifest(store, registered[1]!)).contributionId).toBe(registered[1]!.id);
  });

  it('is not deleted under what is registered while its neighbour is erased', async () => {
    const contributions = client(new Fuse(), 'one', { deletable: true });
    await contributions.storeTogether(filesOf(2));
    await contributions.contribute(fileOf(0));
    const [one] = await chain.contributionsOf(DATASET);
    const contributionsOf = chain.contributionsOf.bind(chain);
    chain.contributionsOf = async (datasetId) => {
      const before = await contributionsOf(datasetId);
      chain.contributionsOf = contributionsOf;
      await contributions.contribute(fileOf(1));
      return before;
    };
    await contributions.erase(one!.id);
    expect(await chain.contributionsOf(DATASET)).toHaveLength(2);
    expect((await store.status(blobIdOf(one!.parts[0]!.blob))).available).toBe(true);
  });

  it('is kept by no word of somebody else’s', async () => {
    const registered = await signedIn();
    const [one] = registered;
    chain.put('contribution', {
      ...one!,
      id: idOf('a stranger’s'),
      owner: testWallet('stranger').address,
    });
    for (const { id } of registered) await client().erase(id);
    expect((await store.status(blobIdOf(one!.parts[0]!.blob))).available).toBe(false);
  });
});
