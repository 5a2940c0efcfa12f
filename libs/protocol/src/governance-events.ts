import type {
  Address,
  ContributionId,
  DaoId,
  DatasetId,
  Digest,
  EpochId,
  Hex32,
  HolderSetId,
  JobId,
  LicenceId,
  ProposalId,
  QuestionId,
  RunnerId,
  SignerId,
} from '@usufruct/kernel';
import { z } from 'zod';
import { zAnswerRules } from './answer-rules.js';
import { UNCLAIMED_TO, VOTE_CHOICES } from './codes.js';
import {
  zEpochView,
  zGovernance,
  zLicenceOfferView,
  zLicenceView,
  zPayoutRules,
  zProposalView,
  zSignerView,
} from './governance-views.js';
import { zPayout } from './payout-views.js';
import { zAmount, zBase64, zHex32, zTimestampMs, zU64 } from './wire.js';

const daoId = zHex32<DaoId>();

/** Events of membership, governance, private payout and erasure: the same rules as for all chain events. */
export const GOVERNANCE_EVENTS = [
  z.object({
    type: z.literal('MembershipApplied'),
    daoId,
    applicant: zHex32<Address>(),
    statementHash: zHex32<Digest>(),
  }),
  z.object({ type: z.literal('MembershipDecided'), daoId, applicant: zHex32<Address>(), accepted: z.boolean() }),
  /** Whenever an address becomes a member, the founder included; `ordinal` counts from 0. */
  z.object({
    type: z.literal('MemberAdded'),
    daoId,
    member: zHex32<Address>(),
    roles: z.int(),
    ordinal: z.int(),
  }),
  z.object({ type: z.literal('RolesSet'), daoId, member: zHex32<Address>(), roles: z.int() }),
  z.object({ type: z.literal('DaoPaused'), daoId }),
  z.object({ type: z.literal('DaoUnpaused'), daoId }),
  z.object({ type: z.literal('ProposalCreated'), proposal: zProposalView }),
  z.object({
    type: z.literal('VoteCast'),
    proposalId: zHex32<ProposalId>(),
    voter: zHex32<Address>(),
    choice: z.enum(VOTE_CHOICES),
    votes: zU64,
  }),
  /** After the events of what it did. */
  z.object({
    type: z.literal('ProposalExecuted'),
    proposalId: zHex32<ProposalId>(),
    daoId,
    executedAtMs: zTimestampMs,
  }),
  z.object({ type: z.literal('GovernanceSet'), daoId, governance: zGovernance }),
  z.object({ type: z.literal('PayoutRulesSet'), daoId, payoutRules: zPayoutRules }),
  z.object({ type: z.literal('TreasurySpent'), daoId, to: zHex32<Address>(), amountUnits: zAmount }),
  z.object({ type: z.literal('SignerRegistered'), signer: zSignerView }),
  z.object({
    type: z.literal('SignerWithdrawn'),
    daoId,
    signerId: zHex32<SignerId>(),
    withdrawnAtMs: zTimestampMs,
  }),
  z.object({
    type: z.literal('ReceiptSettledPrivately'),
    jobId: zHex32<JobId>(),
    questionId: zHex32<QuestionId>(),
    daoId,
    receiptDigest: zHex32<Digest>(),
    priceUnits: zAmount,
    /** Treasury, runner and protocol; rows of zero are left out. */
    payouts: z.array(zPayout),
    pooledUnits: zAmount,
    /** The receipt's place in the DAO's chain of receipts, from 1, and the chain up to it. */
    receiptNumber: zU64,
    receiptChain: zHex32<Digest>(),
    questionsSettled: z.int(),
    escrowLeftUnits: zAmount,
  }),
  z.object({ type: z.literal('EpochProposed'), epoch: zEpochView }),
  z.object({
    type: z.literal('EpochObjected'),
    epochId: zHex32<EpochId>(),
    /** Of a member of the holder set. */
    operator: zHex32<Address>(),
    challengeEndsAtMs: zTimestampMs,
  }),
  /** The amount is back in the pool. */
  z.object({ type: z.literal('EpochRejected'), epochId: zHex32<EpochId>(), daoId, amountUnits: zAmount }),
  /** By vote: the contributors' part of receipts that nobody could divide is in the treasury. */
  z.object({
    type: z.literal('ReceiptsWrittenOff'),
    daoId,
    fromReceipt: zU64,
    toReceipt: zU64,
    amountUnits: zAmount,
  }),
  z.object({ type: z.literal('RunnerWithdrawn'), daoId, runnerId: zHex32<RunnerId>() }),
  z.object({
    type: z.literal('PayoutClaimed'),
    epochId: zHex32<EpochId>(),
    daoId,
    index: z.int(),
    account: zHex32<Address>(),
    amountUnits: zAmount,
  }),
  z.object({
    type: z.literal('EpochSwept'),
    epochId: zHex32<EpochId>(),
    daoId,
    unclaimedTo: z.enum(UNCLAIMED_TO),
    account: zHex32<Address>(),
    amountUnits: zAmount,
  }),
  z.object({
    type: z.literal('HolderSetRotated'),
    holderSetId: zHex32<HolderSetId>(),
    version: z.int(),
    members: z.array(
      z.object({ operator: zHex32<Address>(), signingPublicKey: zBase64(32), sealingPublicKey: zBase64(32) }),
    ),
    threshold: z.int(),
  }),
  z.object({
    type: z.literal('HolderTombstoned'),
    holderSetId: zHex32<HolderSetId>(),
    member: z.int(),
    signingPublicKey: zBase64(32),
  }),
  z.object({
    type: z.literal('ContributionTombstoned'),
    contributionId: zHex32<ContributionId>(),
    datasetId: zHex32<DatasetId>(),
    tombstonedAtMs: zTimestampMs,
  }),
  z.object({
    type: z.literal('DatasetTombstoned'),
    datasetId: zHex32<DatasetId>(),
    daoId,
    tombstonedAtMs: zTimestampMs,
  }),
  z.object({
    type: z.literal('AnswerRulesSet'),
    datasetId: zHex32<DatasetId>(),
    daoId,
    answerRules: zAnswerRules,
  }),
  z.object({
    type: z.literal('LeaseRenewed'),
    contributionId: zHex32<ContributionId>(),
    renewals: z.array(z.object({ blob: zHex32<Hex32>(), endEpoch: z.int() })),
  }),
  z.object({ type: z.literal('LicenceOffered'), offer: zLicenceOfferView }),
  z.object({
    type: z.literal('LicenceOfferWithdrawn'),
    offerId: zHex32<LicenceId>(),
    daoId,
    withdrawnAtMs: zTimestampMs,
  }),
  z.object({ type: z.literal('LicenceBought'), licence: zLicenceView, payouts: z.array(zPayout) }),
] as const;
