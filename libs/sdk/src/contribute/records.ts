import type { Address, ContributionId, DatasetId, Digest, Hex32, HolderSetId } from '@usufruct/kernel';
import { BLOB_LIFETIMES, KEY_MODES, LIMITS, zBase64, zBlobReference, zHex32, zTimestampMs } from '@usufruct/protocol';
import { z } from 'zod';

/**
 * What the journal holds of an unfinished contribution, under `contribute/<key>/`:
 *
 *   plan          what will be contributed and the seed from which the shared secret and the envelope's salt come.
 *                 SECRET: whoever reads it can decrypt the file. Deleted when the contribution is registered.
 *   part/<n>      the hash of a ciphertext part, before it is sent; and where it lies, after
 *   part/<n>/…    that it was sent as a blob of its own, where it could lie in a quilt; and what the store remembers of
 *                 its upload, where that takes several steps. The manifest's likewise
 *   ciphertext    that all parts are stored
 *   manifest      the signed manifest
 *   manifest-blob where it lies
 *   receipt/<n>   a holder's signed word that it keeps its share
 *   transaction   the signed registration, before it is sent
 *   done          the result; all other records are gone
 */
export const zPlan = z.object({
  version: z.literal(1),
  chainId: z.string(),
  datasetId: zHex32<DatasetId>(),
  contributionId: zHex32<ContributionId>(),
  owner: zHex32<Address>(),
  salt: zHex32<Hex32>(),
  holderSetId: zHex32<HolderSetId>(),
  keyMode: z.enum(KEY_MODES),
  /** Of the holder set. */
  threshold: z.int(),
  holderCount: z.int(),
  policyDigest: zHex32<Digest>(),
  createdAtMs: zTimestampMs,
  fileName: z.string(),
  sizeBytes: z.int(),
  seed: zBase64(32),
  /** As the DAO's policy says; plans from before it said so are for another policy. */
  blobs: z.enum(BLOB_LIFETIMES).default('permanent'),
});
export type Plan = z.output<typeof zPlan>;

export const zPart = z.object({
  sha256: zHex32<Digest>(),
  sizeBytes: z.int(),
  stored: zBlobReference.nullable(),
});
export const zCiphertext = z.object({ parts: z.int() });
export const zSigned = z.object({ manifest: zBase64(LIMITS.manifestBytes), signature: z.string() });
export const zShareRecord = z.object({
  signature: zBase64(64),
  /** When the holder was asked: it keeps a share for so long that nobody registers. */
  askedAtMs: zTimestampMs,
});
export const zContributed = z.object({
  contributionId: zHex32<ContributionId>(),
  datasetId: zHex32<DatasetId>(),
  manifestDigest: zHex32<Digest>(),
  fileName: z.string(),
  sizeBytes: z.int(),
  keyMode: z.enum(KEY_MODES),
  parts: z.int(),
});
/** A contribution that is registered on the chain; with the mode `holders`, every holder keeps its share. */
export type Contributed = z.output<typeof zContributed>;

/** What all records of contributions begin with. */
export const CONTRIBUTIONS = 'contribute/';

export class ContributionRecords {
  readonly prefix: string;
  constructor(key: string) {
    // Encoded: the records of `a` must not be a prefix of those of `a/b`, for they are deleted together.
    this.prefix = `${CONTRIBUTIONS}${encodeURIComponent(key)}/`;
  }
  get plan(): string {
    return `${this.prefix}plan`;
  }
  part(index: number): string {
    return `${this.prefix}part/${String(index).padStart(6, '0')}`;
  }
  get ciphertext(): string {
    return `${this.prefix}ciphertext`;
  }
  get manifest(): string {
    return `${this.prefix}manifest`;
  }
  get manifestBlob(): string {
    return `${this.prefix}manifest-blob`;
  }
  receipt(member: number): string {
    return `${this.prefix}receipt/${member}`;
  }
  get transaction(): string {
    return `${this.prefix}transaction`;
  }
  get done(): string {
    return `${this.prefix}done`;
  }
}
