export * from './blob-store.js';
export { httpBlobStore, type HttpBlobStoreOptions, type Leases } from './http-blob-store.js';
export type { IdCheckOptions } from './id-check.js';
export { requireQuiltFiles } from './quilt-files.js';
