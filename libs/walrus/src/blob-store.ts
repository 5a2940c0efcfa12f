import type { Address, BlobId, Brand, Hex32 } from '@usufruct/kernel';

/** Where a file lies inside a quilt: base64url of the quilt's blob id, a version byte, and its first and last column. */
export type QuiltPatchId = Brand<string, 'QuiltPatchId'>;

/**
 * What a store can do and who pays, known before anything is sent: a caller decides by it, and what is asked for all
 * the same is refused with `STORE_UNSUPPORTED` before it costs anything.
 */
export interface StoreAbilities {
  /** Blobs can be stored so that their lease can be ended early, and `delete` ends it. */
  readonly deletable: boolean;
  /** `extend` makes a lease longer. */
  readonly extendable: boolean;
  /** `putMany` stores many small files as one blob, and `getPatch` reads one of them. */
  readonly quilts: boolean;
  /** `get` reads a part of a blob without the rest of it travelling. */
  readonly ranges: boolean;
  /** Whoever is named in `put` owns what is stored; otherwise it belongs to whoever runs or pays the store. */
  readonly ownable: boolean;
  /** How many epochs a lease may last; `null`: what is stored stays until it is deleted. */
  readonly leaseEpochs: { readonly least: number; readonly most: number } | null;
  /** Who pays for a lease: `owner` is the wallet that signs here, `operator` whoever runs the publisher or the bucket. */
  readonly paidBy: 'nobody' | 'operator' | 'owner';
  readonly maxBlobBytes: number;
  readonly maxQuiltFiles: number;
  /** Over how many shards it codes what it stores, which decides what a blob costs; `null`: it does not. */
  readonly shards: number | null;
}

/** What every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface PutOptions extends CallOptions {
  /** How many storage epochs the lease lasts; an epoch is two weeks on Walrus's mainnet. Ignored where leases do not end. */
  readonly epochs?: number;
  /** Whether the owner may end the lease early. A permanent blob cannot be deleted by anybody. */
  readonly deletable?: boolean;
  /** Who will own the lease. */
  readonly owner?: Address;
  /**
   * Names this upload in the store's journal: the same key goes on with it after a crash, and pays nothing twice. The
   * caller deletes the records under the key when it has noted the result. Not looked at by stores that need no journal.
   */
  readonly resumeKey?: string;
}

export interface StoredBlob {
  readonly blobId: BlobId;
  readonly sizeBytes: number;
  /** The first epoch in which the store need not keep the blob any more. Leases expire silently: renew or warn. */
  readonly endEpoch: number;
  /** The lease: an object on Sui that its owner extends, and deletes where it is deletable; `null`: not said, or none. */
  readonly objectId: Hex32 | null;
}

/** What the store says of a blob; `null`: it does not say. */
export interface BlobStatus {
  readonly available: boolean;
  /** The network has vouched for it: enough of the storage nodes have signed that they hold their part. */
  readonly certified: boolean | null;
  readonly sizeBytes: number | null;
  readonly endEpoch: number | null;
  readonly deletable: boolean | null;
}

export interface ByteRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

export interface GetOptions extends CallOptions {
  /** Past every cache on the way: for whoever checks what was just written. */
  readonly fresh?: boolean;
  /** Must lie inside the blob; what comes back has exactly this length. */
  readonly range?: ByteRange;
  /**
   * What will be compared with what comes back. Where that is the same, a store may give back this very array and need
   * no memory for another one; whoever asks compares all the same.
   */
  readonly expected?: Uint8Array;
}

export interface PatchOptions extends CallOptions {
  /** Past every cache on the way. */
  readonly fresh?: boolean;
  /** Ask each aggregator once and be content with a no: for whoever has another way to the bytes. */
  readonly once?: boolean;
}

/** A lease, named as fully as the caller can: some stores find it by the blob, others only by its object. */
export interface LeaseName {
  readonly blobId: BlobId;
  readonly objectId?: Hex32 | null;
}

export interface QuiltFile {
  /** Unique in its quilt. */
  readonly identifier: string;
  readonly bytes: Uint8Array;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface QuiltPatch {
  readonly identifier: string;
  readonly patchId: QuiltPatchId;
}

export interface StoredQuilt extends StoredBlob {
  /** In the order of the files that were given. */
  readonly patches: readonly QuiltPatch[];
}

export type PatchName = { readonly patchId: QuiltPatchId } | { readonly quiltId: BlobId; readonly identifier: string };

/**
 * A store of blobs that are named by their content. What it gives back proves nothing about who stored it; whoever
 * needs the very bytes compares them with the hash in the signed manifest. Everything refuses `STORE_UNSUPPORTED` for
 * what `abilities` says that the store cannot do.
 */
export interface BlobStore {
  readonly abilities: StoreAbilities;
  /**
   * Store bytes; the same bytes twice are one blob. Refuses `FILE_EMPTY`, `REQUEST_TOO_LARGE`, `STORE_FULL`,
   * `UPSTREAM_*`, `BLOB_MISMATCH`, `INSUFFICIENT_BALANCE` and `SETTLEMENT_UNKNOWN` (call again with the same key).
   */
  put(bytes: Uint8Array, options?: PutOptions): Promise<StoredBlob>;
  /** Refuses `BLOB_UNAVAILABLE` when the store does not have it or does not answer, `BLOB_MISMATCH` when it gives other bytes. */
  get(blobId: BlobId, options?: GetOptions): Promise<Uint8Array>;
  status(blobId: BlobId, options?: CallOptions): Promise<BlobStatus>;
  /** End a lease that was stored as deletable; again does nothing. Refuses `BLOB_PERMANENT` for one that was not. */
  delete(lease: LeaseName, options?: CallOptions): Promise<void>;
  /**
   * Make a lease last until this epoch at least, and say when it ends now. A lease that lasts as long already is left
   * alone, so asking again pays nothing. Refuses `BLOB_UNAVAILABLE` for one that has ended, which nobody can revive.
   */
  extend(lease: LeaseName, endEpoch: number, options?: CallOptions): Promise<{ readonly endEpoch: number }>;
  /**
   * Store many small files as one blob, which is paid, extended and deleted only whole: so files of one owner with one
   * lifetime. Refuses as `put` does, and `INVALID_ARGUMENT` for an identifier that is not allowed or there twice.
   */
  putMany(files: readonly QuiltFile[], options?: PutOptions): Promise<StoredQuilt>;
  /** One file of a quilt. Its bytes are compared with nothing: the blob id vouches for the whole quilt only. */
  getPatch(patch: PatchName, options?: PatchOptions): Promise<Uint8Array>;
}
