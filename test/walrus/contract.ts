import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asBlobId, UsufructError, type Address, type BlobId } from '@usufruct/kernel';
import type { BlobStore, QuiltFile } from '@usufruct/walrus';

export interface Subject {
  readonly store: BlobStore;
  readonly close?: () => Promise<void>;
  /** Where caches may give what was deleted for a while, and each blob costs somebody something. */
  readonly isRemote?: boolean;
}

const BLOB_SIZES = [1, 2, 4_096, 100_000];
const REMOTE_SIZES = [1, 4_096];
const ANOTHER = `0x${'9'.repeat(64)}` as Address;

export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );
/** What nobody has stored before. */
const fresh = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const unknownId = (): BlobId => asBlobId(randomBytes(32).toString('base64url'));

/**
 * What every store behind the blob port does, whatever it is made of. What it says that it cannot do it refuses; all
 * else is checked. One suite for the local store, the fakes, object stores, and a network where one is configured.
 */
export function describeStore(name: string, open: () => Promise<Subject>): void {
  describe(`the contract of a blob store: ${name}`, () => {
    let subject: Subject;
    let store: BlobStore;
    beforeAll(async () => {
      subject = await open();
      ({ store } = subject);
    });
    afterAll(async () => {
      await subject.close?.();
    });
    readsWhatWasStored(() => subject);
    refusesWhatItMust(() => subject);
    rangesAre(() => subject);
    leasesAre(() => subject);
    quiltsAre(() => subject);

    it('says what it can do, as data', () => {
      const { maxBlobBytes, quilts, maxQuiltFiles, leaseEpochs } = store.abilities;
      expect(maxBlobBytes).toBeGreaterThanOrEqual(100_000);
      expect(maxQuiltFiles > 0).toBe(quilts);
      if (leaseEpochs !== null) expect(leaseEpochs.least).toBeLessThanOrEqual(leaseEpochs.most);
    });
  });
}

function readsWhatWasStored(subject: () => Subject): void {
  it('gives back what was stored, and says how large it is', async () => {
    const { store, isRemote = false } = subject();
    for (const size of isRemote ? REMOTE_SIZES : BLOB_SIZES) {
      const bytes = fresh(size);
      const stored = await store.put(bytes, { epochs: 1 });
      expect(stored.sizeBytes).toBe(size);
      expect(Number.isSafeInteger(stored.endEpoch)).toBe(true);
      expect(await store.get(stored.blobId, { fresh: true })).toEqual(bytes);
      const status = await store.status(stored.blobId);
      expect(status.available).toBe(true);
      expect([null, size]).toContain(status.sizeBytes);
    }
  });

  it('names bytes by what they are: the same twice is one blob, others are another', async () => {
    const { store } = subject();
    const bytes = fresh(64);
    const first = await store.put(bytes, { epochs: 1 });
    const again = await store.put(bytes, { epochs: 1 });
    expect(again.blobId).toBe(first.blobId);
    expect(again.endEpoch).toBeGreaterThanOrEqual(first.endEpoch);
    const other = Uint8Array.from(bytes);
    other[63]! ^= 1;
    expect((await store.put(other, { epochs: 1 })).blobId).not.toBe(first.blobId);
    expect(await store.get(first.blobId)).toEqual(bytes);
  });

  it('goes on with an upload under its key, and gives the same again', async () => {
    const { store } = subject();
    const bytes = fresh(64);
    const resumeKey = `contract/${randomBytes(8).toString('hex')}`;
    const first = await store.put(bytes, { epochs: 1, resumeKey });
    expect(await store.put(bytes, { epochs: 1, resumeKey })).toMatchObject({ blobId: first.blobId });
  });
}

function refusesWhatItMust(subject: () => Subject): void {
  it('has not what nobody stored', async () => {
    const { store } = subject();
    expect(await codeOf(store.get(unknownId()))).toBe('BLOB_UNAVAILABLE');
    expect((await store.status(unknownId())).available).toBe(false);
  });

  it('takes nothing empty, nothing too large, and no term that there is not', async () => {
    const { store } = subject();
    const { maxBlobBytes, leaseEpochs, ownable } = store.abilities;
    expect(await codeOf(store.put(new Uint8Array()))).toBe('FILE_EMPTY');
    expect(await codeOf(store.put(new Uint8Array(maxBlobBytes + 1)))).toBe('REQUEST_TOO_LARGE');
    if (leaseEpochs !== null) {
      for (const epochs of [0, -1, 1.5, leaseEpochs.most + 1, Number.NaN])
        expect(await codeOf(store.put(fresh(8), { epochs }))).toBe('INVALID_ARGUMENT');
    }
    if (!ownable) expect(await codeOf(store.put(fresh(8), { owner: ANOTHER }))).toBe('STORE_UNSUPPORTED');
  });

  it.each(['', '../../etc/passwd', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}=`])(
    'asks for no blob named %p',
    async (name) => {
      const { store } = subject();
      const id = name as BlobId;
      expect(await codeOf(store.get(id))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(store.status(id))).toBe('INVALID_ARGUMENT');
    },
  );

  it('stops when the caller has given up', async () => {
    const { store } = subject();
    const signal = AbortSignal.abort(new Error('enough'));
    expect(await codeOf(store.put(fresh(8), { epochs: 1, signal }))).toBe('Error: enough');
    expect(await codeOf(store.get(unknownId(), { signal }))).toBe('Error: enough');
  });
}

function rangesAre(subject: () => Subject): void {
  it('reads exactly the range that was asked for, or none', async () => {
    const { store } = subject();
    const bytes = fresh(1_000);
    const { blobId } = await store.put(bytes, { epochs: 1 });
    const read = (offsetBytes: number, lengthBytes: number): Promise<Uint8Array> =>
      store.get(blobId, { range: { offsetBytes, lengthBytes } });
    if (!store.abilities.ranges) {
      expect(await codeOf(read(0, 1))).toBe('STORE_UNSUPPORTED');
      return;
    }
    for (const [offset, length] of [
      [0, 1],
      [999, 1],
      [0, 1_000],
      [333, 334],
    ] as const)
      expect(await read(offset, length)).toEqual(bytes.slice(offset, offset + length));
    for (const [offset, length] of [
      [1_000, 1],
      [0, 0],
      [-1, 2],
      [0.5, 1],
    ] as const)
      expect(await codeOf(read(offset, length))).toBe('INVALID_ARGUMENT');
    // One that begins inside and ends outside is refused here or by the server, and is never cut short.
    expect(['INVALID_ARGUMENT', 'UPSTREAM_INVALID']).toContain(await codeOf(read(999, 2)));
  });
}

function leasesAre(subject: () => Subject): void {
  it('ends a lease that may be ended, and no other', async () => {
    const { store, isRemote = false } = subject();
    const bytes = fresh(64);
    if (!store.abilities.deletable) {
      expect(await codeOf(store.delete({ blobId: unknownId() }))).toBe('STORE_UNSUPPORTED');
      return;
    }
    const stored = await store.put(bytes, { epochs: 1, deletable: true });
    await store.delete(stored);
    await store.delete(stored);
    if (!isRemote) {
      expect(await codeOf(store.get(stored.blobId))).toBe('BLOB_UNAVAILABLE');
      expect((await store.status(stored.blobId)).available).toBe(false);
    }
    const permanent = await store.put(fresh(64), { epochs: 1, deletable: false });
    expect(await codeOf(store.delete(permanent))).toBe('BLOB_PERMANENT');
    expect((await store.status(permanent.blobId)).available).toBe(true);
  });

  it('makes a lease longer, once however often it is asked', async () => {
    const { store } = subject();
    const stored = await store.put(fresh(64), { epochs: 1 });
    if (!store.abilities.extendable) {
      expect(await codeOf(store.extend(stored, stored.endEpoch + 1))).toBe('STORE_UNSUPPORTED');
      return;
    }
    const endEpoch = stored.endEpoch + 1;
    expect(await store.extend(stored, endEpoch)).toEqual({ endEpoch });
    expect(await store.extend(stored, endEpoch)).toEqual({ endEpoch });
    expect((await store.status(stored.blobId)).endEpoch).toBe(endEpoch);
    expect(await codeOf(store.extend(stored, endEpoch + 100))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(store.extend({ blobId: unknownId() }, endEpoch))).toBe('BLOB_UNAVAILABLE');
  });
}

function quiltsAre(subject: () => Subject): void {
  const files = (count: number): QuiltFile[] =>
    Array.from({ length: count }, (_, i) => ({
      identifier: `part-${String(count - i).padStart(4, '0')}.bin`,
      bytes: fresh(100 + i),
      ...(i === 0 && { tags: { kind: 'contract test' } }),
    }));

  it('stores many small files as one blob, and gives each of them', async () => {
    const { store, isRemote = false } = subject();
    const given = files(3);
    if (!store.abilities.quilts) {
      expect(await codeOf(store.putMany(given))).toBe('STORE_UNSUPPORTED');
      return;
    }
    const quilt = await store.putMany(given, { epochs: 1, deletable: store.abilities.deletable });
    expect(quilt.patches.map(({ identifier }) => identifier)).toEqual(given.map(({ identifier }) => identifier));
    for (const [i, { patchId, identifier }] of quilt.patches.entries()) {
      expect(await store.getPatch({ patchId })).toEqual(given[i]!.bytes);
      expect(await store.getPatch({ quiltId: quilt.blobId, identifier })).toEqual(given[i]!.bytes);
    }
    expect(await codeOf(store.getPatch({ quiltId: quilt.blobId, identifier: 'other' }))).toBe('BLOB_UNAVAILABLE');
    expect((await store.status(quilt.blobId)).available).toBe(true);
    if (!store.abilities.deletable || isRemote) return;
    await store.delete(quilt);
    expect(await codeOf(store.getPatch(quilt.patches[0]!))).toBe('BLOB_UNAVAILABLE');
  });

  it('refuses what cannot be a quilt', async () => {
    const { store } = subject();
    if (!store.abilities.quilts) return;
    const [one] = files(1);
    const named = (identifier: string): QuiltFile => ({ identifier, bytes: fresh(8) });
    expect(await codeOf(store.putMany([]))).toBe('FILE_EMPTY');
    expect(await codeOf(store.putMany([{ ...one!, bytes: new Uint8Array() }]))).toBe('FILE_EMPTY');
    expect(await codeOf(store.putMany([one!, one!]))).toBe('INVALID_ARGUMENT');
    for (const identifier of ['', '_metadata', '../a', 'a"b', 'a\r\nb'])
      expect(await codeOf(store.putMany([named(identifier)]))).toBe('INVALID_ARGUMENT');
    const tooMany = Array.from({ length: store.abilities.maxQuiltFiles + 1 }, (_, i) => named(`f${i}`));
    expect(await codeOf(store.putMany(tooMany))).toBe('REQUEST_TOO_LARGE');
  });
}
