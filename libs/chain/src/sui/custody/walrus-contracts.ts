import type { Transaction, TransactionObjectArgument } from '@mysten/sui/transactions';
import type { BlobObject } from '../../blob-custody.js';
import type { Spending } from '../transactions/money.js';

/** Walrus's contracts on the network, as far as custody needs them; `@usufruct/walrus/sui` has them. */
export interface WalrusContracts {
  /** The type of its `Blob` objects. */
  blobType(): Promise<string>;
  /** The storage epoch of now. */
  currentEpoch(): Promise<number>;
  /** Refuses `UPSTREAM_INVALID` for content that is no `Blob`. */
  read(content: Uint8Array): BlobObject;
  /** Adds what makes the lease of an object longer, and says what the sender pays for it. */
  extend(tx: Transaction, object: TransactionObjectArgument, content: Uint8Array, epochs: number): Promise<Spending>;
  /** Adds what deletes the object; what comes back is the storage that is left of it. */
  delete(tx: Transaction, object: TransactionObjectArgument): Promise<TransactionObjectArgument>;
}
