import { asBlobId, UsufructError } from '@usufruct/kernel';
import { httpBlobStore, type BlobStore, type HttpBlobStoreOptions } from '@usufruct/walrus';
import { hostileServer, type Handler } from './hostile-server.js';

export const WALRUS_BLOB_ID = asBlobId('M4hsZGQ1oCktdzegB6HnI6Mi28S2nqOPHxK-W7_4BUk');
export const OTHER_BLOB_ID = asBlobId('A'.repeat(43));
export const BLOB_BYTES = new TextEncoder().encode('ciphertext');
// The answers as Walrus's documentation prints them, with our id and size.
export const WALRUS_CREATED = {
  newlyCreated: {
    blobObject: {
      id: '0xe91eee8c5b6f35b9a250cfc29e30f0d9e5463a21fd8d1ddb0fc22d44db4eac50',
      registeredEpoch: 34,
      blobId: WALRUS_BLOB_ID,
      size: BLOB_BYTES.length,
      encodingType: 'RS2',
      certifiedEpoch: 34,
      storage: {
        id: '0x4748cd83217b5ce7aa77e7f1ad6fc5f7f694e26a157381b9391ac65c47815faf',
        startEpoch: 34,
        endEpoch: 35,
        storageSize: 66034000,
      },
      deletable: false,
    },
    resourceOperation: { registerFromScratch: { encodedLength: 66034000, epochsAhead: 1 } },
    cost: 132300,
  },
};
/** The code of what is refused; `accepted`. */
export const outcomeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );

type Against = (
  handlers: readonly Handler[],
  options?: Partial<HttpBlobStoreOptions>,
) => Promise<{ store: BlobStore; seen: string[]; url: string }>;

/** Stores over HTTP, each against a server of its own that answers as told, until they are closed. */
export function hostileStores(): { readonly against: Against; close(): void } {
  const cleanups: (() => void)[] = [];
  return {
    against: async (handlers, options = {}) => {
      const { url, seen, close } = await hostileServer(handlers);
      cleanups.push(close);
      const store = httpBlobStore({ publisherUrl: url, aggregatorUrl: url, pauseMs: 1, timeoutMs: 10_000, ...options });
      return { store, seen, url };
    },
    close: () => {
      for (const cleanup of cleanups.splice(0)) cleanup();
    },
  };
}
