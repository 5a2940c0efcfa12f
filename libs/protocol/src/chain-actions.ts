import { bcs } from '@mysten/bcs';
import type {
  Address,
  AmountUnits,
  ContributionId,
  DaoId,
  DatasetId,
  Digest,
  EpochId,
  GrantId,
  Hex32,
  HolderSetId,
  JobId,
  LicenceId,
  ProposalId,
  TimestampMs,
} from '@usufruct/kernel';
import { AnswerRulesBcs, type AnswerRules } from './answer-rules.js';
import { byteVector, bytes32, u64, u64Number } from './bcs-types.js';
import type { ComputationKind, ProtectionKind, VoteChoice } from './codes.js';
import { ComputationKindBcs, GrantTermsBcs, ProtectionKindBcs, type GrantTerms } from './consent-types.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import {
  GovernanceBcs,
  PayoutRulesBcs,
  ProposalEffectBcs,
  VoteChoiceBcs,
  type Governance,
  type PayoutRules,
  type ProposalEffect,
} from './governance-types.js';
import { HolderMemberBcs, type HolderMember } from './holder-types.js';
import { DaoPolicyBcs, type DaoPolicy } from './policy-types.js';
import { UseBcs, type Use } from './receipt.js';

export interface StatementSignature {
  /** Index of the member in the holder set, from 0. */
  readonly member: number;
  readonly signature: Uint8Array;
}
export interface BlobReference {
  readonly blob: Hex32;
  readonly sizeBytes: number;
  /** Walrus epoch at which the lease ends. */
  readonly endEpoch: number;
}

const StatementSignatureBcs = bcs.struct('StatementSignature', { member: bcs.u8(), signature: byteVector() });
/** A blob of a contribution whose lease on Walrus now ends later. */
export interface LeaseRenewal {
  readonly blob: Hex32;
  readonly endEpoch: number;
}
const LeaseRenewalBcs = bcs.struct('LeaseRenewal', { blob: bytes32<Hex32>(), endEpoch: bcs.u32() });

const BlobReferenceBcs = bcs.struct('BlobReference', {
  blob: bytes32<Hex32>(),
  sizeBytes: u64Number(),
  endEpoch: bcs.u32(),
});

/** What can be done on the chain. Order is the BCS variant index: append only, never reuse. */
export const ChainActionBcs = bcs.enum('ChainAction', {
  /** Local chain only: a faucet. A real coin has its own issuer. */
  mint: bcs.struct('Mint', { to: bytes32<Address>(), amountUnits: u64<AmountUnits>() }),
  transfer: bcs.struct('Transfer', { to: bytes32<Address>(), amountUnits: u64<AmountUnits>() }),
  createHolderSet: bcs.struct('CreateHolderSet', {
    salt: bytes32<Hex32>(),
    members: bcs.vector(HolderMemberBcs),
    threshold: bcs.u8(),
  }),
  createDao: bcs.struct('CreateDao', {
    salt: bytes32<Hex32>(),
    policy: DaoPolicyBcs,
    metadataHash: bytes32<Digest>(),
    governance: GovernanceBcs,
    payoutRules: PayoutRulesBcs,
  }),
  setPolicy: bcs.struct('SetPolicy', { daoId: bytes32<DaoId>(), expectedVersion: bcs.u32(), policy: DaoPolicyBcs }),
  createDataset: bcs.struct('CreateDataset', {
    salt: bytes32<Hex32>(),
    daoId: bytes32<DaoId>(),
    metadataHash: bytes32<Digest>(),
    answerRules: AnswerRulesBcs,
  }),
  registerContribution: bcs.struct('RegisterContribution', {
    salt: bytes32<Hex32>(),
    datasetId: bytes32<DatasetId>(),
    manifestDigest: bytes32<Digest>(),
    manifestBlob: BlobReferenceBcs,
    parts: bcs.vector(BlobReferenceBcs),
    holderSetId: bytes32<HolderSetId>(),
    policyDigest: bytes32<Digest>(),
  }),
  decideContribution: bcs.struct('DecideContribution', {
    contributionId: bytes32<ContributionId>(),
    accept: bcs.bool(),
  }),
  giveGrant: bcs.struct('GiveGrant', {
    salt: bytes32<Hex32>(),
    contributionId: bytes32<ContributionId>(),
    terms: GrantTermsBcs,
  }),
  revokeGrant: bcs.struct('RevokeGrant', { grantId: bytes32<GrantId>() }),
  registerRunner: bcs.struct('RegisterRunner', {
    statement: byteVector(),
    signatures: bcs.vector(StatementSignatureBcs),
  }),
  fundJob: bcs.struct('FundJob', {
    salt: bytes32<Hex32>(),
    datasetId: bytes32<DatasetId>(),
    purpose: bcs.string(),
    computation: ComputationKindBcs,
    protection: ProtectionKindBcs,
    policyVersion: bcs.u32(),
    pricePerQuestionUnits: u64<AmountUnits>(),
    maxQuestions: bcs.u32(),
    termMs: u64Number(),
    /** Ed25519: authorises the questions of this job, so that nobody else can spend its escrow. */
    clientPublicKey: byteVector(),
  }),
  settleReceipt: bcs.struct('SettleReceipt', {
    receipt: byteVector(),
    signature: byteVector(),
    usesSalt: bytes32<Hex32>(),
    uses: bcs.vector(UseBcs),
  }),
  /** By the requester at any time: what is not spent is refunded. */
  closeJob: bcs.struct('CloseJob', { jobId: bytes32<JobId>() }),
  /** By anyone after the job's term: what is not spent is refunded. */
  expireJob: bcs.struct('ExpireJob', { jobId: bytes32<JobId>() }),
  anchorTreeHead: bcs.struct('AnchorTreeHead', {
    holderSetId: bytes32<HolderSetId>(),
    member: bcs.u8(),
    treeHead: byteVector(),
    signature: byteVector(),
  }),
  /** Ask to become a member; the hash commits to what the applicant told the DAO elsewhere. */
  applyForMembership: bcs.struct('ApplyForMembership', {
    daoId: bytes32<DaoId>(),
    statementHash: bytes32<Digest>(),
  }),
  /** By a steward, once. */
  decideApplication: bcs.struct('DecideApplication', {
    daoId: bytes32<DaoId>(),
    applicant: bytes32<Address>(),
    accept: bcs.bool(),
  }),
  /** By an administrator: a sum of `ROLES`. */
  setRoles: bcs.struct('SetRoles', { daoId: bytes32<DaoId>(), member: bytes32<Address>(), roles: bcs.u8() }),
  /** One way: only a vote unpauses. By whoever holds the DAO's PauseCap; on the local ledger that is the founder. */
  pauseDao: bcs.struct('PauseDao', { daoId: bytes32<DaoId>() }),
  /** By a member. Voting begins at once. */
  propose: bcs.struct('Propose', {
    salt: bytes32<Hex32>(),
    daoId: bytes32<DaoId>(),
    effect: ProposalEffectBcs,
    /** Commits to the reasons given elsewhere. */
    descriptionHash: bytes32<Digest>(),
  }),
  /** Once each, by those who were members when the proposal was made. */
  vote: bcs.struct('Vote', { proposalId: bytes32<ProposalId>(), choice: VoteChoiceBcs }),
  /** By anyone, after the timelock. */
  executeProposal: bcs.struct('ExecuteProposal', { proposalId: bytes32<ProposalId>() }),
  /**
   * Epoch mode: pays treasury, runner and protocol, and sets the contributors' part aside; nobody sees the uses. As many
   * holders as countersign an epoch must have acknowledged the receipt's opening (`OpeningAckBcs`).
   */
  settlePrivately: bcs.struct('SettlePrivately', {
    receipt: byteVector(),
    signature: byteVector(),
    acknowledgements: bcs.vector(StatementSignatureBcs),
  }),
  /** By anyone: an `EpochStatement`, the settler's signature over it and those of enough holders who recomputed it. */
  proposeEpoch: bcs.struct('ProposeEpoch', {
    statement: byteVector(),
    settlerSignature: byteVector(),
    signatures: bcs.vector(StatementSignatureBcs),
  }),
  /** By the operator of a member of the holder set, within the challenge window. */
  objectToEpoch: bcs.struct('ObjectToEpoch', { epochId: bytes32<EpochId>(), member: bcs.u8() }),
  /** By anyone, within the challenge window: another statement that the settler signed for the same attempt. */
  proveEquivocation: bcs.struct('ProveEquivocation', {
    epochId: bytes32<EpochId>(),
    statement: byteVector(),
    settlerSignature: byteVector(),
  }),
  /** By anyone, for the account that the leaf names. A leaf of zero units changes nothing. */
  claimPayout: bcs.struct('ClaimPayout', {
    epochId: bytes32<EpochId>(),
    index: bcs.u32(),
    account: bytes32<Address>(),
    amountUnits: u64<AmountUnits>(),
    salt: bytes32<Hex32>(),
    /** RFC 6962 inclusion proof, leaf to root. */
    proof: bcs.vector(bytes32<Digest>()),
  }),
  /** By anyone, when the claim term has passed: what is left goes where the rules of that epoch say. */
  sweepEpoch: bcs.struct('SweepEpoch', { epochId: bytes32<EpochId>() }),
  /** By anyone: a `HolderRotation` with the signatures of enough members of the version before. */
  rotateHolderSet: bcs.struct('RotateHolderSet', {
    rotation: byteVector(),
    signatures: bcs.vector(StatementSignatureBcs),
  }),
  /** By the member's operator, for good: its keys were destroyed and must never count again, restored or not. */
  tombstoneHolder: bcs.struct('TombstoneHolder', { holderSetId: bytes32<HolderSetId>(), member: bcs.u8() }),
  /** By its owner, for good: no key of it may be released again. */
  tombstoneContribution: bcs.struct('TombstoneContribution', { contributionId: bytes32<ContributionId>() }),
  /** By its owner or a steward: leases only become longer. */
  renewLease: bcs.struct('RenewLease', {
    contributionId: bytes32<ContributionId>(),
    renewals: bcs.vector(LeaseRenewalBcs),
  }),
  buyLicence: bcs.struct('BuyLicence', {
    salt: bytes32<Hex32>(),
    /** The offer's id is that of the proposal that made it. */
    offerId: bytes32<LicenceId>(),
    priceUnits: u64<AmountUnits>(),
  }),
  /** By a steward, from the next answer on. */
  setAnswerRules: bcs.struct('SetAnswerRules', { datasetId: bytes32<DatasetId>(), answerRules: AnswerRulesBcs }),
});

export interface ChainActionPayloads {
  mint: { to: Address; amountUnits: AmountUnits };
  transfer: { to: Address; amountUnits: AmountUnits };
  createHolderSet: { salt: Hex32; members: HolderMember[]; threshold: number };
  createDao: {
    salt: Hex32;
    policy: DaoPolicy;
    metadataHash: Digest;
    governance: Governance;
    payoutRules: PayoutRules;
  };
  setPolicy: { daoId: DaoId; expectedVersion: number; policy: DaoPolicy };
  createDataset: { salt: Hex32; daoId: DaoId; metadataHash: Digest; answerRules: AnswerRules };
  registerContribution: {
    salt: Hex32;
    datasetId: DatasetId;
    manifestDigest: Digest;
    manifestBlob: BlobReference;
    parts: BlobReference[];
    holderSetId: HolderSetId;
    policyDigest: Digest;
  };
  decideContribution: { contributionId: ContributionId; accept: boolean };
  giveGrant: { salt: Hex32; contributionId: ContributionId; terms: GrantTerms };
  revokeGrant: { grantId: GrantId };
  registerRunner: { statement: Uint8Array; signatures: StatementSignature[] };
  fundJob: {
    salt: Hex32;
    datasetId: DatasetId;
    purpose: string;
    computation: ComputationKind;
    protection: ProtectionKind;
    policyVersion: number;
    pricePerQuestionUnits: AmountUnits;
    maxQuestions: number;
    termMs: number;
    clientPublicKey: Uint8Array;
  };
  settleReceipt: { receipt: Uint8Array; signature: Uint8Array; usesSalt: Hex32; uses: Use[] };
  closeJob: { jobId: JobId };
  expireJob: { jobId: JobId };
  anchorTreeHead: { holderSetId: HolderSetId; member: number; treeHead: Uint8Array; signature: Uint8Array };
  applyForMembership: { daoId: DaoId; statementHash: Digest };
  decideApplication: { daoId: DaoId; applicant: Address; accept: boolean };
  setRoles: { daoId: DaoId; member: Address; roles: number };
  pauseDao: { daoId: DaoId };
  propose: { salt: Hex32; daoId: DaoId; effect: ProposalEffect; descriptionHash: Digest };
  vote: { proposalId: ProposalId; choice: VoteChoice };
  executeProposal: { proposalId: ProposalId };
  settlePrivately: { receipt: Uint8Array; signature: Uint8Array; acknowledgements: StatementSignature[] };
  proposeEpoch: { statement: Uint8Array; settlerSignature: Uint8Array; signatures: StatementSignature[] };
  objectToEpoch: { epochId: EpochId; member: number };
  proveEquivocation: { epochId: EpochId; statement: Uint8Array; settlerSignature: Uint8Array };
  claimPayout: {
    epochId: EpochId;
    index: number;
    account: Address;
    amountUnits: AmountUnits;
    salt: Hex32;
    proof: Digest[];
  };
  sweepEpoch: { epochId: EpochId };
  rotateHolderSet: { rotation: Uint8Array; signatures: StatementSignature[] };
  tombstoneHolder: { holderSetId: HolderSetId; member: number };
  tombstoneContribution: { contributionId: ContributionId };
  renewLease: { contributionId: ContributionId; renewals: LeaseRenewal[] };
  buyLicence: { salt: Hex32; offerId: LicenceId; priceUnits: AmountUnits };
  setAnswerRules: { datasetId: DatasetId; answerRules: AnswerRules };
}
export type ChainActionKind = keyof ChainActionPayloads;
export type ChainAction = {
  [K in ChainActionKind]: { readonly kind: K } & Readonly<ChainActionPayloads[K]>;
}[ChainActionKind];

/**
 * A transaction of the local chain: all of its actions happen, or none. The digest names it: sent twice it happens
 * once. The wallet signs its digest as a personal message, so any wallet-standard wallet can use the local chain.
 */
export interface LocalTransaction {
  readonly chainId: string;
  readonly sender: Address;
  readonly nonce: Hex32;
  readonly expiresAtMs: TimestampMs;
  readonly actions: readonly ChainAction[];
}
const LocalTransactionBcs = bcs.struct('LocalTransaction', {
  chainId: bcs.string(),
  sender: bytes32<Address>(),
  nonce: bytes32<Hex32>(),
  expiresAtMs: u64Number<TimestampMs>(),
  actions: bcs.vector(ChainActionBcs),
});

type ActionInput = Parameters<typeof ChainActionBcs.serialize>[0];
export const encodeLocalTransaction = (transaction: LocalTransaction): Uint8Array =>
  LocalTransactionBcs.serialize({
    ...transaction,
    actions: transaction.actions.map(({ kind, ...payload }) => ({ [kind]: payload }) as ActionInput),
  }).toBytes();

/** Throws on malformed bytes; the caller turns that into `MALFORMED_REQUEST`. */
export function decodeLocalTransaction(bytes: Uint8Array): LocalTransaction {
  const parsed = LocalTransactionBcs.parse(bytes);
  const actions = parsed.actions.map((action) => {
    const kind = action.$kind;
    return { kind, ...((action as Record<string, unknown>)[kind] as object) } as ChainAction;
  });
  return { ...parsed, actions };
}

export const transactionDigest = (bytes: Uint8Array): Digest => taggedDigest(TAGS.localTransaction, bytes);
