import { bcs } from '@mysten/bcs';
import {
  fromHex,
  utf8,
  type Address,
  type AmountUnits,
  type DaoId,
  type Digest,
  type EpochId,
  type Hex32,
  type TimestampMs,
} from '@usufruct/kernel';
import { byteVector, bytes32, u64, u64Number } from './bcs-types.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';

/**
 * Private payout. Receipts that were settled privately are numbered from 1 in their DAO, and a chain of hashes over
 * their digests names any run of them in 32 bytes. A settler (an active runner) divides the contributors' parts of the
 * receipts `fromReceipt` to `toReceipt` by weights that only it and the holders who countersign see.
 */
export interface EpochStatement {
  readonly chainId: string;
  readonly packageId: Hex32;
  readonly registryId: Hex32;
  readonly daoId: DaoId;
  /** From 1; one more than the last epoch that was not rejected. */
  readonly number: bigint;
  /** From 1, of this number: a settler that has to correct itself counts on, and never signs two of the same. */
  readonly attempt: number;
  /** The first receipt that no earlier epoch has covered. */
  readonly fromReceipt: bigint;
  readonly toReceipt: bigint;
  /** The chain of hashes up to `toReceipt`: says exactly which receipts these are. */
  readonly receiptChain: Digest;
  /** All that was set aside for these receipts, to the unit. */
  readonly totalUnits: AmountUnits;
  /** RFC 6962 root over the leaves. */
  readonly root: Digest;
  readonly leafCount: number;
  /** Ed25519, 32 bytes: the settler's attested signing key. */
  readonly settlerPublicKey: Uint8Array;
  readonly issuedAtMs: TimestampMs;
}
/** Signed under the tag `epochStatement`, by the settler and by the holders who recomputed it. */
export const EpochStatementBcs = bcs.struct('EpochStatement', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  registryId: bytes32<Hex32>(),
  daoId: bytes32<DaoId>(),
  number: u64(),
  attempt: bcs.u32(),
  fromReceipt: u64(),
  toReceipt: u64(),
  receiptChain: bytes32<Digest>(),
  totalUnits: u64<AmountUnits>(),
  root: bytes32<Digest>(),
  leafCount: bcs.u32(),
  settlerPublicKey: byteVector(),
  issuedAtMs: u64Number<TimestampMs>(),
});
/** The id of an epoch is its statement's digest: a rejected statement cannot come back. */
export const epochIdOf = (statementBytes: Uint8Array): EpochId =>
  taggedDigest(TAGS.epochStatement, statementBytes) as string as EpochId;

/** The account of what a DAO has set aside and no epoch has taken: a digest, so nobody has its key. */
export const receiptPoolAccountOf = (daoId: DaoId): Address =>
  taggedDigest(TAGS.objectId, utf8('receipt-pool'), fromHex(daoId)) as string as Address;
/** The account of what an epoch has to pay. */
export const epochAccountOf = (epochId: EpochId): Address =>
  taggedDigest(TAGS.objectId, utf8('epoch'), fromHex(epochId)) as string as Address;

/** The chain before the first receipt. */
export const EMPTY_RECEIPT_CHAIN = `0x${'00'.repeat(32)}` as Digest;
export const nextReceiptChain = (chain: Digest, receipt: Digest): Digest =>
  taggedDigest(TAGS.receiptChain, fromHex(chain), fromHex(receipt));

/** One account's part of an epoch. The salt keeps anybody from guessing leaves that are not theirs. */
export interface EpochLeaf {
  readonly daoId: DaoId;
  readonly number: bigint;
  readonly index: number;
  readonly account: Address;
  readonly amountUnits: AmountUnits;
  readonly salt: Hex32;
}
const EpochLeafBcs = bcs.struct('EpochLeaf', {
  daoId: bytes32<DaoId>(),
  number: u64(),
  index: bcs.u32(),
  account: bytes32<Address>(),
  amountUnits: u64<AmountUnits>(),
  salt: bytes32<Hex32>(),
});
/** The entry of the Merkle tree (RFC 6962 hashes it once more, with the leaf prefix). */
export const epochLeafEntry = (leaf: EpochLeaf): Uint8Array =>
  fromHex(taggedDigest(TAGS.epochLeaf, EpochLeafBcs.serialize(leaf).toBytes()));
