export { requireRange, type Aggregators } from './aggregators.js';
export * from './blob-store.js';
export { httpBlobStore, isAggregatorUrl, type HttpBlobStoreOptions, type Leases } from './http-blob-store.js';
export type { IdCheckOptions } from './id-check.js';
export { localLeases, type LocalLeasesOptions } from './local-leases.js';
export { localCustody, type LocalCustodyOptions, type LocalCustodyRules } from './local-custody.js';
export { lazyBlobStore } from './lazy-store.js';
export { QUILTED_AT_MOST_BYTES, quiltIdentifier, readPart, type PartName, type PartReader } from './parts.js';
export { readBack } from './read-back.js';
export { requireQuiltFiles } from './quilt-files.js';
export { confirmationOf } from './upload/certificate.js';
export type * from './upload/ports.js';
export { authPayload, relayTransport, TipRefused, type RelayOptions } from './upload/relay.js';
export {
  uploadAbilities,
  uploadBlobStore,
  type EncodedQuilt,
  type UploadBlobStoreOptions,
} from './upload/upload-blob-store.js';
