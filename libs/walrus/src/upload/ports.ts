import type { Address, BlobId, Hex32, UsufructError } from '@usufruct/kernel';
import type { CallOptions } from '../blob-store.js';

/** Where an upload remembers what it has done; a value is durable when `put` resolves. The SDK's journal is one. */
export interface UploadJournal {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

export interface EncodedBlob {
  readonly blobId: BlobId;
  /** 32 bytes: the root over the hashes of all slivers, which the registration names. */
  readonly rootHash: Uint8Array;
}

/** A signed transaction whose digest is known before it is sent: stored first, then sent. */
export interface PreparedLeaseTransaction {
  readonly digest: Hex32;
  readonly bytes: Uint8Array;
  readonly signature: string;
}

export interface TransactionResult {
  /** `null` where it succeeded. */
  readonly error: UsufructError | null;
  /** The `Blob` object that it made. */
  readonly createdBlob: Hex32 | null;
}

/** What a relay is paid with, in the transaction that it is shown; see `relay.ts`. */
export interface Tip {
  readonly address: Address;
  readonly amountMist: bigint;
  /** The first input of the transaction, by which the relay knows that the tip is for this upload. */
  readonly authPayload: Uint8Array;
}

export interface Registration {
  readonly blobId: BlobId;
  readonly rootHash: Uint8Array;
  readonly sizeBytes: number;
  readonly epochs: number;
  readonly deletable: boolean;
  readonly tip: Tip | null;
}

/** Signed by more than two thirds of the storage nodes: they hold their slivers. The chain checks the signature. */
export interface Certificate {
  readonly signers: readonly number[];
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Certification {
  readonly blobId: BlobId;
  readonly objectId: Hex32;
  readonly deletable: boolean;
  readonly certificate: Certificate;
}

/** The `Blob` object as the chain has it. */
export interface LeaseView {
  readonly blobId: BlobId;
  readonly objectId: Hex32;
  readonly sizeBytes: number;
  readonly endEpoch: number;
  readonly deletable: boolean;
  readonly certified: boolean;
}

/**
 * The chain that leases live on, as one wallet uses it. Reads refuse `CHAIN_UNAVAILABLE`. Nothing is sent by `prepare…`,
 * which refuse `INSUFFICIENT_BALANCE` and what the contracts would refuse.
 */
export interface LeaseChain {
  /** Who signs, pays, and owns what is registered. */
  readonly owner: Address;
  currentEpoch(): Promise<number>;
  shards(): Promise<number>;
  /** Takes seconds: the whole code is computed, for the network's number of shards. */
  encode(bytes: Uint8Array): Promise<EncodedBlob>;
  /** `null`: deleted, or never there. */
  lease(objectId: Hex32): Promise<LeaseView | null>;
  /** This wallet's newest lease of the blob that has not ended, or `null`. */
  leaseOf(blobId: BlobId): Promise<LeaseView | null>;
  prepareRegistration(registration: Registration): Promise<PreparedLeaseTransaction>;
  prepareTip(tip: Tip): Promise<PreparedLeaseTransaction>;
  prepareCertification(certification: Certification): Promise<PreparedLeaseTransaction>;
  prepareExtension(objectId: Hex32, epochs: number): Promise<PreparedLeaseTransaction>;
  prepareDeletion(objectId: Hex32): Promise<PreparedLeaseTransaction>;
  /**
   * Send, and say what became of it; again gives the same. Throws `SETTLEMENT_UNKNOWN` where nobody knows: look it up
   * before anything else is sent; `TRANSACTION_EXPIRED` where it has not happened and never will.
   */
  send(transaction: PreparedLeaseTransaction): Promise<TransactionResult>;
  /** `null`: the chain has never seen it. */
  result(digest: Hex32): Promise<TransactionResult | null>;
}

export interface SliverUpload extends CallOptions {
  readonly bytes: Uint8Array;
  readonly encoded: EncodedBlob;
  readonly lease: LeaseView;
  /** The transaction that paid the tip, if one was paid, and what the relay knows it by. */
  readonly tipDigest: Hex32 | null;
  readonly nonce: Uint8Array;
}

/** Brings a registered blob to the storage nodes: a relay does it, or this process itself. */
export interface Transport {
  /**
   * What must be paid with the registration, or `null`. Refuses `PAYMENT_REQUIRED` for more than was allowed, before
   * anything is paid.
   */
  tipFor(bytes: Uint8Array, nonce: Uint8Array): Promise<Tip | null>;
  /** Again does the same. Throws `TipRefused` where the tip is missing, too small or too old. */
  upload(upload: SliverUpload): Promise<Certificate>;
}
