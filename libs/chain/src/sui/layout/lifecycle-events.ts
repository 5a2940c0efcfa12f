import type { ContributionId, DaoId, DatasetId, HolderSetId, LicenceId } from '@usufruct/kernel';
import { account, answerRules, hex, payout, timeMs } from './common.js';
import { licenceTerms } from './licence.js';
import { address, bytes, objectId, struct, u32, u8, vector } from './move-types.js';

const holderSetId = address<HolderSetId>();
const contributionId = address<ContributionId>();
const datasetId = address<DatasetId>();
const daoId = address<DaoId>();
const licenceId = address<LicenceId>();
export const leaseRenewal = struct('blob_reference::LeaseRenewal', { blob: hex, end_epoch: u32 });

export const LIFECYCLE_EVENT_LAYOUTS = {
  HolderSetRotated: struct('lifecycle_events::HolderSetRotated', {
    holder_set_id: holderSetId,
    version: u32,
    operators: vector(account),
    signing_public_keys: vector(bytes),
    sealing_public_keys: vector(bytes),
    threshold: u8,
  }),
  HolderTombstoned: struct('lifecycle_events::HolderTombstoned', {
    holder_set_id: holderSetId,
    member: u8,
    signing_public_key: bytes,
  }),
  ContributionTombstoned: struct('lifecycle_events::ContributionTombstoned', {
    contribution_id: contributionId,
    dataset_id: datasetId,
    tombstoned_at_ms: timeMs,
  }),
  DatasetTombstoned: struct('lifecycle_events::DatasetTombstoned', {
    dataset_id: datasetId,
    dao_id: daoId,
    tombstoned_at_ms: timeMs,
  }),
  AnswerRulesSet: struct('lifecycle_events::AnswerRulesSet', {
    dataset_id: datasetId,
    dao_id: daoId,
    answer_rules: answerRules,
  }),
  LeaseRenewed: struct('lifecycle_events::LeaseRenewed', {
    contribution_id: contributionId,
    renewals: vector(leaseRenewal),
  }),
  LicenceOffered: struct('lifecycle_events::LicenceOffered', {
    offer_id: licenceId,
    dao_id: daoId,
    terms: licenceTerms,
  }),
  LicenceOfferWithdrawn: struct('lifecycle_events::LicenceOfferWithdrawn', {
    offer_id: licenceId,
    dao_id: daoId,
    withdrawn_at_ms: timeMs,
  }),
  LicenceBought: struct('lifecycle_events::LicenceBought', {
    object: objectId,
    licence_id: licenceId,
    offer_id: licenceId,
    dao_id: daoId,
    licensee: account,
    terms: licenceTerms,
    bought_at_ms: timeMs,
    expires_at_ms: timeMs,
    payouts: vector(payout),
  }),
};
