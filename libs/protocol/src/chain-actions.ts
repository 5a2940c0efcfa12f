import { bcs } from '@mysten/bcs';
import type {
  Address,
  AmountUnits,
  ContributionId,
  DaoId,
  DatasetId,
  Digest,
  GrantId,
  Hex32,
  HolderSetId,
  JobId,
  TimestampMs,
} from '@usufruct/kernel';
import { AppraisalPolicyBcs, type AppraisalPolicy } from './attestation-types.js';
import { byteVector, bytes32, u64, u64Number } from './bcs-types.js';
import type { ComputationKind, ProtectionKind } from './codes.js';
import { ComputationKindBcs, GrantTermsBcs, ProtectionKindBcs, type GrantTerms } from './consent-types.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { UseBcs, type Use } from './receipt.js';

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

const RevenueSplitBcs = bcs.struct('RevenueSplit', {
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

export interface HolderMember {
  /** The chain account of the holder's operator; may anchor the holder's tree heads. */
  readonly operator: Address;
  /** Ed25519: signs share receipts, runner statements, release statements and tree heads. */
  readonly signingPublicKey: Uint8Array;
  /** X25519: shares are sealed to it. */
  readonly sealingPublicKey: Uint8Array;
}
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

const HolderMemberBcs = bcs.struct('HolderMember', {
  operator: bytes32<Address>(),
  signingPublicKey: byteVector(),
  sealingPublicKey: byteVector(),
});
const StatementSignatureBcs = bcs.struct('StatementSignature', { member: bcs.u8(), signature: byteVector() });
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
  createDao: bcs.struct('CreateDao', { salt: bytes32<Hex32>(), policy: DaoPolicyBcs, metadataHash: bytes32<Digest>() }),
  setPolicy: bcs.struct('SetPolicy', { daoId: bytes32<DaoId>(), expectedVersion: bcs.u32(), policy: DaoPolicyBcs }),
  createDataset: bcs.struct('CreateDataset', {
    salt: bytes32<Hex32>(),
    daoId: bytes32<DaoId>(),
    metadataHash: bytes32<Digest>(),
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
});

export interface ChainActionPayloads {
  mint: { to: Address; amountUnits: AmountUnits };
  transfer: { to: Address; amountUnits: AmountUnits };
  createHolderSet: { salt: Hex32; members: HolderMember[]; threshold: number };
  createDao: { salt: Hex32; policy: DaoPolicy; metadataHash: Digest };
  setPolicy: { daoId: DaoId; expectedVersion: number; policy: DaoPolicy };
  createDataset: { salt: Hex32; daoId: DaoId; metadataHash: Digest };
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
