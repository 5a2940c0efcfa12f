import {
  asAmount,
  asTimestampMs,
  toBase64,
  type Address,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
  type ProposalId,
  type RunnerId,
} from '@usufruct/kernel';
import {
  daoPolicyDigest,
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  NO_ANSWER_RULES,
  type AppraisalPolicy,
  type ContributionView,
  type DaoView,
  type DatasetView,
  type GrantTerms,
  type GrantView,
  type HolderSetView,
  type JobView,
  type MemberView,
  type ProposalView,
  type RunnerView,
  type UsageReceipt,
} from '@usufruct/protocol';
import { idOf, TEST_NOW_MS } from './values.js';

/** Views of a small, valid world: one DAO, one dataset, one accepted contribution, one grant, one funded job. */
const HOUR_MS = 60 * 60_000;
export const TEST_MEASUREMENT = 'ab'.repeat(48);

export const anAppraisalPolicy = (changes: Partial<AppraisalPolicy> = {}): AppraisalPolicy => ({
  version: 1,
  profiles: ['software-dev'],
  measurements: [TEST_MEASUREMENT],
  resultTermMs: 10 * 60_000,
  ...changes,
});

type Policy = DaoView['policy'];
export const aPolicy = (changes: Partial<Policy> = {}): Policy => ({
  pricePerQuestionUnits: asAmount(1_000_000n),
  purposes: ['dpv:ResearchAndDevelopment', 'DUO:0000042'],
  kinds: ['rag'],
  protections: ['tee'],
  split: { contributorsBps: 8_000, treasuryBps: 1_000, runnerBps: 800, protocolBps: 200 },
  holderSetId: idOf<HolderSetId>('holder-set'),
  appraisal: { ...anAppraisalPolicy(), profiles: ['software-dev'], measurements: [TEST_MEASUREMENT] },
  verifierThreshold: 2,
  maxJobTermMs: HOUR_MS,
  onRevocation: 'finish',
  blobs: 'deletable',
  selfQueriesPay: false,
  ...changes,
});

export function aDao(changes: Partial<DaoView> = {}): DaoView {
  const policy = changes.policy ?? aPolicy();
  return {
    id: idOf<DaoId>('dao'),
    founder: idOf<Address>('founder'),
    treasury: idOf<Address>('treasury'),
    policyVersion: 1,
    policy,
    policyDigest: daoPolicyDigest(policy),
    metadataHash: idOf<Digest>('dao-metadata'),
    members: [idOf<Address>('founder')],
    governance: DEFAULT_GOVERNANCE,
    payoutRules: DEFAULT_PAYOUT_RULES,
    paused: false,
    proposalCount: 0,
    ...changes,
  };
}

export const aMember = (changes: Partial<MemberView> = {}): MemberView => ({
  address: idOf<Address>('founder'),
  roles: 7,
  ordinal: 0,
  earnedUnits: asAmount(0n),
  ...changes,
});

/** On its first day of voting, by default rules. */
export const aProposal = (changes: Partial<ProposalView> = {}): ProposalView => {
  const { voting, quorumBps, approvalBps, votingMs, timelockMs, executionMs } = DEFAULT_GOVERNANCE;
  const executableFromMs = TEST_NOW_MS + votingMs + timelockMs;
  return {
    id: idOf<ProposalId>('proposal'),
    daoId: idOf<DaoId>('dao'),
    number: 1,
    proposer: idOf<Address>('founder'),
    effect: { kind: 'setPrice', pricePerQuestionUnits: asAmount(2_000_000n) },
    descriptionHash: idOf<Digest>('proposal-description'),
    voting,
    quorumBps,
    approvalBps,
    memberCount: 1,
    totalVotes: 1n,
    yesVotes: 0n,
    noVotes: 0n,
    abstainVotes: 0n,
    createdAtMs: TEST_NOW_MS,
    votingEndsAtMs: asTimestampMs(TEST_NOW_MS + votingMs),
    executableFromMs: asTimestampMs(executableFromMs),
    executableUntilMs: asTimestampMs(executableFromMs + executionMs),
    executedAtMs: null,
    ...changes,
  };
};

export const aDataset = (changes: Partial<DatasetView> = {}): DatasetView => ({
  id: idOf<DatasetId>('dataset'),
  daoId: idOf<DaoId>('dao'),
  metadataHash: idOf<Digest>('dataset-metadata'),
  contributionCount: 1,
  answerRules: NO_ANSWER_RULES,
  tombstonedAtMs: null,
  ...changes,
});

export const aContribution = (changes: Partial<ContributionView> = {}): ContributionView => ({
  id: idOf<ContributionId>('contribution'),
  datasetId: idOf<DatasetId>('dataset'),
  owner: idOf<Address>('contributor'),
  state: 'accepted',
  manifestDigest: idOf<Digest>('manifest'),
  manifestBlob: { blob: idOf<Hex32>('manifest-blob'), sizeBytes: 1_000, endEpoch: 50 },
  parts: [{ blob: idOf<Hex32>('part'), sizeBytes: 4_000, endEpoch: 50 }],
  holderSetId: idOf<HolderSetId>('holder-set'),
  policyDigest: daoPolicyDigest(aPolicy()),
  tombstonedAtMs: null,
  ...changes,
});

type Terms = GrantView['terms'];
export const someTerms = (changes: Partial<GrantTerms> = {}): Terms => {
  const terms = {
    purposes: ['dpv:ResearchAndDevelopment'],
    kinds: ['rag'],
    protections: ['tee'],
    priceFloorUnits: asAmount(500_000n),
    budgetMicroEpsilon: 0n,
    expiresAtMs: asTimestampMs(TEST_NOW_MS + 24 * HOUR_MS),
    ...changes,
  };
  return {
    ...terms,
    purposes: [...terms.purposes],
    kinds: [...terms.kinds],
    protections: [...terms.protections],
  } as Terms;
};

export const aGrant = (changes: Partial<GrantView> = {}): GrantView => ({
  id: idOf<GrantId>('grant'),
  contributionId: idOf<ContributionId>('contribution'),
  grantor: idOf<Address>('contributor'),
  terms: someTerms(),
  givenAtMs: asTimestampMs(TEST_NOW_MS - HOUR_MS),
  revokedAtMs: null,
  ...changes,
});

export const aJob = (changes: Partial<JobView> = {}): JobView => ({
  id: idOf<JobId>('job'),
  daoId: idOf<DaoId>('dao'),
  datasetId: idOf<DatasetId>('dataset'),
  requester: idOf<Address>('enterprise'),
  purpose: 'dpv:ResearchAndDevelopment',
  kind: 'rag',
  protection: 'tee',
  policyVersion: 1,
  pricePerQuestionUnits: asAmount(1_000_000n),
  split: aPolicy().split,
  payoutMode: 'direct',
  maxQuestions: 10,
  questionsSettled: 0,
  escrowUnits: asAmount(10_000_000n),
  clientPublicKey: toBase64(new Uint8Array(32).fill(5)),
  state: 'funded',
  fundedAtMs: asTimestampMs(TEST_NOW_MS - 60_000),
  expiresAtMs: asTimestampMs(TEST_NOW_MS + HOUR_MS / 2),
  ...changes,
});

export const aHolderSet = (changes: Partial<HolderSetView> = {}): HolderSetView => ({
  id: idOf<HolderSetId>('holder-set'),
  members: [1, 2, 3].map((n) => ({
    operator: idOf<Address>(`operator-${n}`),
    signingPublicKey: toBase64(new Uint8Array(32).fill(n)),
    sealingPublicKey: toBase64(new Uint8Array(32).fill(10 + n)),
  })),
  threshold: 2,
  version: 1,
  tombstonedKeys: [],
  ...changes,
});

export const aRunner = (changes: Partial<RunnerView> = {}): RunnerView => ({
  id: idOf<RunnerId>('runner'),
  daoId: idOf<DaoId>('dao'),
  profile: 'software-dev',
  measurement: TEST_MEASUREMENT,
  signingPublicKey: toBase64(new Uint8Array(32).fill(31)),
  hpkePublicKey: toBase64(new Uint8Array(32).fill(32)),
  appraisalPolicyDigest: idOf<Digest>('appraisal-policy'),
  payTo: idOf<Address>('runner-wallet'),
  expiresAtMs: asTimestampMs(TEST_NOW_MS + 24 * HOUR_MS),
  ...changes,
});

/** Signed by nobody: what the job, the question and the price are is up to the test. */
export const aUsageReceipt = (about: Pick<UsageReceipt, 'jobId' | 'questionId' | 'priceUnits'>): UsageReceipt => ({
  chainId: 'chain',
  packageId: idOf('package'),
  registryId: idOf('registry'),
  signerKind: 'tee',
  signerPublicKey: new Uint8Array(32),
  evidenceDigest: idOf<Digest>('evidence'),
  codeHash: idOf<Digest>('code'),
  modelHash: idOf<Digest>('model'),
  attributionMethod: 'test/v1',
  usesCommitment: idOf<Digest>('uses'),
  resultCommitment: idOf<Digest>('result'),
  budgetSpentMicroEpsilon: 0n,
  issuedAtMs: TEST_NOW_MS,
  ...about,
});
