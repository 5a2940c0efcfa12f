import { bcs } from '@mysten/bcs';
import type { ContributionId, DatasetId, Digest, Hex32, HolderSetId, TimestampMs } from '@usufruct/kernel';
import { z } from 'zod';
import { byteVector, bytes32, u64Number } from './bcs-types.js';
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
});
export type ErasureStatement = ReturnType<typeof ErasureStatementBcs.parse>;

/** What a runner signs (tag `runnerErasure`) with its attested key once nothing of it is in its memory. */
export const RunnerErasureBcs = bcs.struct('RunnerErasure', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  contributionId: bytes32<ContributionId>(),
  runnerSigningKey: byteVector(),
  tombstonedAtMs: u64Number<TimestampMs>(),
  /** How many open sessions had it in their index; which ones is their requesters' business. */
  sessions: bcs.u16(),
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
  /** `pending` until the signed statement is there: ask again. */
  state: z.enum(['done', 'pending']),
  signed: zErasureAnswer.nullable(),
  /** Why it is pending: a code of the catalogue. */
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

/**
 * What was done to erase a contribution, and by whom. Every holder and runner signs its own part, so this is as good as
 * the signatures in it; which holders count is on the chain.
 */
export const zErasureReceipt = z.object({
  type: z.literal('usufruct/erasure-receipt'),
  version: z.literal(1),
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
  /** Ciphertext, which nobody can open once enough shares are destroyed. */
  blobs: z
    .array(
      z.object({
        blob: zHex32<Hex32>(),
        role: z.enum(['part', 'manifest']),
        sizeBytes: z.int(),
        /** `expires`: it lies in the store, unreadable, until this Walrus epoch. */
        state: z.enum(['gone', 'expires', 'unknown']),
        endEpoch: z.int(),
      }),
    )
    .max(1_100),
  notErased: z.array(z.enum(NOT_ERASED)),
});
export type ErasureReceipt = z.output<typeof zErasureReceipt>;
export type ErasurePart = z.output<typeof zSignedPart>;
