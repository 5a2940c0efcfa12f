import type {
  ContributionId,
  DaoId,
  DatasetId,
  GrantId,
  HolderSetId,
  JobId,
  QuestionId,
  RunnerId,
} from '@usufruct/kernel';
import {
  account,
  answerRules,
  blobReference,
  digest,
  governance,
  grantTerms,
  payout,
  payoutRules,
  policy,
  revenueSplit,
  timeMs,
  units,
  use,
} from './common.js';
import { BLOB_EVENT_LAYOUTS } from './blob-events.js';
import { GOVERNANCE_EVENT_LAYOUTS } from './governance-events.js';
import { LIFECYCLE_EVENT_LAYOUTS } from './lifecycle-events.js';
import { PAYOUT_EVENT_LAYOUTS } from './payout-events.js';
import { UPGRADE_EVENT_LAYOUTS } from './upgrade-events.js';
import { address, ascii, bool, bytes, count, objectId, string, struct, u32, u8, vector } from './move-types.js';

const daoId = address<DaoId>();
const datasetId = address<DatasetId>();
const contributionId = address<ContributionId>();
const holderSetId = address<HolderSetId>();
const jobId = address<JobId>();

/** Every event of the package, by the name of its struct. */
export const EVENT_LAYOUTS = {
  ...UPGRADE_EVENT_LAYOUTS,
  ...BLOB_EVENT_LAYOUTS,
  ...GOVERNANCE_EVENT_LAYOUTS,
  ...LIFECYCLE_EVENT_LAYOUTS,
  ...PAYOUT_EVENT_LAYOUTS,
  RegistryOpened: struct('events::RegistryOpened', { object: objectId, chain_id: string, protocol_account: account }),
  HolderSetCreated: struct('events::HolderSetCreated', {
    object: objectId,
    holder_set_id: holderSetId,
    operators: vector(account),
    signing_public_keys: vector(bytes),
    sealing_public_keys: vector(bytes),
    threshold: u8,
  }),
  TreeHeadAnchored: struct('events::TreeHeadAnchored', {
    holder_set_id: holderSetId,
    member: u8,
    tree_size: count(),
    root_hash: digest,
  }),
  DaoCreated: struct('events::DaoCreated', {
    object: objectId,
    dao_id: daoId,
    founder: account,
    coin: ascii,
    policy,
    policy_digest: digest,
    metadata_hash: digest,
    governance,
    payout_rules: payoutRules,
  }),
  PolicySet: struct('events::PolicySet', { dao_id: daoId, version: u32, policy, policy_digest: digest }),
  MembershipApplied: struct('events::MembershipApplied', { dao_id: daoId, applicant: account, statement_hash: digest }),
  MembershipDecided: struct('events::MembershipDecided', { dao_id: daoId, applicant: account, accepted: bool }),
  MemberAdded: struct('events::MemberAdded', { dao_id: daoId, member: account, roles: u8, ordinal: count() }),
  RolesSet: struct('events::RolesSet', { dao_id: daoId, member: account, roles: u8 }),
  DaoPaused: struct('events::DaoPaused', { dao_id: daoId }),
  RunnerRegistered: struct('events::RunnerRegistered', {
    runner_id: address<RunnerId>(),
    dao_id: daoId,
    profile: string,
    measurement: string,
    signing_public_key: bytes,
    hpke_public_key: bytes,
    appraisal_policy_digest: digest,
    pay_to: account,
    expires_at_ms: timeMs,
  }),
  DatasetCreated: struct('events::DatasetCreated', {
    object: objectId,
    dataset_id: datasetId,
    dao_id: daoId,
    metadata_hash: digest,
    answer_rules: answerRules,
  }),
  ContributionRegistered: struct('events::ContributionRegistered', {
    contribution_id: contributionId,
    dataset_id: datasetId,
    owner: account,
    manifest_digest: digest,
    manifest_blob: blobReference,
    parts: vector(blobReference),
    holder_set_id: holderSetId,
    policy_digest: digest,
  }),
  ContributionDecided: struct('events::ContributionDecided', {
    contribution_id: contributionId,
    dataset_id: datasetId,
    dao_id: daoId,
    state: u8,
    owner: account,
  }),
  GrantGiven: struct('events::GrantGiven', {
    grant_id: address<GrantId>(),
    contribution_id: contributionId,
    grantor: account,
    terms: grantTerms,
    given_at_ms: timeMs,
  }),
  GrantRevoked: struct('events::GrantRevoked', {
    grant_id: address<GrantId>(),
    contribution_id: contributionId,
    revoked_at_ms: timeMs,
  }),
  JobFunded: struct('events::JobFunded', {
    object: objectId,
    job_id: jobId,
    dao_id: daoId,
    dataset_id: datasetId,
    requester: account,
    purpose: string,
    kind: u8,
    protection: u8,
    policy_version: u32,
    price_per_question_units: units,
    split: revenueSplit,
    payout_mode: u8,
    max_questions: u32,
    escrow_units: units,
    client_public_key: bytes,
    funded_at_ms: timeMs,
    expires_at_ms: timeMs,
  }),
  ReceiptSettled: struct('events::ReceiptSettled', {
    job_id: jobId,
    question_id: address<QuestionId>(),
    receipt_digest: digest,
    price_units: units,
    uses: vector(use),
    payouts: vector(payout),
    questions_settled: u32,
    escrow_left_units: units,
  }),
  JobClosed: struct('events::JobClosed', { job_id: jobId, state: u8, refunded_to: account, refund_units: units }),
};
export type MoveEventName = keyof typeof EVENT_LAYOUTS;
