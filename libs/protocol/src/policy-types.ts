import { bcs } from '@mysten/bcs';
import type { AmountUnits, Digest, HolderSetId } from '@usufruct/kernel';
import { AppraisalPolicyBcs, type AppraisalPolicy } from './attestation-types.js';
import { bytes32, u64, u64Number } from './bcs-types.js';
import type { ComputationKind, ProtectionKind } from './codes.js';
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

/** The DAO's policy: public, versioned on the chain, all that a job, a holder and a runner need to decide. */
export interface DaoPolicy {
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
});
type DaoPolicyInput = typeof DaoPolicyBcs.$inferInput;
export const daoPolicyDigest = (policy: DaoPolicy): Digest =>
  taggedDigest(TAGS.daoPolicy, DaoPolicyBcs.serialize(policy as DaoPolicyInput).toBytes());
