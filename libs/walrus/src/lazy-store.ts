import type { BlobStore, StoreAbilities } from './blob-store.js';

/** A store whose abilities are known before it is opened; it is opened when it is first used, and once. */
export function lazyBlobStore(abilities: StoreAbilities, open: () => Promise<BlobStore>): BlobStore {
  let opened: Promise<BlobStore> | undefined;
  const store = (): Promise<BlobStore> => (opened ??= open());
  return {
    abilities,
    put: async (...args) => (await store()).put(...args),
    get: async (...args) => (await store()).get(...args),
    status: async (...args) => (await store()).status(...args),
    delete: async (...args) => (await store()).delete(...args),
    extend: async (...args) => (await store()).extend(...args),
    putMany: async (...args) => (await store()).putMany(...args),
    getPatch: async (...args) => (await store()).getPatch(...args),
  };
}
