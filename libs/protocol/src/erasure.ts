import { bcs } from '@mysten/bcs';
import {
  fromBase64,
  type Address,
  type ContributionId,
  type DatasetId,
  type Digest,
  type Hex32,
  type HolderSetId,
  type TimestampMs,
} from '@usufruct/kernel';
import { z } from 'zod';
import { byteVector, bytes32, u64Number } from './bcs-types.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { zBase64, zHex32, zTimestampMs } from './wire.js';

/**
 * Erasure. The key holder serves, beside what release-types.ts says, and a runner on its own address:
 *
 * POST /v1/erasures  zErasureRequest → zErasureAnswer   (idempotent; only what the chain says is retired for good)
 *
 * Nobody signs the request: that the owner wants it is on the chain, and each part reads it there for itself.
 */
export const zErasureRequest = z.object({ contributionId: zHex32<ContributionId>() });
export type ErasureRequest = z.output<typeof zErasureRequest>;

/** What a holder signs (tag `erasureStatement`) once its shares are destroyed and its files hold no copy. */
export const ErasureStatementBcs = bcs.struct('ErasureStatement', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  contributionId: bytes32<ContributionId>(),
  datasetId: bytes32<DatasetId>(),
  holderSetId: bytes32<HolderSetId>(),
  holderSigningKey: byteVector(),
  /** As the holder read it from the chain. */
  tombstonedAtMs: u64Number<TimestampMs>(),
  /** Of every manifest whose share it destroyed; empty where it had none. */
  manifestDigests: bcs.vector(bytes32<Digest>()),
  destroyedAtMs: u64Number<TimestampMs>(),
  /**
   * Until when a backup of this holder that may have the shares in it can be opened; then its private key is to be
   * destroyed. 0 where there is none that can be opened still.
   */
  backupsUntilMs: u64Number<TimestampMs>(),
});
export type ErasureStatement = ReturnType<typeof ErasureStatementBcs.parse>;

/** What a runner signs (tag `runnerErasure`) with its attested key once nothing of it is in its memory or on its disk. */
export const RunnerErasureBcs = bcs.struct('RunnerErasure', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  contributionId: bytes32<ContributionId>(),
  runnerSigningKey: byteVector(),
  tombstonedAtMs: u64Number<TimestampMs>(),
  /** How many open sessions had it in their index; which ones is their requesters' business. */
  sessions: bcs.u16(),
  /** How many indexes of the dataset it deleted from its disk; any of them may have had it inside. */
  storedIndexes: bcs.u16(),
  /** Whether it had the document itself on its disk, parsed, and deleted it. */
  hadStoredDocument: bcs.bool(),
  droppedAtMs: u64Number<TimestampMs>(),
});
export type RunnerErasure = ReturnType<typeof RunnerErasureBcs.parse>;

/** A contribution is dealt a few times at most, and a process holds few sessions at once. */
const STATEMENT_BYTES = 8 * 1024;
export const zErasureAnswer = z.object({ statement: zBase64(STATEMENT_BYTES), signature: zBase64(64) });
export type ErasureAnswer = z.output<typeof zErasureAnswer>;

const zSignedPart = z.object({
  /** Ed25519: that of the holder, as the chain names it, or the attested one of the runner. */
  signingPublicKey: zBase64(32),
  /** `missing` until the signed statement is there: ask again. */
  state: z.enum(['done', 'missing']),
  signed: zErasureAnswer.nullable(),
  /** Why it is missing: a code of the catalogue. */
  error: z.string().max(64).nullable(),
});

/** What cannot be undone, by name; each part of the system says it in its own words. */
export const NOT_ERASED = [
  'released_answers',
  'trained_weights',
  'colluding_holders',
  'removed_holders',
  'backups',
  'ciphertext',
  'key_servers',
  'public_record',
] as const;
export type NotErased = (typeof NOT_ERASED)[number];

/** What remains to be done, by name; each part of the system says it in its own words. */
export const ERASURE_REMAINS = ['holder_share', 'other_holder_share', 'runner_sessions', 'ciphertext_lease'] as const;
export type ErasureRemains = (typeof ERASURE_REMAINS)[number];
const zRemains = z.object({
  what: z.enum(ERASURE_REMAINS),
  /** Whose part is missing: the key holder's signing key. */
  signingPublicKey: zBase64(32).nullable(),
  /** Until when the ciphertext lies in the store. */
  endEpoch: z.int().nullable(),
});

/**
 * What was done to erase a contribution, and by whom. Every holder and runner signs its own part; whoever collected them
 * signs the whole, so that none is dropped or swapped unseen. Which holders count is on the chain.
 */
export const zErasureReceipt = z.object({
  type: z.literal('usufruct/erasure-receipt'),
  version: z.literal(2),
  chainId: z.string().max(64),
  packageId: zHex32<Hex32>(),
  contributionId: zHex32<ContributionId>(),
  datasetId: zHex32<DatasetId>(),
  owner: zHex32(),
  holderSetId: zHex32<HolderSetId>(),
  /** How many shares open it: more than `holders.length − threshold` destroyed ones leave it unreadable. */
  threshold: z.int().min(1).max(255),
  tombstonedAtMs: zTimestampMs,
  issuedAtMs: zTimestampMs,
  /** In the order of the holder set. */
  holders: z.array(zSignedPart).min(1).max(255),
  /** Other key holders that were in reach: who sat in the set before, or never did. */
  otherHolders: z.array(zSignedPart).max(255),
  /** Runners that were in reach. One that is not has dropped it before its next answer, or ended. */
  runners: z.array(zSignedPart).max(255),
  /** Whether every runner that the API knows has answered. */
  runnersComplete: z.boolean(),
  /** Ciphertext, which nobody can open once enough shares are destroyed. */
  blobs: z
    .array(
      z.object({
        blob: zHex32<Hex32>(),
        role: z.enum(['part', 'manifest']),
        sizeBytes: z.int(),
        /** `expires`: it lies in the store, unreadable, until this Walrus epoch; in a quilt as long as the rest is kept. */
        state: z.enum(['gone', 'expires', 'unknown']),
        endEpoch: z.int(),
      }),
    )
    .max(1_100),
  /** `erasureRemains` of all this. */
  remains: z.array(zRemains).max(2_000),
  notErased: z.array(z.enum(NOT_ERASED)).max(NOT_ERASED.length),
  /** Whose wallet signed the whole: the owner's, or that of whoever collected it. */
  collectedBy: zHex32<Address>(),
  /** walletStatement(erasureReceipt) over `erasureReceiptDigest`. */
  signature: z.string().max(1024),
});
export type ErasureReceipt = z.output<typeof zErasureReceipt>;
export type ErasurePart = z.output<typeof zSignedPart>;

/** What is still to be done, or to wait for, by the parts of a receipt. */
export function erasureRemains({
  holders,
  otherHolders,
  runnersComplete,
  blobs,
}: Pick<ErasureReceipt, 'holders' | 'otherHolders' | 'runnersComplete' | 'blobs'>): ErasureReceipt['remains'] {
  const missing = (what: ErasureRemains, parts: readonly ErasurePart[]): ErasureReceipt['remains'] =>
    parts.flatMap(({ state, signingPublicKey }) =>
      state === 'done' ? [] : [{ what, signingPublicKey, endEpoch: null }],
    );
  const ends = blobs.filter(({ state }) => state !== 'gone').map(({ endEpoch }) => endEpoch);
  return [
    ...missing('holder_share', holders),
    ...missing('other_holder_share', otherHolders),
    ...(runnersComplete ? [] : [{ what: 'runner_sessions' as const, signingPublicKey: null, endEpoch: null }]),
    ...(ends.length === 0
      ? []
      : [{ what: 'ciphertext_lease' as const, signingPublicKey: null, endEpoch: Math.max(...ends) }]),
  ];
}

const PartBcs = bcs.struct('ErasurePart', {
  signingPublicKey: byteVector(),
  state: bcs.string(),
  signed: bcs.option(bcs.struct('SignedErasure', { statement: byteVector(), signature: byteVector() })),
  error: bcs.option(bcs.string()),
});
const ErasureReceiptBcs = bcs.struct('ErasureReceipt', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  contributionId: bytes32<ContributionId>(),
  datasetId: bytes32<DatasetId>(),
  owner: bytes32<Hex32>(),
  holderSetId: bytes32<HolderSetId>(),
  threshold: bcs.u8(),
  tombstonedAtMs: u64Number<TimestampMs>(),
  issuedAtMs: u64Number<TimestampMs>(),
  holders: bcs.vector(PartBcs),
  otherHolders: bcs.vector(PartBcs),
  runners: bcs.vector(PartBcs),
  runnersComplete: bcs.bool(),
  blobs: bcs.vector(
    bcs.struct('ErasureBlob', {
      blob: bytes32<Hex32>(),
      role: bcs.string(),
      sizeBytes: u64Number(),
      state: bcs.string(),
      endEpoch: u64Number(),
    }),
  ),
  remains: bcs.vector(
    bcs.struct('ErasureRemains', {
      what: bcs.string(),
      signingPublicKey: bcs.option(byteVector()),
      endEpoch: bcs.option(u64Number()),
    }),
  ),
  notErased: bcs.vector(bcs.string()),
  collectedBy: bytes32<Address>(),
});

/** One digest of everything in a receipt but the signature under it. */
export function erasureReceiptDigest(receipt: Omit<ErasureReceipt, 'signature'>): Digest {
  const bytes = ErasureReceiptBcs.serialize({
    ...receipt,
    holders: receipt.holders.map(partBytes),
    otherHolders: receipt.otherHolders.map(partBytes),
    runners: receipt.runners.map(partBytes),
    remains: receipt.remains.map(({ signingPublicKey, ...rest }) => ({
      ...rest,
      signingPublicKey: signingPublicKey === null ? null : fromBase64(signingPublicKey),
    })),
  }).toBytes();
  return taggedDigest(TAGS.erasureReceipt, bytes);
}

const partBytes = ({ signingPublicKey, state, signed, error }: ErasurePart) => ({
  signingPublicKey: fromBase64(signingPublicKey),
  state,
  signed: signed === null ? null : { statement: fromBase64(signed.statement), signature: fromBase64(signed.signature) },
  error,
});
