export { ENDLESS_EPOCH, s3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.js';
export { S3_SETTINGS, s3OptionsFrom } from './settings.js';
export type { S3Credentials } from './signing.js';
