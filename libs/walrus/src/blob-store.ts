import type { BlobId } from '@usufruct/kernel';

export interface PutOptions {
  /** How many storage epochs the lease lasts; an epoch is two weeks on Walrus's mainnet. */
  readonly epochs?: number;
  /** Whether the owner may end the lease early. */
  readonly deletable?: boolean;
  readonly signal?: AbortSignal;
}

export interface StoredBlob {
  readonly blobId: BlobId;
  readonly sizeBytes: number;
  /** The first epoch in which the store need not keep the blob any more. Leases expire silently: renew or warn. */
  readonly endEpoch: number;
}

export interface BlobStatus {
  readonly available: boolean;
  readonly sizeBytes: number | null;
}

/**
 * A store of blobs that are named by their content. What it gives back proves nothing about who stored it; whoever
 * needs the very bytes compares them with the hash in the signed manifest.
 */
export interface BlobStore {
  /** Store bytes; the same bytes twice are one blob. Refuses `FILE_EMPTY`, `REQUEST_TOO_LARGE`, `UPSTREAM_*`, `BLOB_MISMATCH`. */
  put(bytes: Uint8Array, options?: PutOptions): Promise<StoredBlob>;
  /** Refuses `BLOB_UNAVAILABLE` when the store does not have it or does not answer, `BLOB_MISMATCH` when it gives other bytes. */
  get(blobId: BlobId, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array>;
  status(blobId: BlobId): Promise<BlobStatus>;
}
