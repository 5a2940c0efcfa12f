import { beforeEach, describe, expect, it } from '@jest/globals';
import { encryptEnvelope } from '@usufruct/crypto';
import { refuse, UsufructError } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { FakeStore, seededRandom, testWallet } from '@usufruct/testing';
import type { GetOptions, PutOptions } from '@usufruct/walrus';
import type { StorageTerms } from '../context.js';
import { PART_BYTES, partBytesOf, requireStorage, storeChecked, type StorageContext } from './upload.js';

const BYTES = new TextEncoder().encode('ciphertext');

describe('what counts as stored', () => {
  let store: FakeStore;
  const puts: PutOptions[] = [];
  const gets: GetOptions[] = [];
  const contextOf = (storage?: StorageTerms): StorageContext => {
    const { put, get } = store;
    const watched = Object.assign(Object.create(store) as FakeStore, {
      put: (bytes: Uint8Array, options: PutOptions) => (puts.push(options), put(bytes, options)),
      get: (...args: Parameters<typeof get>) => (gets.push(args[1] ?? {}), get(...args)),
    });
    return { store: watched, signer: testWallet('owner'), ...(storage !== undefined && { storage }) };
  };
  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'accepted',
      (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
    );

  beforeEach(() => {
    store = new FakeStore();
    puts.length = 0;
    gets.length = 0;
  });

  it('was read back past caches, and is resumed under its own key', async () => {
    const reference = await storeChecked(contextOf({ epochs: 7, deletable: true }), BYTES, 'part/0');
    expect(reference).toMatchObject({ sizeBytes: BYTES.length, endEpoch: store.epoch + 7 });
    expect(puts).toEqual([{ resumeKey: 'part/0', epochs: 7, deletable: true }]);
    expect(gets).toEqual([{ fresh: true, expected: BYTES }]);
  });

  it('may not be there at once: a cache said no before it was stored', async () => {
    let misses = 2;
    const { get } = store;
    store.get = (blobId, options) =>
      misses-- > 0 ? Promise.reject(refuse('BLOB_UNAVAILABLE', { blobId })) : get(blobId, options);
    await storeChecked(contextOf(), BYTES, 'part/0');
    expect(gets).toHaveLength(3);
  });

  it('is not what the store gives back changed, or not at all', async () => {
    const { get } = store;
    store.get = async (blobId, options) => (await get(blobId, options)).map((byte) => byte ^ 1);
    expect(await codeOf(storeChecked(contextOf(), BYTES, 'part/0'))).toBe('BLOB_MISMATCH');
    expect(gets).toHaveLength(1);
    store.get = async () => Promise.reject(refuse('UPSTREAM_INVALID', { upstream: 'store' }));
    expect(await codeOf(storeChecked(contextOf(), BYTES, 'part/0'))).toBe('UPSTREAM_INVALID');
  });

  it.each<[StorageTerms, string]>([
    [{}, 'accepted'],
    [{ epochs: 53, deletable: true }, 'accepted'],
    [{ epochs: 54 }, 'INVALID_ARGUMENT'],
    [{ epochs: 0.5 }, 'INVALID_ARGUMENT'],
    [{ own: true }, 'STORE_UNSUPPORTED'],
  ])('terms %p: %s before anything is paid', async (storage, code) => {
    expect(await codeOf((async () => requireStorage(contextOf(storage)))())).toBe(code);
    expect(puts).toEqual([]);
  });

  it('refuses what a store cannot delete', async () => {
    Object.assign(store, { abilities: { ...store.abilities, deletable: false } });
    expect(await codeOf((async () => requireStorage(contextOf({ deletable: true })))())).toBe('STORE_UNSUPPORTED');
  });
});

describe('the parts of a file', () => {
  const CHUNK_BYTES = 512 * 1024;
  /** As long as it says, in one piece. */
  const ciphertextBytes = async (fileBytes: number): Promise<number> => {
    const random = seededRandom('parts');
    async function* source() {
      yield new Uint8Array(fileBytes);
    }
    // The longest name that there can be.
    const options = { source: source(), sessionKey: random(32), fileName: `${'x'.repeat(251)}.txt`, random };
    let total = 0;
    for await (const { length } of encryptEnvelope(options)) total += length;
    return total;
  };

  it.each([
    ['the largest that is taken', LIMITS.fileBytes, LIMITS.partBytes],
    ['the largest with parts of the usual size', 4 * 1024 ** 3 - 1024 ** 2, PART_BYTES],
    ['a byte more', 4 * 1024 ** 3 - 1024 ** 2 + 1, LIMITS.partBytes],
    ['1 GiB', 1024 ** 3, PART_BYTES],
    ['1 byte', 1, PART_BYTES],
  ])('are as many as a contribution may have, and as large: %s', async (_what, fileBytes, partBytes) => {
    expect(partBytesOf(fileBytes)).toBe(partBytes);
    // What encryption adds grows by as much with every chunk: here 8 chunks stand for all of them.
    const few = (await ciphertextBytes(4 * CHUNK_BYTES)) - 4 * CHUNK_BYTES;
    const more = (await ciphertextBytes(12 * CHUNK_BYTES)) - 12 * CHUNK_BYTES;
    const chunks = Math.ceil(fileBytes / CHUNK_BYTES);
    const added = few + ((more - few) / 8) * chunks;
    expect(more).toBeGreaterThan(few);
    expect(added).toBeLessThanOrEqual(LIMITS.envelopeBytes);
    expect(Math.ceil((fileBytes + added) / partBytes)).toBeLessThanOrEqual(LIMITS.partsPerContribution);
    expect(partBytes).toBeLessThanOrEqual(LIMITS.partBytes);
  });
});
