import { refuse } from '@usufruct/kernel';
import type { Journal } from '@usufruct/sdk';

const DATABASE = 'usufruct';
const STORE = 'journal';

/**
 * The SDK's journal in IndexedDB, one per account: what page and worker began, so that a closed tab goes on where it
 * stopped. `put` resolves when the transaction is complete, with strict durability where the browser has it.
 */
export function indexedDbJournal(account: string): Journal {
  const prefixed = (key: string) => `${account}/${key}`;
  return {
    async get(key) {
      const value = await inStore<unknown>('readonly', (store) => store.get(prefixed(key)));
      return typeof value === 'string' ? value : null;
    },
    async put(key, value) {
      await inStore('readwrite', (store) => store.put(value, prefixed(key)));
    },
    async delete(key) {
      await inStore('readwrite', (store) => store.delete(prefixed(key)));
    },
    async keys(prefix) {
      const range = IDBKeyRange.bound(prefixed(prefix), `${prefixed(prefix)}\uffff`);
      const keys = await inStore('readonly', (store) => store.getAllKeys(range));
      return keys.map((key) => String(key).slice(account.length + 1)).sort();
    },
  };
}

let opened: Promise<IDBDatabase> | undefined;

/** A browser that forbids storage (a private window, a full disk) refuses here, before anything was begun. */
function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener('upgradeneeded', () => request.result.createObjectStore(STORE));
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(storageRefusal(request.error)));
  }).catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

async function inStore<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const transaction = (await open()).transaction(STORE, mode, { durability: 'strict' });
  return new Promise<T>((resolve, reject) => {
    const request = ask(transaction.objectStore(STORE));
    transaction.addEventListener('complete', () => resolve(request.result));
    transaction.addEventListener('abort', () => reject(storageRefusal(transaction.error)));
    transaction.addEventListener('error', () => reject(storageRefusal(transaction.error)));
  });
}

const storageRefusal = (cause: unknown) =>
  refuse('UPSTREAM_UNAVAILABLE', { upstream: 'storage of this browser' }, cause);
