import { asBlobId, fromHex, toBase64Url, type BlobId, type Hex32 } from '@usufruct/kernel';

/** The same 32 bytes as the chain writes them and as the store does. */
export const blobIdOf = (blob: Hex32): BlobId => asBlobId(toBase64Url(fromHex(blob)));
