import { suiObjects } from '@usufruct/chain';
import {
  asAmount,
  asTimestampMs,
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
  type LicenceId,
  type ProposalId,
  type RunnerId,
} from '@usufruct/kernel';
import {
  daoPolicyDigest,
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  type DaoPolicy,
  type ProposalEffect,
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
  offer: idOf<LicenceId>('offer'),
};
export const SUI_POLICY: DaoPolicy = aPolicy({ appraisal: { ...aPolicy().appraisal, profiles: ['tdx'] } });
/** Each of them another number. */
export const SUI_ANSWER_RULES = { maxQuoteChars: 70_000, minContributors: 300, maxReachBps: 2_500 };
export const keyOf = (byte: number) => new Uint8Array(32).fill(byte);
export const SUI_DIGEST = idOf<Digest>('a digest');
export const SUI_LATER = asTimestampMs(TEST_NOW_MS + 60_000);
export const SUI_BLOB = { blob: idOf<Hex32>('a blob'), sizeBytes: 1_000, endEpoch: 9 };
const licenceTerms = {
  dataset_id: SUI_IDS.dataset,
  purpose: 'DUO:0000042',
  kind: 0,
  protection: 0,
  price_units: asAmount(5n),
  term_ms: 60_000,
};
/** Under which id Sui knows it. */
export const objectOf = (name: string) => idOf<Hex32>(`object of ${name}`);

/** One of everything: a holder set, a DAO with a dataset, a contribution, a grant, a funded job and a proposal. */
export function settle(world: SuiWorld): void {
  const founder = testWallet('founder').address;
  const { coinType } = world.settings;
  const { holderSet, dao, dataset, contribution, grant, job, proposal, epoch, offer } = SUI_IDS;
  const lists = {
    operators: [idOf<Address>('operator 1')],
    signing_public_keys: [keyOf(1)],
    sealing_public_keys: [keyOf(101)],
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
  const ends = { voting_ends_at_ms: SUI_LATER, executable_from_ms: SUI_LATER, executable_until_ms: SUI_LATER };
  const effect = Uint8Array.of(11); // unpause, which has no fields
  world.happened(
    ['HolderSetCreated', { object: objectOf('holder-set'), holder_set_id: holderSet, ...lists, threshold: 1 }],
    [
      'DaoCreated',
      {
        object: objectOf('dao'),
        dao_id: dao,
        founder,
        coin: coinType.slice(2),
        policy: SUI_POLICY,
        policy_digest,
        metadata_hash: SUI_DIGEST,
        governance: DEFAULT_GOVERNANCE,
        payout_rules: DEFAULT_PAYOUT_RULES,
      },
    ],
    ['MemberAdded', { dao_id: dao, member: founder, roles: 7, ordinal: 0 }],
    [
      'DatasetCreated',
      {
        object: objectOf('dataset'),
        dataset_id: dataset,
        dao_id: dao,
        metadata_hash: SUI_DIGEST,
        answer_rules: SUI_ANSWER_RULES,
      },
    ],
    [
      'ContributionRegistered',
      {
        contribution_id: contribution,
        dataset_id: dataset,
        owner: founder,
        manifest_digest: SUI_DIGEST,
        manifest_blob: { blob: SUI_BLOB.blob, size_bytes: 10, end_epoch: 9 },
        parts: [{ blob: SUI_BLOB.blob, size_bytes: 10, end_epoch: 9 }],
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
        object: objectOf('job'),
        job_id: job,
        dao_id: dao,
        dataset_id: dataset,
        requester: founder,
        ...about,
        ...price,
        escrow_units: asAmount(5_000_000n),
        client_public_key: keyOf(5),
        funded_at_ms: TEST_NOW_MS,
        expires_at_ms: SUI_LATER,
      },
    ],
    [
      'ProposalCreated',
      {
        object: objectOf('proposal'),
        proposal_id: proposal,
        dao_id: dao,
        number: 1,
        proposer: founder,
        effect,
        description_hash: SUI_DIGEST,
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
        object: objectOf('epoch'),
        epoch_id: epoch,
        dao_id: dao,
        number: 1n,
        attempt: 1,
        settler: idOf<RunnerId>('settler'),
        from_receipt: 1n,
        to_receipt: 3n,
        total_units: asAmount(900n),
        root: SUI_DIGEST,
        leaf_count: 2,
        proposed_at_ms: TEST_NOW_MS,
        challenge_ends_at_ms: SUI_LATER,
        claim_term_ms: 60_000,
        unclaimed_to: 0,
      },
    ],
    ['LicenceOffered', { offer_id: offer, dao_id: dao, terms: licenceTerms }],
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
    world.sui.objects.set(objectOf(name), { type });
  }
  const empty = (name: string) => ({ id: idOf<Hex32>(name), size: 0 });
  world.object(objectOf('dao'), suiObjects.daoObject, {
    id: objectOf('dao'),
    version: 1,
    dao_id: SUI_IDS.dao,
    founder,
    metadata_hash: SUI_DIGEST,
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
  proposes(world, { kind: 'unpause' });
  world.object(objectOf('epoch'), suiObjects.epochObject, {
    id: objectOf('epoch'),
    version: 1,
    epoch_id: SUI_IDS.epoch,
    dao_id: SUI_IDS.dao,
    number: 1n,
    attempt: 1,
    settler: idOf<RunnerId>('settler'),
    from_receipt: 1n,
    root: SUI_DIGEST,
    leaf_count: 2,
    held: NOTHING,
    claimed: empty('claimed'),
    state: 0,
    holder_set_id: SUI_IDS.holderSet,
    verifier_threshold: 1,
    objections: [],
    challenge_ms: 60_000,
    challenge_ends_at_ms: SUI_LATER,
    claim_term_ms: 60_000,
    unclaimed_to: 0,
  });
  const pauseCap = suiObjects.pauseCapObject.bcs
    .serialize({ id: objectOf('pause cap'), dao_id: SUI_IDS.dao })
    .toBytes();
  world.owned(objectOf('pause cap'), 'data_dao::PauseCap', founder, 0n, pauseCap);
}

/** Makes the proposal one of this effect. */
export function proposes(world: SuiWorld, effect: ProposalEffect): void {
  world.object(objectOf('proposal'), suiObjects.proposalObject, {
    id: objectOf('proposal'),
    version: 1,
    proposal_id: SUI_IDS.proposal,
    dao_id: SUI_IDS.dao,
    number: 1,
    proposer: testWallet('founder').address,
    effect,
    description_hash: SUI_DIGEST,
    governance: DEFAULT_GOVERNANCE,
    member_count: 1,
    total_votes: 1n,
    yes_votes: 0n,
    no_votes: 0n,
    abstain_votes: 0n,
    voting_ends_at_ms: SUI_LATER,
    executable_from_ms: SUI_LATER,
    executable_until_ms: SUI_LATER,
    executed_at_ms: null,
    choices: { id: idOf<Hex32>('choices'), size: 0 },
  });
}
