import { bcs } from '@mysten/bcs';
import type { AmountUnits, Digest, HolderSetId } from '@usufruct/kernel';
import { AppraisalPolicyBcs, type AppraisalPolicy } from './attestation-types.js';
import { bytes32, u64, u64Number } from './bcs-types.js';
import type { BlobLifetime, ComputationKind, OnRevocation, ProtectionKind } from './codes.js';
import { ComputationKindBcs, ProtectionKindBcs } from './consent-types.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';

/** How the price of one receipt is divided, in basis points that add up to 10,000. */
export interface RevenueSplit {
  readonly contributorsBps: number;
  readonly treasuryBps: number;
  readonly runnerBps: number;
  readonly protocolBps: number;
}

/** What becomes of data that is in use, of data that is stored, and of questions that contributors ask themselves. */
export interface DataRules {
  /** Of a running job, when a contribution that it uses is revoked, retired, erased or its grant expires. */
  readonly onRevocation: OnRevocation;
  readonly blobs: BlobLifetime;
  /** Whether a question asked by a contributor's own address may pay that contributor. */
  readonly selfQueriesPay: boolean;
}
/** The contributor's word counts at once, and nobody earns by asking. */
export const DEFAULT_DATA_RULES: DataRules = { onRevocation: 'cancel', blobs: 'deletable', selfQueriesPay: false };

/** The DAO's policy: public, versioned on the chain, all that a job, a holder and a runner need to decide. */
export interface DaoPolicy extends DataRules {
  readonly pricePerQuestionUnits: AmountUnits;
  readonly purposes: readonly string[];
  readonly kinds: readonly ComputationKind[];
  readonly protections: readonly ProtectionKind[];
  readonly split: RevenueSplit;
  readonly holderSetId: HolderSetId;
  readonly appraisal: AppraisalPolicy;
  /** How many members of the holder set must have appraised a runner before its key is registered. */
  readonly verifierThreshold: number;
  readonly maxJobTermMs: number;
}

export const RevenueSplitBcs = bcs.struct('RevenueSplit', {
  contributorsBps: bcs.u16(),
  treasuryBps: bcs.u16(),
  runnerBps: bcs.u16(),
  protocolBps: bcs.u16(),
});
export const OnRevocationBcs = bcs
  .enum('OnRevocation', { finish: null, cancel: null })
  .transform<OnRevocation, OnRevocation>({
    input: (rule) => ({ [rule]: true }) as { finish: true },
    output: (value) => value.$kind,
  });
export const BlobLifetimeBcs = bcs
  .enum('BlobLifetime', { deletable: null, permanent: null })
  .transform<BlobLifetime, BlobLifetime>({
    input: (lifetime) => ({ [lifetime]: true }) as { deletable: true },
    output: (value) => value.$kind,
  });
export const DaoPolicyBcs = bcs.struct('DaoPolicy', {
  pricePerQuestionUnits: u64<AmountUnits>(),
  purposes: bcs.vector(bcs.string()),
  kinds: bcs.vector(ComputationKindBcs),
  protections: bcs.vector(ProtectionKindBcs),
  split: RevenueSplitBcs,
  holderSetId: bytes32<HolderSetId>(),
  appraisal: AppraisalPolicyBcs,
  verifierThreshold: bcs.u8(),
  maxJobTermMs: u64Number(),
  onRevocation: OnRevocationBcs,
  blobs: BlobLifetimeBcs,
  selfQueriesPay: bcs.bool(),
});
type DaoPolicyInput = typeof DaoPolicyBcs.$inferInput;
export const daoPolicyDigest = (policy: DaoPolicy): Digest =>
  taggedDigest(TAGS.daoPolicy, DaoPolicyBcs.serialize(policy as DaoPolicyInput).toBytes());
