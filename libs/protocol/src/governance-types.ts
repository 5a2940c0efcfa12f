import { bcs } from '@mysten/bcs';
import type { Address, AmountUnits, DatasetId, HolderSetId, LicenceId, SignerId } from '@usufruct/kernel';
import { byteVector, bytes32, u64, u64Number } from './bcs-types.js';
import { EvidenceProfileBcs, type EvidenceProfile } from './attestation-types.js';
import {
  PAYOUT_MODES,
  UNCLAIMED_TO,
  VOTE_CHOICES,
  VOTING_KINDS,
  type BlobLifetime,
  type ComputationKind,
  type OnRevocation,
  type PayoutMode,
  type ProtectionKind,
  type SignerKind,
  type UnclaimedTo,
  type VoteChoice,
  type VotingKind,
} from './codes.js';
import { ComputationKindBcs, ProtectionKindBcs } from './consent-types.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { BlobLifetimeBcs, OnRevocationBcs, RevenueSplitBcs, type RevenueSplit } from './policy-types.js';
import { SignerKindBcs } from './receipt.js';

/** How a DAO decides. A proposal keeps the rules under which it was made. */
export interface Governance {
  readonly voting: VotingKind;
  /** The least part of all votes that must be cast (yes, no or abstain), 1 to 10,000. */
  readonly quorumBps: number;
  /** The least part of yes among yes and no, 5,001 to 10,000. */
  readonly approvalBps: number;
  readonly votingMs: number;
  /** From the end of voting until it can be executed. */
  readonly timelockMs: number;
  /** How long it can then be executed. */
  readonly executionMs: number;
  /** True: no role sets the policy, only votes do. Only a vote can take it back. */
  readonly policyByVoteOnly: boolean;
}

/** How the contributors' part of new jobs is paid. A job keeps the mode under which it was funded. */
export interface PayoutRules {
  readonly mode: PayoutMode;
  /** How long holders may object to an epoch before it can be claimed from. */
  readonly challengeMs: number;
  /** How long payouts can be claimed after that. */
  readonly claimTermMs: number;
  readonly unclaimedTo: UnclaimedTo;
}

/** What a DAO starts with unless its founder says otherwise. */
const DAY_MS = 24 * 60 * 60_000;
export const DEFAULT_GOVERNANCE: Governance = {
  voting: 'member',
  quorumBps: 2_000,
  approvalBps: 5_001,
  votingMs: 3 * DAY_MS,
  timelockMs: 2 * DAY_MS,
  executionMs: 7 * DAY_MS,
  policyByVoteOnly: false,
};
export const DEFAULT_PAYOUT_RULES: PayoutRules = {
  mode: 'direct',
  challengeMs: 3 * DAY_MS,
  claimTermMs: 365 * DAY_MS,
  unclaimedTo: 'treasury',
};

/** Who signs receipts without being a runner: three MPC parties, or the host of an FHE evaluator. */
export type OtherSignerKind = Exclude<SignerKind, 'tee'>;
/** How many Ed25519 keys of 32 bytes each kind has. */
export const SIGNER_KEYS: Readonly<Record<OtherSignerKind, number>> = { 'mpc-set': 3, 'fhe-host': 1 };
export const signerIdOf = (kind: OtherSignerKind, publicKeys: readonly Uint8Array[]): SignerId =>
  taggedDigest(TAGS.signer, SignerKindBcs.serialize(kind).toBytes(), ...publicKeys) as string as SignerId;

/** What a licence gives: the right to fund jobs of one kind on one dataset, until it ends. */
export interface LicenceTerms {
  readonly datasetId: DatasetId;
  readonly purpose: string;
  readonly computation: ComputationKind;
  readonly protection: ProtectionKind;
  readonly priceUnits: AmountUnits;
  readonly termMs: number;
}

const listBcs = <T extends string>(name: string, values: readonly T[]) =>
  bcs.u8().transform<T, T, string>({
    name,
    input: (value) => values.indexOf(value),
    output: (index) => {
      const value = values[index];
      if (value === undefined) throw new Error(`unknown ${name}`);
      return value;
    },
  });
export const VoteChoiceBcs = listBcs<VoteChoice>('VoteChoice', VOTE_CHOICES);

export const GovernanceBcs = bcs.struct('Governance', {
  voting: listBcs<VotingKind>('VotingKind', VOTING_KINDS),
  quorumBps: bcs.u16(),
  approvalBps: bcs.u16(),
  votingMs: u64Number(),
  timelockMs: u64Number(),
  executionMs: u64Number(),
  policyByVoteOnly: bcs.bool(),
});
export const PayoutRulesBcs = bcs.struct('PayoutRules', {
  mode: listBcs<PayoutMode>('PayoutMode', PAYOUT_MODES),
  challengeMs: u64Number(),
  claimTermMs: u64Number(),
  unclaimedTo: listBcs<UnclaimedTo>('UnclaimedTo', UNCLAIMED_TO),
});
const LicenceTermsBcs = bcs.struct('LicenceTerms', {
  datasetId: bytes32<DatasetId>(),
  purpose: bcs.string(),
  computation: ComputationKindBcs,
  protection: ProtectionKindBcs,
  priceUnits: u64<AmountUnits>(),
  termMs: u64Number(),
});

/**
 * What a proposal does when it is executed: one typed effect, applied to the policy of that moment, so that two
 * proposals on different things never overwrite each other. Order is the BCS variant index: append only.
 */
const EffectVariants = bcs.enum('ProposalEffect', {
  setPrice: bcs.struct('SetPrice', { pricePerQuestionUnits: u64<AmountUnits>() }),
  setPurposes: bcs.struct('SetPurposes', { purposes: bcs.vector(bcs.string()) }),
  setSplit: bcs.struct('SetSplit', { split: RevenueSplitBcs }),
  approveMeasurement: bcs.struct('ApproveMeasurement', { measurement: bcs.string() }),
  withdrawMeasurement: bcs.struct('WithdrawMeasurement', { measurement: bcs.string() }),
  setVerifiers: bcs.struct('SetVerifiers', { holderSetId: bytes32<HolderSetId>(), verifierThreshold: bcs.u8() }),
  setTerms: bcs.struct('SetTerms', {
    kinds: bcs.vector(ComputationKindBcs),
    protections: bcs.vector(ProtectionKindBcs),
    profiles: bcs.vector(EvidenceProfileBcs),
    resultTermMs: u64Number(),
    maxJobTermMs: u64Number(),
  }),
  setGovernance: bcs.struct('SetGovernance', { governance: GovernanceBcs }),
  setPayoutRules: bcs.struct('SetPayoutRules', { payoutRules: PayoutRulesBcs }),
  spendTreasury: bcs.struct('SpendTreasury', { to: bytes32<Address>(), amountUnits: u64<AmountUnits>() }),
  setRoles: bcs.struct('SetRolesByVote', { member: bytes32<Address>(), roles: bcs.u8() }),
  unpause: bcs.struct('Unpause', {}),
  registerSigner: bcs.struct('RegisterSigner', {
    signerKind: SignerKindBcs,
    publicKeys: bcs.vector(byteVector()),
    payTo: bytes32<Address>(),
  }),
  withdrawSigner: bcs.struct('WithdrawSigner', { signerId: bytes32<SignerId>() }),
  tombstoneDataset: bcs.struct('TombstoneDataset', { datasetId: bytes32<DatasetId>() }),
  /** The offer's id is the proposal's. */
  offerLicence: bcs.struct('OfferLicence', { terms: LicenceTermsBcs }),
  withdrawLicenceOffer: bcs.struct('WithdrawLicenceOffer', { offerId: bytes32<LicenceId>() }),
  writeOffReceipts: bcs.struct('WriteOffReceipts', { fromReceipt: u64<bigint>(), toReceipt: u64<bigint>() }),
  setDataRules: bcs.struct('SetDataRules', {
    onRevocation: OnRevocationBcs,
    blobs: BlobLifetimeBcs,
    selfQueriesPay: bcs.bool(),
  }),
});

export interface ProposalEffectPayloads {
  setPrice: { pricePerQuestionUnits: AmountUnits };
  setPurposes: { purposes: string[] };
  setSplit: { split: RevenueSplit };
  approveMeasurement: { measurement: string };
  withdrawMeasurement: { measurement: string };
  setVerifiers: { holderSetId: HolderSetId; verifierThreshold: number };
  setTerms: {
    kinds: ComputationKind[];
    protections: ProtectionKind[];
    profiles: EvidenceProfile[];
    resultTermMs: number;
    maxJobTermMs: number;
  };
  setGovernance: { governance: Governance };
  setPayoutRules: { payoutRules: PayoutRules };
  spendTreasury: { to: Address; amountUnits: AmountUnits };
  setRoles: { member: Address; roles: number };
  unpause: Record<never, never>;
  registerSigner: { signerKind: OtherSignerKind; publicKeys: Uint8Array[]; payTo: Address };
  withdrawSigner: { signerId: SignerId };
  tombstoneDataset: { datasetId: DatasetId };
  offerLicence: { terms: LicenceTerms };
  withdrawLicenceOffer: { offerId: LicenceId };
  /** The contributors' part of private receipts that nobody could divide, to the treasury. */
  writeOffReceipts: { fromReceipt: bigint; toReceipt: bigint };
  setDataRules: { onRevocation: OnRevocation; blobs: BlobLifetime; selfQueriesPay: boolean };
}
export type ProposalEffectKind = keyof ProposalEffectPayloads;
export type ProposalEffect = {
  [K in ProposalEffectKind]: { readonly kind: K } & Readonly<ProposalEffectPayloads[K]>;
}[ProposalEffectKind];

type EffectInput = Parameters<typeof EffectVariants.serialize>[0];
export const ProposalEffectBcs = EffectVariants.transform<ProposalEffect, ProposalEffect>({
  input: ({ kind, ...payload }) => ({ [kind]: payload }) as EffectInput,
  output: (value) => {
    const kind = value.$kind;
    return { kind, ...((value as Record<string, unknown>)[kind] as object) } as ProposalEffect;
  },
});
