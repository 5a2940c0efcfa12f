import type { ContributionId, Hex32 } from '@usufruct/kernel';
import type { PreparedTransaction } from './port.js';

/** What Walrus calls a `Blob`: the lease of a blob, as an object that has an owner. */
export interface BlobObject {
  readonly objectId: Hex32;
  /** The blob's id, as contributions name it. */
  readonly blob: Hex32;
  readonly sizeBytes: number;
  /** The first storage epoch in which the store need not keep the blob any more. */
  readonly endEpoch: number;
  readonly deletable: boolean;
  readonly certified: boolean;
}

/** One blob of one contribution. */
export interface CustodyName {
  readonly contributionId: ContributionId;
  readonly blob: Hex32;
}

/** Where a step remembers the transaction that it signed; durable when `write` resolves, `null` forgets. */
export interface StepMemory {
  read(): Promise<PreparedTransaction | null>;
  write(prepared: PreparedTransaction | null): Promise<void>;
}

/**
 * Custody of `Blob` objects, as one wallet uses it (`move/usufruct/sources/blob_custody.move`). Each step happens once,
 * however often it is begun: what the chain says of the object decides what there is left to do, and what was signed is
 * in the caller's memory before it is sent. All refuse `NOT_FOUND` for a contribution that there is not, `CHAIN_UNAVAILABLE`, and
 * `SETTLEMENT_UNKNOWN` where nobody knows whether a step has happened: call again with the same memory.
 */
export interface BlobCustody {
  /** The wallet's own objects. */
  owned(): Promise<BlobObject[]>;
  /** In the order of the blobs; null where none is in custody for the contribution. */
  held(contributionId: ContributionId, blobs: readonly Hex32[]): Promise<(BlobObject | null)[]>;
  /**
   * By the contribution's owner. Refuses `INVALID_ARGUMENT` for an object of another blob, or one that is deletable where
   * the contribution's policy wants permanent ones (or the other way round); `ALREADY_EXISTS` where another object of
   * this blob is in custody; `FORBIDDEN` for another wallet.
   */
  put(name: CustodyName, objectId: Hex32, memory: StepMemory): Promise<void>;
  /**
   * By the contribution's owner or a steward: make the lease last until this epoch, paid by this wallet, and say when it
   * ends. One that lasts so long already is left alone. Refuses `NOT_FOUND` for a blob that is not in custody,
   * `BLOB_UNAVAILABLE` for a lease that has ended, `TOMBSTONED` where contribution or dataset is retired, `MANIFEST_MISMATCH`
   * for an object with more storage than its blob takes, `FORBIDDEN`, `INSUFFICIENT_BALANCE`.
   */
  renew(name: CustodyName, endEpoch: number, memory: StepMemory): Promise<{ readonly endEpoch: number }>;
  /**
   * By the contribution's owner, once the contribution is over: the object becomes the wallet's again or, where it is
   * wanted and the lease can be ended, is deleted in the same step. Nothing happens where none is in custody. Refuses
   * `FORBIDDEN` for another wallet, and while the contribution is in use.
   */
  withdraw(name: CustodyName, options: { readonly isDeleted: boolean }, memory: StepMemory): Promise<void>;
}
