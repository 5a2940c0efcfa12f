import { bcs } from '@mysten/bcs';
import {
  fromHex,
  lengthPrefixed,
  utf8,
  type Address,
  type AmountUnits,
  type DaoId,
  type Digest,
  type EpochId,
  type Hex32,
  type TimestampMs,
} from '@usufruct/kernel';
import { z } from 'zod';
import { byteVector, bytes32, u64, u64Number } from './bcs-types.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { LIMITS } from './limits.js';
import { zReader } from './reader.js';
import { UseBcs, type Use } from './receipt.js';
import { zAmount, zBase64, zHex32, zTimestampMs, zU64 } from './wire.js';

/**
 * What runners, key holders and contributors say to each other about private payout. The key holder serves, beside what
 * release-types.ts says:
 *
 * POST /v1/openings          zDeliverOpening     → zOpeningAck          (idempotent by receipt; acknowledged once stored)
 * POST /v1/openings/query    zOpeningsQuery      → zOpeningsAnswer      (an active runner of the DAO, signed request)
 * POST /v1/countersignatures zCountersignRequest → zCountersignature    (idempotent by statement)
 *                                                   (of an epoch that is on chain: kept; `signature` null if never signed)
 * GET  /v1/equivocations                         → second statements of one attempt, for ProveEquivocation
 * POST /v1/payouts/query     zPayoutQuery        → zPayoutAnswer        (the account's own leaves, signed request)
 */

/** What a receipt's `usesCommitment` commits to, with the receipt itself: all that it takes to divide its price. */
export interface Opening {
  /** UsageReceiptBcs. */
  readonly receipt: Uint8Array;
  /** By the runner that answered, tag `receipt`. */
  readonly signature: Uint8Array;
  readonly usesSalt: Hex32;
  readonly uses: readonly Use[];
}
const OpeningStruct = bcs.struct('Opening', {
  receipt: byteVector(),
  signature: byteVector(),
  usesSalt: bytes32<Hex32>(),
  uses: bcs.vector(UseBcs),
});
export const encodeOpening = (opening: Opening): Uint8Array =>
  OpeningStruct.serialize({ ...opening, uses: [...opening.uses] }).toBytes();
/** As it is sealed: with zeros after it to `LIMITS.openingBytes`, so that its size does not tell how many were used. */
export function encodePaddedOpening(opening: Opening): Uint8Array {
  const padded = new Uint8Array(LIMITS.openingBytes);
  padded.set(encodeOpening(opening));
  return padded;
}
/** Throws on malformed bytes; the caller turns that into a refusal. */
export const decodeOpening = (bytes: Uint8Array): Opening => OpeningStruct.parse(bytes);

/** HPKE `info` under which a runner seals a padded opening to a holder's sealing key (aad empty). */
export const openingSealInfo = (receipt: Digest): Uint8Array =>
  lengthPrefixed(utf8(TAGS.openingSeal), fromHex(receipt));
/** What HPKE adds: the ephemeral key and the tag. */
const SEAL_BYTES = 48;

export const zDeliverOpening = z.object({
  receiptDigest: zHex32<Digest>(),
  sealedOpening: zBase64(LIMITS.openingBytes + SEAL_BYTES),
});
export type DeliverOpening = z.output<typeof zDeliverOpening>;
/**
 * What a holder signs (tag `openingAck`) when it has checked and durably stored an opening; the chain settles a receipt
 * when enough of them have. Package, registry and job are in the receipt, which the digest binds.
 */
export const OpeningAckBcs = bcs.struct('OpeningAck', {
  chainId: bcs.string(),
  daoId: bytes32<DaoId>(),
  receiptDigest: bytes32<Digest>(),
});
export const zOpeningAck = z.object({ receiptDigest: zHex32<Digest>(), signature: zBase64(64) });
export type OpeningAck = z.output<typeof zOpeningAck>;

/** Signed by the asking runner's attested key (tag `openingsQuery`), for one holder, and fresh. */
export const zOpeningsQuery = z.object({
  daoId: zHex32<DaoId>(),
  receiptDigests: z.array(zHex32<Digest>()).min(1).max(LIMITS.openingsPerRequest),
  runnerSigningKey: zBase64(32),
  issuedAtMs: zTimestampMs,
  signature: zBase64(64),
});
export type OpeningsQuery = z.output<typeof zOpeningsQuery>;
export const OpeningsQueryBcs = bcs.struct('OpeningsQuery', {
  chainId: bcs.string(),
  daoId: bytes32<DaoId>(),
  receiptDigests: bcs.vector(bytes32<Digest>()),
  holderSigningKey: byteVector(),
  issuedAtMs: u64Number<TimestampMs>(),
});
/** HPKE `info` of the answer, which is bound to the query's bytes: sealed to the runner's attested HPKE key. */
export const openingsAnswerInfo = (query: Uint8Array): Uint8Array =>
  lengthPrefixed(utf8(TAGS.openingsQuery), fromHex(taggedDigest(TAGS.openingsQuery, query)));
const OpeningsBcs = bcs.vector(OpeningStruct);
/** Those that the holder has, in the order asked. */
export const encodeOpenings = (openings: readonly Opening[]): Uint8Array =>
  OpeningsBcs.serialize(openings.map((opening) => ({ ...opening, uses: [...opening.uses] }))).toBytes();
export const decodeOpenings = (bytes: Uint8Array): Opening[] => OpeningsBcs.parse(bytes);
export const zOpeningsAnswer = z.object({
  sealedOpenings: zBase64(LIMITS.openingsPerRequest * LIMITS.openingBytes + 8 + SEAL_BYTES),
});

/**
 * A settler's statement with what it takes to recompute it. The leaves are not sent: amounts follow from the openings
 * that the holder has, salts from the seed.
 */
export const zCountersignRequest = z.object({
  /** EpochStatementBcs. */
  statement: zBase64(LIMITS.epochStatementBytes),
  settlerSignature: zBase64(64),
  /** The chain of receipts before the first of these. */
  chainBefore: zHex32<Digest>(),
  /** In the order of their numbers. */
  receiptDigests: z.array(zHex32<Digest>()).min(1).max(LIMITS.receiptsPerEpoch),
  /** HPKE to the holder's sealing key, info = epochSeedInfo(the epoch's id), plaintext 32 bytes. */
  sealedSeed: zBase64(32 + SEAL_BYTES),
});
export type CountersignRequest = z.output<typeof zCountersignRequest>;
export const epochSeedInfo = (epoch: EpochId): Uint8Array => lengthPrefixed(utf8(TAGS.epochSeed), fromHex(epoch));
export const zCountersignature = z.object({ signature: zBase64(64).nullable() });

/** What an epoch's tree is made of, as a holder keeps it; the DAO, the number and the places follow from elsewhere. */
export const EpochSharesBcs = bcs.vector(
  bcs.struct('EpochShare', {
    account: bytes32<Address>(),
    amountUnits: u64<AmountUnits>(),
    salt: bytes32<Hex32>(),
  }),
);

/** Signed by the account itself: walletStatement(payoutQuery) over payoutQueryDigest, and by its reader for one holder. */
export const zPayoutQuery = z.object({
  daoId: zHex32<DaoId>(),
  account: zHex32<Address>(),
  epochIds: z.array(zHex32<EpochId>()).min(1).max(LIMITS.epochsPerPayoutQuery),
  issuedAtMs: zTimestampMs,
  signature: z.string().max(1024),
  reader: zReader,
});
export type PayoutQuery = z.output<typeof zPayoutQuery>;
export const PayoutQueryBcs = bcs.struct('PayoutQuery', {
  daoId: bytes32<DaoId>(),
  account: bytes32<Address>(),
  epochIds: bcs.vector(bytes32<EpochId>()),
  readerPublicKey: byteVector(),
  issuedAtMs: u64Number<TimestampMs>(),
});
export const payoutQueryDigest = (query: Parameters<typeof PayoutQueryBcs.serialize>[0]): Digest =>
  taggedDigest(TAGS.payoutQuery, PayoutQueryBcs.serialize(query).toBytes());

/** Deeper than any tree of 2³² leaves. */
const MOST_HASHES = 32;
/** One account's part of an epoch with the proof that it is one. Private to that account. */
export const zPayoutProof = z.object({
  epochId: zHex32<EpochId>(),
  leaf: z.object({
    daoId: zHex32<DaoId>(),
    number: zU64,
    index: z.int().min(0).max(LIMITS.leavesPerEpoch),
    account: zHex32<Address>(),
    amountUnits: zAmount,
    salt: zHex32(),
  }),
  /** RFC 6962 inclusion proof, leaf to root. */
  proof: z.array(zHex32<Digest>()).max(MOST_HASHES),
});
export type PayoutProof = z.output<typeof zPayoutProof>;

export const zPayoutAnswer = z.object({
  /** Of the epochs asked for, those that this holder has recomputed: in the others the account may have a leaf, too. */
  known: z.array(zHex32<EpochId>()).max(LIMITS.epochsPerPayoutQuery),
  payouts: z.array(zPayoutProof).max(LIMITS.epochsPerPayoutQuery),
});
export type PayoutAnswer = z.output<typeof zPayoutAnswer>;
