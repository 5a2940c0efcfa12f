import { bcs } from '@mysten/bcs';
import {
  fromHex,
  lengthPrefixed,
  utf8,
  type AmountUnits,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
  type TimestampMs,
} from '@usufruct/kernel';
import { z } from 'zod';
import { zEvidenceBundle } from './attestation-types.js';
import { byteVector, bytes32, u64, u64Number } from './bcs-types.js';
import type { ComputationKind, LeasedKeyKind, ProtectionKind } from './codes.js';
import { ComputationKindBcs, ProtectionKindBcs } from './consent-types.js';
import { decodeCanonical } from './decode-canonical.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { LeasedKeyKindBcs } from './log-leaf.js';
import { zSignedTreeHead } from './release-types.js';
import { zBase64, zHex32 } from './wire.js';

/**
 * Keys of indexes and checkpoints. The runner makes one, shares it among the DAO's key holders and forgets it; later a
 * runner leases it. The key holder serves, beside what release-types.ts says:
 *
 * POST /v1/leases/keys    zDepositLeasedKey → zDepositLeasedKeyAnswer  (idempotent by key)
 * POST /v1/leases         zLeaseRequest → zLeaseAnswer
 * POST /v1/egress-tokens  zEgressRequest → zEgressAnswer               (egress-token.ts; idempotent by job and output)
 *
 * Each takes a challenge of its own (`for: 'lease'`, `for: 'egress'`), evidence over it, and the attested key's word for
 * what is asked.
 */

/** One contribution's part of a grant set. */
export interface GrantSetEntry {
  readonly contributionId: ContributionId;
  readonly isRetired: boolean;
  /** By id. */
  readonly grants: readonly { readonly grantId: GrantId; readonly isInForce: boolean }[];
}
export const GrantSetBcs = bcs.struct('GrantSet', {
  /** Of the rules by which a grant counts. */
  rules: bcs.u8(),
  datasetId: bytes32<DatasetId>(),
  purpose: bcs.string(),
  kind: ComputationKindBcs,
  protection: ProtectionKindBcs,
  entries: bcs.vector(
    bcs.struct('GrantSetEntry', {
      contributionId: bytes32<ContributionId>(),
      isRetired: bcs.bool(),
      grants: bcs.vector(bcs.struct('GrantSetGrant', { grantId: bytes32<GrantId>(), isInForce: bcs.bool() })),
    }),
  ),
});
/** The grant-set version: `@usufruct/consent` says what is in it. */
export const grantSetDigest = (set: Parameters<typeof GrantSetBcs.serialize>[0]): Digest =>
  taggedDigest(TAGS.grantSet, GrantSetBcs.serialize(set).toBytes());

/** Everything that a leased key is for. Public: it opens nothing. */
export interface LeasedKey {
  readonly chainId: string;
  readonly packageId: Hex32;
  readonly daoId: DaoId;
  readonly datasetId: DatasetId;
  readonly holderSetId: HolderSetId;
  /** Keys of indexes and checkpoints are made anew for other holders, not shared again. */
  readonly holderSetVersion: number;
  readonly keyKind: LeasedKeyKind;
  /** It was made in; the only one that may lease it where it is a checkpoint's. */
  readonly jobId: JobId;
  readonly purpose: string;
  readonly kind: ComputationKind;
  readonly protection: ProtectionKind;
  /** Of that job: a grant's floor decides by it whether the grant counts. */
  readonly pricePerQuestionUnits: AmountUnits;
  readonly grantSetVersion: Digest;
  /** Nobody gives it out from then on. */
  readonly expiresAtMs: TimestampMs;
  /** Of the polynomial whose points are the shares; as many as it takes. */
  readonly commitments: readonly Uint8Array[];
  /** To the key that follows from the secret, in the context of the first commitment. */
  readonly keyCommitment: Digest;
}
const LeasedKeyBcs = bcs.struct('LeasedKey', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  daoId: bytes32<DaoId>(),
  datasetId: bytes32<DatasetId>(),
  holderSetId: bytes32<HolderSetId>(),
  holderSetVersion: bcs.u32(),
  keyKind: LeasedKeyKindBcs,
  jobId: bytes32<JobId>(),
  purpose: bcs.string(),
  kind: ComputationKindBcs,
  protection: ProtectionKindBcs,
  pricePerQuestionUnits: u64<AmountUnits>(),
  grantSetVersion: bytes32<Digest>(),
  expiresAtMs: u64Number<TimestampMs>(),
  commitments: bcs.vector(byteVector()),
  keyCommitment: bytes32<Digest>(),
});
/** 255 points, and what names the key. */
const MOST_LEASED_KEY_BYTES = 255 * 33 + 1_024;
export const encodeLeasedKey = (key: LeasedKey): Uint8Array =>
  LeasedKeyBcs.serialize({ ...key, commitments: [...key.commitments] }).toBytes();
/** Null for anything but canonical bytes. */
export const decodeLeasedKey = (bytes: Uint8Array): LeasedKey | null =>
  decodeCanonical(LeasedKeyBcs, bytes, MOST_LEASED_KEY_BYTES);
/** The name of a leased key: of all that it is for, and of the key itself. */
export const leasedKeyId = (bytes: Uint8Array): Digest => taggedDigest(TAGS.leasedKey, bytes);

/** HPKE `info` under which the runner seals a share to its holder's current sealing key (aad empty, plaintext ShareBcs). */
export const leasedShareSealInfo = (keyId: Digest): Uint8Array =>
  lengthPrefixed(utf8(TAGS.leasedShareSeal), fromHex(keyId));

/** What the attested key signs (tag `leaseRequest`): that it is the runner's own doing. */
export const LeaseActionBcs = bcs.struct('LeaseAction', {
  chainId: bcs.string(),
  action: bcs.string(),
  jobId: bytes32<JobId>(),
  /** The holder's own. */
  challenge: byteVector(),
  /** The key's id, or the digest of the egress token. */
  about: bytes32<Digest>(),
});
export type LeaseAction = 'deposit' | 'lease' | 'egress';

/** `key`: LeasedKey's bytes. */
export const zDepositLeasedKey = z.object({
  key: zBase64(MOST_LEASED_KEY_BYTES),
  /** The key of the holder's statement (sealing-key.ts). */
  sealedTo: zBase64(32),
  sealedShare: zBase64(512),
  challenge: zBase64(32),
  bundle: zEvidenceBundle,
  signature: zBase64(64),
});
export type DepositLeasedKey = z.output<typeof zDepositLeasedKey>;
/** A holder's word (tag `leasedShareReceipt`) that it has the share, durably. */
export const zDepositLeasedKeyAnswer = z.object({ index: z.int(), signature: zBase64(64) });
export type DepositLeasedKeyAnswer = z.output<typeof zDepositLeasedKeyAnswer>;
export const LeasedShareReceiptBcs = bcs.struct('LeasedShareReceipt', {
  keyId: bytes32<Digest>(),
  holderSetId: bytes32<HolderSetId>(),
  index: bcs.u8(),
});

export const zLeaseRequest = z.object({
  /** That leases; of the key's dataset, for the same use. */
  jobId: zHex32<JobId>(),
  keyId: zHex32<Digest>(),
  challenge: zBase64(32),
  bundle: zEvidenceBundle,
  signature: zBase64(64),
});
export type LeaseRequest = z.output<typeof zLeaseRequest>;
export const zLeaseAnswer = z.object({
  /** LeaseLeafBcs bytes: says the decision and, where it is `LEASED`, until when. */
  leaf: zBase64(2_048),
  leafIndex: z.int().min(0),
  inclusionProof: z.array(zBase64(32)).max(128),
  head: zSignedTreeHead,
  /** HPKE to the attested key, info = leasedShareInfo(…), plaintext ShareBcs; absent when refused. */
  sealedShare: zBase64(512).optional(),
});
export type LeaseAnswer = z.output<typeof zLeaseAnswer>;

const LeasedShareInfoBcs = bcs.struct('LeasedShareInfo', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  policyDigest: bytes32<Digest>(),
  challenge: byteVector(),
  jobId: bytes32<JobId>(),
  keyId: bytes32<Digest>(),
  leasedUntilMs: u64Number<TimestampMs>(),
});
/** HPKE `info` of a leased share: it opens for this lease alone. `packageId` and `policyDigest` as the holder reads them. */
export const leasedShareInfo = (info: Parameters<typeof LeasedShareInfoBcs.serialize>[0]): Uint8Array =>
  lengthPrefixed(utf8(TAGS.leasedShareRelease), LeasedShareInfoBcs.serialize(info).toBytes());
