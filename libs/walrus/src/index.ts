export * from './blob-store.js';
export { httpBlobStore, type HttpBlobStoreOptions } from './http-blob-store.js';
