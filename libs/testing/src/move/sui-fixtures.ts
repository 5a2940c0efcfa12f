import { suiObjects } from '@usufruct/chain';
import {
  asAmount,
  asTimestampMs,
  asWeight,
  type Address,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type EpochId,
  type Digest,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
  type ProposalId,
  type QuestionId,
  type RunnerId,
  type SignerId,
} from '@usufruct/kernel';
import {
  daoPolicyDigest,
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  EpochStatementBcs,
  HolderRotationBcs,
  RunnerStatementBcs,
  UsageReceiptBcs,
  type ChainAction,
  type ChainActionKind,
  type DaoPolicy,
  type ProposalEffect,
  type ProposalEffectKind,
} from '@usufruct/protocol';
import { aPolicy, someTerms } from '../builders.js';
import { idOf, TEST_NOW_MS } from '../values.js';
import { testWallet } from '../wallet.js';
import type { SuiWorld } from './sui-world.js';

export const SUI_IDS = {
  holderSet: idOf<HolderSetId>('holder-set'),
  dao: idOf<DaoId>('dao'),
  dataset: idOf<DatasetId>('dataset'),
  contribution: idOf<ContributionId>('contribution'),
  grant: idOf<GrantId>('grant'),
  job: idOf<JobId>('job'),
  proposal: idOf<ProposalId>('proposal'),
  epoch: idOf<EpochId>('epoch'),
};
export const SUI_POLICY: DaoPolicy = aPolicy({ appraisal: { ...aPolicy().appraisal, profiles: ['tdx'] } });
const key = (byte: number) => new Uint8Array(32).fill(byte);
const signature = new Uint8Array(64).fill(3);
const digest = idOf<Digest>('a digest');
const salt = idOf<Hex32>('a salt');
const later = asTimestampMs(TEST_NOW_MS + 60_000);
const blob = { blob: idOf<Hex32>('a blob'), sizeBytes: 1_000, endEpoch: 9 };
const member = (byte: number) => ({
  operator: idOf<Address>(`operator ${byte}`),
  signingPublicKey: key(byte),
  sealingPublicKey: key(byte + 100),
});
const sui = (name: string) => idOf<Hex32>(`object of ${name}`);

/** One of everything: a holder set, a DAO with a dataset, a contribution, a grant, a funded job and a proposal. */
export function settle(world: SuiWorld): void {
  const founder = testWallet('founder').address;
  const { coinType } = world.settings;
  const { holderSet, dao, dataset, contribution, grant, job, proposal, epoch } = SUI_IDS;
  const lists = {
    operators: [idOf<Address>('operator 1')],
    signing_public_keys: [key(1)],
    sealing_public_keys: [key(101)],
  };
  const policy_digest = daoPolicyDigest(SUI_POLICY);
  const about = {
    purpose: SUI_POLICY.purposes[0]!,
    kind: 0,
    protection: 0,
    policy_version: 1,
    payout_mode: 0,
    max_questions: 5,
  };
  const price = { price_per_question_units: SUI_POLICY.pricePerQuestionUnits, split: SUI_POLICY.split };
  const ends = { voting_ends_at_ms: later, executable_from_ms: later, executable_until_ms: later };
  const effect = Uint8Array.of(11); // unpause, which has no fields
  world.happened(
    ['HolderSetCreated', { object: sui('holder-set'), holder_set_id: holderSet, ...lists, threshold: 1 }],
    [
      'DaoCreated',
      {
        object: sui('dao'),
        dao_id: dao,
        founder,
        coin: coinType.slice(2),
        policy: SUI_POLICY,
        policy_digest,
        metadata_hash: digest,
        governance: DEFAULT_GOVERNANCE,
        payout_rules: DEFAULT_PAYOUT_RULES,
      },
    ],
    ['MemberAdded', { dao_id: dao, member: founder, roles: 7, ordinal: 0 }],
    ['DatasetCreated', { object: sui('dataset'), dataset_id: dataset, dao_id: dao, metadata_hash: digest }],
    [
      'ContributionRegistered',
      {
        contribution_id: contribution,
        dataset_id: dataset,
        owner: founder,
        manifest_digest: digest,
        manifest_blob: { blob: blob.blob, size_bytes: 10, end_epoch: 9 },
        parts: [{ blob: blob.blob, size_bytes: 10, end_epoch: 9 }],
        holder_set_id: holderSet,
        policy_digest,
      },
    ],
    [
      'GrantGiven',
      {
        grant_id: grant,
        contribution_id: contribution,
        grantor: founder,
        terms: someTerms(),
        given_at_ms: TEST_NOW_MS,
      },
    ],
    [
      'JobFunded',
      {
        object: sui('job'),
        job_id: job,
        dao_id: dao,
        dataset_id: dataset,
        requester: founder,
        ...about,
        ...price,
        escrow_units: asAmount(5_000_000n),
        client_public_key: key(5),
        funded_at_ms: TEST_NOW_MS,
        expires_at_ms: later,
      },
    ],
    [
      'ProposalCreated',
      {
        object: sui('proposal'),
        proposal_id: proposal,
        dao_id: dao,
        number: 1,
        proposer: founder,
        effect,
        description_hash: digest,
        governance: DEFAULT_GOVERNANCE,
        member_count: 1,
        total_votes: 1n,
        created_at_ms: TEST_NOW_MS,
        ...ends,
      },
    ],
    [
      'EpochProposed',
      {
        object: sui('epoch'),
        epoch_id: epoch,
        dao_id: dao,
        number: 1n,
        attempt: 1,
        settler: idOf<RunnerId>('settler'),
        from_receipt: 1n,
        to_receipt: 3n,
        total_units: asAmount(900n),
        root: digest,
        leaf_count: 2,
        proposed_at_ms: TEST_NOW_MS,
        challenge_ends_at_ms: later,
        claim_term_ms: 60_000,
        unclaimed_to: 0,
      },
    ],
  );
  placeObjects(world, founder);
}

const NOTHING = { held: { value: asAmount(0n) }, deposited_units: 0n, withdrawn_units: 0n };

function placeObjects(world: SuiWorld, founder: Address): void {
  for (const [name, type] of [
    ['holder-set', 'holder_set::HolderSet'],
    ['dataset', 'dataset::Dataset'],
    ['job', `job::Job<${world.coin}>`],
  ] as const) {
    world.sui.objects.set(sui(name), { type });
  }
  const empty = (name: string) => ({ id: idOf<Hex32>(name), size: 0 });
  world.object(sui('dao'), suiObjects.daoObject, {
    id: sui('dao'),
    version: 1,
    dao_id: SUI_IDS.dao,
    founder,
    metadata_hash: digest,
    policy: SUI_POLICY,
    policy_version: 1,
    policy_digest: daoPolicyDigest(SUI_POLICY),
    governance: DEFAULT_GOVERNANCE,
    payout_rules: DEFAULT_PAYOUT_RULES,
    proposal_count: 1,
    membership: {
      members: empty('members'),
      checkpoints: empty('checkpoints'),
      administrators: 1,
      earned_units: asAmount(0n),
    },
    applications: empty('applications'),
    treasury: NOTHING,
    runners: { runners: empty('runners'), withdrawn: empty('withdrawn') },
    signers: { signers: empty('signers') },
    receipt_pool: {
      held: NOTHING,
      receipt_count: 0n,
      marks: empty('marks'),
      covered_receipts: 0n,
      epoch_count: 0n,
      attempts: empty('attempts'),
      window_ends_at_ms: 0,
    },
    taken: empty('taken'),
    paused: false,
  });
  world.object(sui('proposal'), suiObjects.proposalObject, {
    id: sui('proposal'),
    version: 1,
    proposal_id: SUI_IDS.proposal,
    dao_id: SUI_IDS.dao,
    number: 1,
    proposer: founder,
    effect: { kind: 'unpause' },
    description_hash: digest,
    governance: DEFAULT_GOVERNANCE,
    member_count: 1,
    total_votes: 1n,
    yes_votes: 0n,
    no_votes: 0n,
    abstain_votes: 0n,
    voting_ends_at_ms: later,
    executable_from_ms: later,
    executable_until_ms: later,
    executed: false,
    choices: empty('choices'),
  });
  world.object(sui('epoch'), suiObjects.epochObject, {
    id: sui('epoch'),
    version: 1,
    epoch_id: SUI_IDS.epoch,
    dao_id: SUI_IDS.dao,
    number: 1n,
    attempt: 1,
    settler: idOf<RunnerId>('settler'),
    from_receipt: 1n,
    root: digest,
    leaf_count: 2,
    held: NOTHING,
    claimed: empty('claimed'),
    state: 0,
    holder_set_id: SUI_IDS.holderSet,
    objections_at_most: 0,
    objections: new Uint8Array(),
    challenge_ms: 60_000,
    challenge_ends_at_ms: later,
    claim_term_ms: 60_000,
    unclaimed_to: 0,
  });
  const pauseCap = suiObjects.pauseCapObject.bcs.serialize({ id: sui('pause cap'), dao_id: SUI_IDS.dao }).toBytes();
  world.owned(sui('pause cap'), 'data_dao::PauseCap', founder, 0n, pauseCap);
}

const statement = RunnerStatementBcs.serialize({
  chainId: 'sui:x',
  daoId: SUI_IDS.dao,
  profile: 'tdx',
  measurement: 'ab'.repeat(48),
  signingPublicKey: key(6),
  hpkePublicKey: key(7),
  appraisalPolicyDigest: digest,
  payTo: idOf<Address>('runner'),
  issuedAtMs: TEST_NOW_MS,
  expiresAtMs: later,
}).toBytes();
const rotation = HolderRotationBcs.serialize({
  chainId: 'sui:x',
  holderSetId: SUI_IDS.holderSet,
  version: 2,
  members: [member(1)],
  threshold: 1,
}).toBytes();
export const SUI_RECEIPT = UsageReceiptBcs.serialize({
  chainId: 'sui:x',
  packageId: idOf<Hex32>('package'),
  registryId: idOf<Hex32>('registry'),
  jobId: SUI_IDS.job,
  questionId: idOf<QuestionId>('question'),
  signerKind: 'tee',
  signerPublicKey: key(6),
  evidenceDigest: digest,
  codeHash: digest,
  modelHash: digest,
  attributionMethod: 'cited-bm25/v1',
  usesCommitment: digest,
  resultCommitment: digest,
  budgetSpentMicroEpsilon: 0n,
  priceUnits: asAmount(1_000_000n),
  issuedAtMs: TEST_NOW_MS,
}).toBytes();
const epochStatement = EpochStatementBcs.serialize({
  chainId: 'sui:x',
  packageId: idOf<Hex32>('package'),
  registryId: idOf<Hex32>('registry'),
  daoId: SUI_IDS.dao,
  number: 1n,
  attempt: 1,
  fromReceipt: 1n,
  toReceipt: 3n,
  receiptChain: digest,
  totalUnits: asAmount(900n),
  root: digest,
  leafCount: 2,
  settlerPublicKey: key(6),
  issuedAtMs: TEST_NOW_MS,
}).toBytes();
const signatures = [{ member: 0, signature }];

/** One of each action that the contracts have, of the DAO's founder. */
export const SUI_ACTIONS: { readonly [K in ChainActionKind]?: Extract<ChainAction, { kind: K }> } = {
  transfer: { kind: 'transfer', to: idOf<Address>('friend'), amountUnits: asAmount(7n) },
  createHolderSet: { kind: 'createHolderSet', salt, members: [member(1), member(2)], threshold: 2 },
  createDao: {
    kind: 'createDao',
    salt,
    policy: SUI_POLICY,
    metadataHash: digest,
    governance: DEFAULT_GOVERNANCE,
    payoutRules: DEFAULT_PAYOUT_RULES,
  },
  setPolicy: { kind: 'setPolicy', daoId: SUI_IDS.dao, expectedVersion: 1, policy: SUI_POLICY },
  createDataset: { kind: 'createDataset', salt, daoId: SUI_IDS.dao, metadataHash: digest },
  registerContribution: {
    kind: 'registerContribution',
    salt,
    datasetId: SUI_IDS.dataset,
    manifestDigest: digest,
    manifestBlob: blob,
    parts: [blob, blob],
    holderSetId: SUI_IDS.holderSet,
    policyDigest: digest,
  },
  decideContribution: { kind: 'decideContribution', contributionId: SUI_IDS.contribution, accept: true },
  giveGrant: { kind: 'giveGrant', salt, contributionId: SUI_IDS.contribution, terms: someTerms() },
  revokeGrant: { kind: 'revokeGrant', grantId: SUI_IDS.grant },
  registerRunner: { kind: 'registerRunner', statement, signatures },
  fundJob: {
    kind: 'fundJob',
    salt,
    datasetId: SUI_IDS.dataset,
    purpose: SUI_POLICY.purposes[0]!,
    computation: 'rag',
    protection: 'tee',
    policyVersion: 1,
    pricePerQuestionUnits: asAmount(1_000_000n),
    maxQuestions: 3,
    termMs: 60_000,
    clientPublicKey: key(5),
  },
  settleReceipt: {
    kind: 'settleReceipt',
    receipt: SUI_RECEIPT,
    signature,
    usesSalt: salt,
    uses: [{ contributionId: SUI_IDS.contribution, grantId: SUI_IDS.grant, weight: asWeight(1n) }],
  },
  closeJob: { kind: 'closeJob', jobId: SUI_IDS.job },
  expireJob: { kind: 'expireJob', jobId: SUI_IDS.job },
  anchorTreeHead: {
    kind: 'anchorTreeHead',
    holderSetId: SUI_IDS.holderSet,
    member: 0,
    treeHead: new Uint8Array(81),
    signature,
  },
  applyForMembership: { kind: 'applyForMembership', daoId: SUI_IDS.dao, statementHash: digest },
  decideApplication: {
    kind: 'decideApplication',
    daoId: SUI_IDS.dao,
    applicant: idOf<Address>('friend'),
    accept: true,
  },
  setRoles: { kind: 'setRoles', daoId: SUI_IDS.dao, member: idOf<Address>('friend'), roles: 4 },
  pauseDao: { kind: 'pauseDao', daoId: SUI_IDS.dao },
  propose: { kind: 'propose', salt, daoId: SUI_IDS.dao, effect: { kind: 'unpause' }, descriptionHash: digest },
  vote: { kind: 'vote', proposalId: SUI_IDS.proposal, choice: 'yes' },
  executeProposal: { kind: 'executeProposal', proposalId: SUI_IDS.proposal },
  settlePrivately: { kind: 'settlePrivately', receipt: SUI_RECEIPT, signature },
  proposeEpoch: { kind: 'proposeEpoch', statement: epochStatement, settlerSignature: signature, signatures },
  objectToEpoch: { kind: 'objectToEpoch', epochId: SUI_IDS.epoch, member: 0 },
  proveEquivocation: {
    kind: 'proveEquivocation',
    epochId: SUI_IDS.epoch,
    statement: epochStatement,
    settlerSignature: signature,
  },
  claimPayout: {
    kind: 'claimPayout',
    epochId: SUI_IDS.epoch,
    index: 1,
    account: idOf<Address>('friend'),
    amountUnits: asAmount(5n),
    salt,
    proof: [digest, digest],
  },
  sweepEpoch: { kind: 'sweepEpoch', epochId: SUI_IDS.epoch },
  rotateHolderSet: { kind: 'rotateHolderSet', rotation, signatures },
  tombstoneHolder: { kind: 'tombstoneHolder', holderSetId: SUI_IDS.holderSet, member: 0 },
};

/** One of each effect of a proposal. */
export const SUI_EFFECTS: { readonly [K in ProposalEffectKind]?: Extract<ProposalEffect, { kind: K }> } = {
  setPrice: { kind: 'setPrice', pricePerQuestionUnits: asAmount(2n) },
  setPurposes: { kind: 'setPurposes', purposes: ['DUO:0000042'] },
  setSplit: { kind: 'setSplit', split: SUI_POLICY.split },
  approveMeasurement: { kind: 'approveMeasurement', measurement: 'cd'.repeat(48) },
  withdrawMeasurement: { kind: 'withdrawMeasurement', measurement: 'cd'.repeat(48) },
  setVerifiers: { kind: 'setVerifiers', holderSetId: SUI_IDS.holderSet, verifierThreshold: 1 },
  setTerms: {
    kind: 'setTerms',
    kinds: ['rag', 'train'],
    protections: ['tee'],
    profiles: ['tdx'],
    resultTermMs: 60_000,
    maxJobTermMs: 60_000,
  },
  setGovernance: { kind: 'setGovernance', governance: DEFAULT_GOVERNANCE },
  setPayoutRules: { kind: 'setPayoutRules', payoutRules: DEFAULT_PAYOUT_RULES },
  spendTreasury: { kind: 'spendTreasury', to: idOf<Address>('friend'), amountUnits: asAmount(1n) },
  setRoles: { kind: 'setRoles', member: idOf<Address>('friend'), roles: 4 },
  unpause: { kind: 'unpause' },
  registerSigner: {
    kind: 'registerSigner',
    signerKind: 'fhe-host',
    publicKeys: [key(8)],
    payTo: idOf<Address>('host'),
  },
  withdrawSigner: { kind: 'withdrawSigner', signerId: idOf<SignerId>('signer') },
};
