import { beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '@usufruct/crypto';
import { refuse, UsufructError } from '@usufruct/kernel';
import { FakeStore, testWallet } from '@usufruct/testing';
import type { GetOptions, PutOptions } from '@usufruct/walrus';
import type { StorageTerms } from '../context.js';
import { requireStorage, storeChecked, type StorageContext } from './upload.js';

const BYTES = new TextEncoder().encode('ciphertext');
const SHA256 = digestOf(BYTES);

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
    const reference = await storeChecked(contextOf({ epochs: 7, deletable: true }), BYTES, SHA256, 'part/0');
    expect(reference).toMatchObject({ sizeBytes: BYTES.length, endEpoch: store.epoch + 7 });
    expect(puts).toEqual([{ resumeKey: 'part/0', epochs: 7, deletable: true }]);
    expect(gets).toEqual([{ fresh: true }]);
  });

  it('may not be there at once: a cache said no before it was stored', async () => {
    let misses = 2;
    const { get } = store;
    store.get = (blobId, options) =>
      misses-- > 0 ? Promise.reject(refuse('BLOB_UNAVAILABLE', { blobId })) : get(blobId, options);
    await storeChecked(contextOf(), BYTES, SHA256, 'part/0');
    expect(gets).toHaveLength(3);
  });

  it('is not what the store gives back changed, or not at all', async () => {
    const { get } = store;
    store.get = async (blobId, options) => (await get(blobId, options)).map((byte) => byte ^ 1);
    expect(await codeOf(storeChecked(contextOf(), BYTES, SHA256, 'part/0'))).toBe('BLOB_MISMATCH');
    expect(gets).toHaveLength(1);
    store.get = async () => Promise.reject(refuse('UPSTREAM_INVALID', { upstream: 'store' }));
    expect(await codeOf(storeChecked(contextOf(), BYTES, SHA256, 'part/0'))).toBe('UPSTREAM_INVALID');
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
