import type {
  Address,
  DaoId,
  DatasetId,
  Digest,
  EpochId,
  HolderSetId,
  LicenceId,
  ProposalId,
  RunnerId,
  SignerId,
  TimestampMs,
} from '@usufruct/kernel';
import { asTimestampMs, toBase64 } from '@usufruct/kernel';
import { z } from 'zod';
import { EVIDENCE_PROFILES } from './attestation-types.js';
import {
  BLOB_LIFETIMES,
  COMPUTATION_KINDS,
  ON_REVOCATION,
  PAYOUT_MODES,
  PROTECTION_KINDS,
  UNCLAIMED_TO,
  VOTING_KINDS,
} from './codes.js';
import type { ProposalEffect } from './governance-types.js';
import { zAmount, zBase64, zHex32, zTimestampMs, zU64 } from './wire.js';

/** Typed views of how a DAO governs itself and pays in epochs. Bytes are base64 on the wire, bigints decimal. */
export const zRevenueSplit = z.object({
  contributorsBps: z.int(),
  treasuryBps: z.int(),
  runnerBps: z.int(),
  protocolBps: z.int(),
});
export const zGovernance = z.object({
  voting: z.enum(VOTING_KINDS),
  quorumBps: z.int(),
  approvalBps: z.int(),
  votingMs: z.int(),
  timelockMs: z.int(),
  executionMs: z.int(),
  policyByVoteOnly: z.boolean(),
});
export const zPayoutRules = z.object({
  mode: z.enum(PAYOUT_MODES),
  challengeMs: z.int(),
  claimTermMs: z.int(),
  unclaimedTo: z.enum(UNCLAIMED_TO),
});
export const zLicenceTerms = z.object({
  datasetId: zHex32<DatasetId>(),
  purpose: z.string(),
  computation: z.enum(COMPUTATION_KINDS),
  protection: z.enum(PROTECTION_KINDS),
  priceUnits: zAmount,
  termMs: z.int(),
});
const zOtherSignerKind = z.enum(['mpc-set', 'fhe-host']);

export const zProposalEffect = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('setPrice'), pricePerQuestionUnits: zAmount }),
  z.object({ kind: z.literal('setPurposes'), purposes: z.array(z.string()) }),
  z.object({ kind: z.literal('setSplit'), split: zRevenueSplit }),
  z.object({ kind: z.literal('approveMeasurement'), measurement: z.string() }),
  z.object({ kind: z.literal('withdrawMeasurement'), measurement: z.string() }),
  z.object({ kind: z.literal('setVerifiers'), holderSetId: zHex32<HolderSetId>(), verifierThreshold: z.int() }),
  z.object({
    kind: z.literal('setTerms'),
    kinds: z.array(z.enum(COMPUTATION_KINDS)),
    protections: z.array(z.enum(PROTECTION_KINDS)),
    profiles: z.array(z.enum(EVIDENCE_PROFILES)),
    resultTermMs: z.int(),
    maxJobTermMs: z.int(),
  }),
  z.object({ kind: z.literal('setGovernance'), governance: zGovernance }),
  z.object({ kind: z.literal('setPayoutRules'), payoutRules: zPayoutRules }),
  z.object({ kind: z.literal('spendTreasury'), to: zHex32<Address>(), amountUnits: zAmount }),
  z.object({ kind: z.literal('setRoles'), member: zHex32<Address>(), roles: z.int() }),
  z.object({ kind: z.literal('unpause') }),
  z.object({
    kind: z.literal('registerSigner'),
    signerKind: zOtherSignerKind,
    publicKeys: z.array(zBase64(32)),
    payTo: zHex32<Address>(),
  }),
  z.object({ kind: z.literal('withdrawSigner'), signerId: zHex32<SignerId>() }),
  z.object({ kind: z.literal('tombstoneDataset'), datasetId: zHex32<DatasetId>() }),
  z.object({ kind: z.literal('offerLicence'), terms: zLicenceTerms }),
  z.object({ kind: z.literal('withdrawLicenceOffer'), offerId: zHex32<LicenceId>() }),
  z.object({ kind: z.literal('writeOffReceipts'), fromReceipt: zU64, toReceipt: zU64 }),
  z.object({
    kind: z.literal('setDataRules'),
    onRevocation: z.enum(ON_REVOCATION),
    blobs: z.enum(BLOB_LIFETIMES),
    selfQueriesPay: z.boolean(),
  }),
]);

export const zMemberView = z.object({
  address: zHex32<Address>(),
  /** A sum of `ROLES`. */
  roles: z.int(),
  /** From 0, in order of joining: a proposal counts those who were members when it was made. */
  ordinal: z.int(),
  /** All that this DAO has paid the member as a contributor. */
  earnedUnits: zAmount,
});
export const zApplicationView = z.object({ applicant: zHex32<Address>(), statementHash: zHex32<Digest>() });

export const zProposalView = z.object({
  id: zHex32<ProposalId>(),
  daoId: zHex32<DaoId>(),
  /** From 1, in the DAO. */
  number: z.int(),
  proposer: zHex32<Address>(),
  effect: zProposalEffect,
  descriptionHash: zHex32<Digest>(),
  voting: z.enum(VOTING_KINDS),
  quorumBps: z.int(),
  approvalBps: z.int(),
  /** Members who may vote: those of an ordinal below this. */
  memberCount: z.int(),
  /** All votes there were when the proposal was made. */
  totalVotes: zU64,
  yesVotes: zU64,
  noVotes: zU64,
  abstainVotes: zU64,
  createdAtMs: zTimestampMs,
  /** Votes are taken before this. */
  votingEndsAtMs: zTimestampMs,
  executableFromMs: zTimestampMs,
  /** It can be executed before this. */
  executableUntilMs: zTimestampMs,
  executedAtMs: zTimestampMs.nullable(),
});

export const zSignerView = z.object({
  id: zHex32<SignerId>(),
  daoId: zHex32<DaoId>(),
  signerKind: zOtherSignerKind,
  publicKeys: z.array(zBase64(32)),
  payTo: zHex32<Address>(),
  withdrawnAtMs: zTimestampMs.nullable(),
});

/** What private settlement has set aside in a DAO. */
export const zReceiptPoolView = z.object({
  daoId: zHex32<DaoId>(),
  /** Account that holds it; no key exists for it. */
  account: zHex32<Address>(),
  receiptCount: zU64,
  /** Set aside since the DAO began, paid out or not. */
  pooledUnits: zAmount,
  receiptChain: zHex32<Digest>(),
  /** Receipts up to this are covered by an epoch that was not rejected, or were written off. */
  coveredReceipts: zU64,
  epochCount: zU64,
});
export const EPOCH_STATES = ['open', 'rejected', 'swept'] as const;
export const zEpochView = z.object({
  id: zHex32<EpochId>(),
  daoId: zHex32<DaoId>(),
  number: zU64,
  attempt: z.int(),
  settler: zHex32<RunnerId>(),
  fromReceipt: zU64,
  toReceipt: zU64,
  totalUnits: zAmount,
  root: zHex32<Digest>(),
  leafCount: z.int(),
  claimedUnits: zAmount,
  /** `open` is in its challenge window before `challengeEndsAtMs` and can be claimed from after it. */
  state: z.enum(EPOCH_STATES),
  /** Operators of members of the holder set who objected. */
  objections: z.array(zHex32<Address>()),
  proposedAtMs: zTimestampMs,
  challengeEndsAtMs: zTimestampMs,
  claimTermMs: z.int(),
  unclaimedTo: z.enum(UNCLAIMED_TO),
});

export const zLicenceOfferView = z.object({
  id: zHex32<LicenceId>(),
  daoId: zHex32<DaoId>(),
  terms: zLicenceTerms,
  withdrawnAtMs: zTimestampMs.nullable(),
});
export const zLicenceView = z.object({
  id: zHex32<LicenceId>(),
  offerId: zHex32<LicenceId>(),
  daoId: zHex32<DaoId>(),
  licensee: zHex32<Address>(),
  terms: zLicenceTerms,
  boughtAtMs: zTimestampMs,
  expiresAtMs: zTimestampMs,
});

/** An effect as views and events write it. */
export const proposalEffectView = (effect: ProposalEffect): ProposalView['effect'] =>
  effect.kind === 'registerSigner' ? { ...effect, publicKeys: effect.publicKeys.map(toBase64) } : effect;

export type MemberView = z.output<typeof zMemberView>;
export type ApplicationView = z.output<typeof zApplicationView>;
export type ProposalView = z.output<typeof zProposalView>;
export type SignerView = z.output<typeof zSignerView>;
export type ReceiptPoolView = z.output<typeof zReceiptPoolView>;
export type EpochView = z.output<typeof zEpochView>;
export type LicenceOfferView = z.output<typeof zLicenceOfferView>;
export type LicenceView = z.output<typeof zLicenceView>;

export const PROPOSAL_STATES = ['voting', 'rejected', 'timelocked', 'executable', 'executed', 'lapsed'] as const;
export type ProposalState = (typeof PROPOSAL_STATES)[number];

/** Enough voted, and enough of them for it. All in exact integers. */
export function isPassed(proposal: ProposalView): boolean {
  const { yesVotes, noVotes, abstainVotes, totalVotes, quorumBps, approvalBps } = proposal;
  const cast = yesVotes + noVotes + abstainVotes;
  const hasQuorum = cast * 10_000n >= BigInt(quorumBps) * totalVotes;
  return yesVotes > 0n && hasQuorum && yesVotes * 10_000n >= BigInt(approvalBps) * (yesVotes + noVotes);
}

/** The votes cast so far, in exact integers, by the rules that the chain counts with. */
export interface Tally {
  readonly castVotes: bigint;
  /** The least number of votes that must be cast. */
  readonly quorumVotes: bigint;
  readonly hasQuorum: boolean;
  /** Parts of ten thousand of yes among yes and no, rounded down; null while nobody has said either. */
  readonly approvalBps: number | null;
  readonly passed: boolean;
}

export function tallyOf(proposal: ProposalView): Tally {
  const { yesVotes, noVotes, abstainVotes, totalVotes, quorumBps } = proposal;
  const castVotes = yesVotes + noVotes + abstainVotes;
  const quorumVotes = (BigInt(quorumBps) * totalVotes + 9_999n) / 10_000n;
  const decided = yesVotes + noVotes;
  return {
    castVotes,
    quorumVotes,
    hasQuorum: castVotes >= quorumVotes,
    approvalBps: decided === 0n ? null : Number((yesVotes * 10_000n) / decided),
    passed: isPassed(proposal),
  };
}

export function proposalState(proposal: ProposalView, nowMs: TimestampMs): ProposalState {
  if (proposal.executedAtMs !== null) return 'executed';
  if (nowMs < proposal.votingEndsAtMs) return 'voting';
  if (!isPassed(proposal)) return 'rejected';
  if (nowMs < proposal.executableFromMs) return 'timelocked';
  return nowMs < proposal.executableUntilMs ? 'executable' : 'lapsed';
}

export const EPOCH_PHASES = ['challenge', 'claimable', 'ended', 'rejected', 'swept'] as const;
export type EpochPhase = (typeof EPOCH_PHASES)[number];

/** Claims are taken before this. */
export const claimEndOf = ({ challengeEndsAtMs, claimTermMs }: EpochView): TimestampMs =>
  asTimestampMs(challengeEndsAtMs + claimTermMs);

/** `challenge`: holders may object; `claimable`: payouts can be claimed; `ended`: what is left can be swept. */
export function epochPhase(epoch: EpochView, nowMs: TimestampMs): EpochPhase {
  if (epoch.state !== 'open') return epoch.state;
  if (nowMs < epoch.challengeEndsAtMs) return 'challenge';
  return nowMs < claimEndOf(epoch) ? 'claimable' : 'ended';
}
