import type {
  Address,
  ContributionId,
  DaoId,
  DatasetId,
  Digest,
  GrantId,
  Hex32,
  HolderSetId,
  JobId,
  QuestionId,
  RunnerId,
} from '@usufruct/kernel';
import { z } from 'zod';
import { zAnswerRules } from './answer-rules.js';
import { EVIDENCE_PROFILES } from './attestation-types.js';
import {
  BLOB_LIFETIMES,
  CHAIN_JOB_STATES,
  COMPUTATION_KINDS,
  ON_REVOCATION,
  PAYOUT_MODES,
  PROTECTION_KINDS,
} from './codes.js';
import { GOVERNANCE_EVENTS } from './governance-events.js';
import { zGovernance, zPayoutRules, zRevenueSplit } from './governance-views.js';
import { zPayout } from './payout-views.js';
import { UPGRADE_EVENTS } from './upgrade-events.js';
import { zAmount, zBase64, zHex32, zTimestampMs, zU64, zWeight } from './wire.js';

/** Typed views of the objects on the chain, as every party reads them for itself. Bytes are base64 on the wire. */
export const zAppraisalPolicy = z.object({
  version: z.int(),
  profiles: z.array(z.enum(EVIDENCE_PROFILES)),
  measurements: z.array(z.string()),
  resultTermMs: z.int(),
});
export const zDaoPolicy = z.object({
  pricePerQuestionUnits: zAmount,
  purposes: z.array(z.string()),
  kinds: z.array(z.enum(COMPUTATION_KINDS)),
  protections: z.array(z.enum(PROTECTION_KINDS)),
  split: zRevenueSplit,
  holderSetId: zHex32<HolderSetId>(),
  appraisal: zAppraisalPolicy,
  verifierThreshold: z.int(),
  maxJobTermMs: z.int(),
  onRevocation: z.enum(ON_REVOCATION),
  blobs: z.enum(BLOB_LIFETIMES),
  selfQueriesPay: z.boolean(),
});
export const zDaoView = z.object({
  id: zHex32<DaoId>(),
  founder: zHex32<Address>(),
  /** The account that holds the DAO's treasury; no key exists for it. */
  treasury: zHex32<Address>(),
  policyVersion: z.int(),
  policy: zDaoPolicy,
  policyDigest: zHex32<Digest>(),
  metadataHash: zHex32<Digest>(),
  members: z.array(zHex32<Address>()),
  governance: zGovernance,
  payoutRules: zPayoutRules,
  paused: z.boolean(),
  proposalCount: z.int(),
});
export const zDatasetView = z.object({
  id: zHex32<DatasetId>(),
  daoId: zHex32<DaoId>(),
  metadataHash: zHex32<Digest>(),
  contributionCount: z.int(),
  answerRules: zAnswerRules,
  /** By vote, for good: nothing new is done with it. */
  tombstonedAtMs: zTimestampMs.nullable(),
});
export const CONTRIBUTION_STATES = ['proposed', 'accepted', 'declined'] as const;
export const zBlobReference = z.object({ blob: zHex32<Hex32>(), sizeBytes: z.int(), endEpoch: z.int() });
export const zContributionView = z.object({
  id: zHex32<ContributionId>(),
  datasetId: zHex32<DatasetId>(),
  owner: zHex32<Address>(),
  state: z.enum(CONTRIBUTION_STATES),
  manifestDigest: zHex32<Digest>(),
  manifestBlob: zBlobReference,
  parts: z.array(zBlobReference),
  holderSetId: zHex32<HolderSetId>(),
  policyDigest: zHex32<Digest>(),
  /** By its owner, for good: no key of it may be released again. */
  tombstonedAtMs: zTimestampMs.nullable(),
});
export const zGrantTerms = z.object({
  purposes: z.array(z.string()),
  kinds: z.array(z.enum(COMPUTATION_KINDS)),
  protections: z.array(z.enum(PROTECTION_KINDS)),
  priceFloorUnits: zAmount,
  budgetMicroEpsilon: zU64,
  expiresAtMs: zTimestampMs,
});
export const zGrantView = z.object({
  id: zHex32<GrantId>(),
  contributionId: zHex32<ContributionId>(),
  grantor: zHex32<Address>(),
  terms: zGrantTerms,
  givenAtMs: zTimestampMs,
  revokedAtMs: zTimestampMs.nullable(),
});
export const zHolderMember = z.object({
  operator: zHex32<Address>(),
  signingPublicKey: zBase64(32),
  sealingPublicKey: zBase64(32),
});
export const zHolderSetView = z.object({
  id: zHex32<HolderSetId>(),
  members: z.array(zHolderMember),
  threshold: z.int(),
  /** From 1; each rotation makes the next. */
  version: z.int(),
  /** Signing keys of members who were retired for good: they count for nothing and cannot come back. */
  tombstonedKeys: z.array(zBase64(32)),
});
export const zRunnerView = z.object({
  id: zHex32<RunnerId>(),
  daoId: zHex32<DaoId>(),
  profile: z.string(),
  measurement: z.string(),
  signingPublicKey: zBase64(32),
  hpkePublicKey: zBase64(32),
  appraisalPolicyDigest: zHex32<Digest>(),
  payTo: zHex32<Address>(),
  expiresAtMs: zTimestampMs,
});
export const zJobView = z.object({
  id: zHex32<JobId>(),
  daoId: zHex32<DaoId>(),
  datasetId: zHex32<DatasetId>(),
  requester: zHex32<Address>(),
  purpose: z.string(),
  kind: z.enum(COMPUTATION_KINDS),
  protection: z.enum(PROTECTION_KINDS),
  policyVersion: z.int(),
  pricePerQuestionUnits: zAmount,
  /** As the policy had it when the job was funded: nobody changes who is paid afterwards. */
  split: zRevenueSplit,
  /** As the DAO's payout rules had it when the job was funded. */
  payoutMode: z.enum(PAYOUT_MODES),
  maxQuestions: z.int(),
  questionsSettled: z.int(),
  escrowUnits: zAmount,
  clientPublicKey: zBase64(32),
  state: z.enum(CHAIN_JOB_STATES),
  fundedAtMs: zTimestampMs,
  expiresAtMs: zTimestampMs,
});
export const zUse = z.object({
  contributionId: zHex32<ContributionId>(),
  grantId: zHex32<GrantId>(),
  weight: zWeight,
});

export type DaoView = z.output<typeof zDaoView>;
export type DatasetView = z.output<typeof zDatasetView>;
export type ContributionView = z.output<typeof zContributionView>;
export type GrantView = z.output<typeof zGrantView>;
export type HolderSetView = z.output<typeof zHolderSetView>;
export type HolderMemberView = HolderSetView['members'][number];
export type RunnerView = z.output<typeof zRunnerView>;
export type JobView = z.output<typeof zJobView>;

export const zChainInfo = z.object({
  chainId: z.string().max(64),
  packageId: zHex32<Hex32>(),
  registryId: zHex32<Hex32>(),
  coin: z.object({ type: z.string(), symbol: z.string(), decimals: z.int() }),
  /** The account that receives the protocol's part. */
  protocolAccount: zHex32<Address>(),
  /** True for the local ledger. */
  standIn: z.boolean(),
});
export type ChainInfo = z.output<typeof zChainInfo>;

/** Every change of state, complete enough that a projection can be rebuilt from events alone. */
export const zChainEventData = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Minted'), to: zHex32<Address>(), amountUnits: zAmount }),
  z.object({ type: z.literal('Transferred'), from: zHex32<Address>(), to: zHex32<Address>(), amountUnits: zAmount }),
  z.object({ type: z.literal('HolderSetCreated'), holderSet: zHolderSetView }),
  z.object({ type: z.literal('DaoCreated'), dao: zDaoView }),
  z.object({
    type: z.literal('PolicySet'),
    daoId: zHex32<DaoId>(),
    version: z.int(),
    policy: zDaoPolicy,
    policyDigest: zHex32<Digest>(),
  }),
  z.object({ type: z.literal('DatasetCreated'), dataset: zDatasetView }),
  z.object({ type: z.literal('ContributionRegistered'), contribution: zContributionView }),
  z.object({
    type: z.literal('ContributionDecided'),
    contributionId: zHex32<ContributionId>(),
    datasetId: zHex32<DatasetId>(),
    daoId: zHex32<DaoId>(),
    state: z.enum(CONTRIBUTION_STATES),
    owner: zHex32<Address>(),
  }),
  z.object({ type: z.literal('GrantGiven'), grant: zGrantView }),
  z.object({
    type: z.literal('GrantRevoked'),
    grantId: zHex32<GrantId>(),
    contributionId: zHex32<ContributionId>(),
    revokedAtMs: zTimestampMs,
  }),
  z.object({ type: z.literal('RunnerRegistered'), runner: zRunnerView }),
  z.object({ type: z.literal('JobFunded'), job: zJobView }),
  z.object({
    type: z.literal('ReceiptSettled'),
    jobId: zHex32<JobId>(),
    questionId: zHex32<QuestionId>(),
    receiptDigest: zHex32<Digest>(),
    priceUnits: zAmount,
    uses: z.array(zUse),
    payouts: z.array(zPayout),
    questionsSettled: z.int(),
    escrowLeftUnits: zAmount,
  }),
  z.object({
    type: z.literal('JobClosed'),
    jobId: zHex32<JobId>(),
    state: z.enum(CHAIN_JOB_STATES),
    refundedTo: zHex32<Address>(),
    refundUnits: zAmount,
  }),
  z.object({
    type: z.literal('TreeHeadAnchored'),
    holderSetId: zHex32<HolderSetId>(),
    member: z.int(),
    treeSize: z.int(),
    rootHash: zHex32<Digest>(),
  }),
  ...GOVERNANCE_EVENTS,
  ...UPGRADE_EVENTS,
]);
export const zChainEvent = z.object({
  /** Position in the stream, from 1, without gaps. */
  seq: z.int(),
  transaction: zHex32<Digest>(),
  sender: zHex32<Address>(),
  atMs: zTimestampMs,
  data: zChainEventData,
});
export type ChainEventData = z.output<typeof zChainEventData>;
export type ChainEvent = z.output<typeof zChainEvent>;

/** The outcome of a transaction that the chain knows. */
export const zTransactionOutcome = z.object({
  digest: zHex32<Digest>(),
  status: z.enum(['succeeded', 'failed']),
  /** A catalogue code, when it failed. */
  error: z.object({ code: z.string(), details: z.record(z.string(), z.string()) }).nullable(),
  events: z.array(zChainEvent),
  atMs: zTimestampMs,
});
export type TransactionOutcome = z.output<typeof zTransactionOutcome>;

/** Who was retired for good counts for nothing in a set. */
export const isLiving = (
  { tombstonedKeys }: Pick<HolderSetView, 'tombstonedKeys'>,
  { signingPublicKey }: Pick<HolderMemberView, 'signingPublicKey'>,
): boolean => !tombstonedKeys.includes(signingPublicKey);
export const livingMembers = (set: HolderSetView): HolderMemberView[] =>
  set.members.filter((member) => isLiving(set, member));
