export { EndorsementCache } from './cache.js';
export type { EndorsementCacheOptions, FetchOutcome } from './cache.js';
export { OfflineFolder } from './offline-folder.js';
export type { OfflineFolderOptions } from './offline-folder.js';
export { fixedEndorsements } from './source.js';
export type { EndorsementSource, FoundEndorsements, MissingEndorsement } from './source.js';
export type { EndorsementStatus } from './status.js';
export { VENDOR_URLS } from './vendors/urls.js';
export type { EndorsementUrls } from './vendors/urls.js';
