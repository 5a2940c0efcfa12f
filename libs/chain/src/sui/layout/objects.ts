import type { ContributionId, DaoId, DatasetId, GrantId, HolderSetId, JobId, ProposalId } from '@usufruct/kernel';
import {
  account,
  answerRules,
  blobReference,
  digest,
  effect,
  governance,
  grantTerms,
  hex,
  payoutRules,
  policy,
  revenueSplit,
  timeMs,
  units,
} from './common.js';
import {
  address,
  amount,
  bool,
  bytes,
  count,
  option,
  string,
  struct,
  table,
  u32,
  u8,
  uid,
  vector,
  type MoveStruct,
} from './move-types.js';
import { vault } from './money.js';
import { receiptPool, signers } from './payout-objects.js';

export * from './licence.js';
export * from './money.js';
export * from './payout-objects.js';
export * from './upgrade-objects.js';

/** The objects of our package as Sui stores them. */
export const registryObject = struct('registry::Registry', {
  id: uid,
  version: count(),
  chain_id: string,
  protocol_account: account,
  daos: table('address', '0x2::object::ID'),
  holder_sets: table('address', '0x2::object::ID'),
});

export const holderMember = struct('holder_set::Member', {
  operator: account,
  signing_public_key: bytes,
  sealing_public_key: bytes,
});
export const anchoredHead = struct('holder_set::AnchoredHead', { tree_size: count(), root_hash: digest });
export const holderSetObject = struct('holder_set::HolderSet', {
  id: uid,
  version: count(),
  holder_set_id: address<HolderSetId>(),
  set_version: u32,
  members: vector(holderMember),
  threshold: u8,
  heads: table('vector<u8>', 'holder_set::AnchoredHead'),
  tombstoned_keys: vector(bytes),
});

export const runner = struct('runner_registry::Runner', {
  profile: string,
  measurement: string,
  signing_public_key: bytes,
  hpke_public_key: bytes,
  appraisal_policy_digest: digest,
  pay_to: account,
  expires_at_ms: timeMs,
});
export const runnerRegistry = struct('runner_registry::RunnerRegistry', {
  runners: table('address', 'runner_registry::Runner'),
  withdrawn: table('address', 'bool'),
});
export const member = struct('membership::Member', {
  roles: u8,
  ordinal: count(),
  earned_units: units,
  proposals: count(),
  checkpoint_count: count(),
});
export const membership = struct('membership::Membership', {
  members: table('address', 'membership::Member'),
  checkpoints: table('membership::CheckpointKey', 'membership::Checkpoint'),
  administrators: count(),
  earned_units: units,
});
export const daoObject = struct('data_dao::Dao<T0>', {
  id: uid,
  version: count(),
  dao_id: address<DaoId>(),
  founder: account,
  metadata_hash: digest,
  policy,
  policy_version: u32,
  policy_digest: digest,
  governance,
  payout_rules: payoutRules,
  proposal_count: count(),
  membership,
  applications: table('address', 'address'),
  treasury: vault,
  runners: runnerRegistry,
  signers,
  receipt_pool: receiptPool,
  taken: table('address', 'bool'),
  paused: bool,
});

export const datasetObject = struct('dataset::Dataset', {
  id: uid,
  version: count(),
  dataset_id: address<DatasetId>(),
  dao_id: address<DaoId>(),
  metadata_hash: digest,
  contribution_count: count(),
  answer_rules: answerRules,
  tombstoned_at_ms: option(timeMs),
});
export const contributionKey = struct('contribution::ContributionKey', { contribution_id: address<ContributionId>() });
/** Of the dataset's dynamic object field under which a `Blob` object is in custody. */
export const blobKey = struct('blob_custody::BlobKey', { contribution_id: address<ContributionId>(), blob: hex });
export const contribution = struct('contribution::Contribution', {
  owner: account,
  state: u8,
  manifest_digest: digest,
  manifest_blob: blobReference,
  parts: vector(blobReference),
  holder_set_id: address<HolderSetId>(),
  policy_digest: digest,
  permanent_blobs: bool,
  tombstoned_at_ms: option(timeMs),
});
export const grantKey = struct('grant::GrantKey', { grant_id: address<GrantId>() });
export const grant = struct('grant::Grant', {
  contribution_id: address<ContributionId>(),
  grantor: account,
  terms: grantTerms,
  given_at_ms: timeMs,
  revoked_at_ms: option(timeMs),
  spent_micro_epsilon: count(),
});

export const jobObject = struct('job::Job<T0>', {
  id: uid,
  version: count(),
  job_id: address<JobId>(),
  dao_id: address<DaoId>(),
  dataset_id: address<DatasetId>(),
  requester: account,
  purpose: string,
  kind: u8,
  protection: u8,
  policy_version: u32,
  price_per_question_units: units,
  split: revenueSplit,
  payout_mode: u8,
  max_questions: u32,
  questions_settled: u32,
  escrow: vault,
  client_public_key: bytes,
  state: u8,
  funded_at_ms: timeMs,
  expires_at_ms: timeMs,
  consumed: table('address', 'address'),
});

/** What a dynamic field stores: its own id, its name, its value. */
export const field = <N, V>(name: MoveStruct<N> | { move: string; bcs: MoveStruct<N>['bcs'] }, value: MoveStruct<V>) =>
  struct(`0x2::dynamic_field::Field<${name.move}, ${value.move}>`, { id: uid, name, value });

export const pauseCapObject = struct('data_dao::PauseCap', { id: uid, dao_id: address<DaoId>() });

export const proposalObject = struct('proposal::Proposal', {
  id: uid,
  version: count(),
  proposal_id: address<ProposalId>(),
  dao_id: address<DaoId>(),
  number: count(),
  proposer: account,
  effect,
  description_hash: digest,
  governance,
  member_count: count(),
  total_votes: amount(),
  yes_votes: amount(),
  no_votes: amount(),
  abstain_votes: amount(),
  voting_ends_at_ms: timeMs,
  executable_from_ms: timeMs,
  executable_until_ms: timeMs,
  executed_at_ms: option(timeMs),
  choices: table('address', 'u8'),
});
