import { bcs } from '@mysten/bcs';
import type { ContributionId } from '@usufruct/kernel';
import { bytes32, deriveId, u64Number } from '@usufruct/protocol';
import { call, longList, pure, type Builder } from './building.js';
import { objectsOf } from './objects-of.js';
import { answerRulesValue, blobValue, termsValue } from './values.js';

export const createDataset: Builder<'createDataset'> = (building, { salt, daoId, metadataHash, answerRules }) => {
  const { address } = pure(building);
  const { dao, coin } = objectsOf(building).dao(daoId);
  const args = [dao, address(salt), address(metadataHash), answerRulesValue(building, answerRules)];
  call(building, 'dataset::create', args, [coin]);
};

export const setAnswerRules: Builder<'setAnswerRules'> = (building, { datasetId, answerRules }) => {
  const { dataset, dao, coin } = objectsOf(building).dataset(datasetId);
  call(building, 'dataset::set_answer_rules', [dataset, dao, answerRulesValue(building, answerRules)], [coin]);
};

export const registerContribution: Builder<'registerContribution'> = (building, action) => {
  const { datasetId, salt, parts } = action;
  const { address } = pure(building);
  const { dataset, dao, coin } = objectsOf(building).dataset(datasetId);
  const args = [
    dataset,
    dao,
    address(salt),
    address(action.manifestDigest),
    blobValue(building, action.manifestBlob),
    longList(
      building,
      'address',
      bytes32(),
      parts.map(({ blob }) => blob),
      32,
    ),
    longList(
      building,
      'u64',
      u64Number(),
      parts.map(({ sizeBytes }) => sizeBytes),
      8,
    ),
    longList(
      building,
      'u32',
      bcs.u32(),
      parts.map(({ endEpoch }) => endEpoch),
      4,
    ),
    address(action.holderSetId),
    address(action.policyDigest),
  ];
  call(building, 'contribution::register', args, [coin]);
  building.registered.set(deriveId<ContributionId>('contribution', datasetId, building.sender, salt), datasetId);
};

export const decideContribution: Builder<'decideContribution'> = (building, { contributionId, accept }) => {
  const { address, bool } = pure(building);
  const { dataset, dao, coin } = objectsOf(building).contribution(contributionId);
  call(building, 'contribution::decide', [dataset, dao, address(contributionId), bool(accept)], [coin]);
};

export const giveGrant: Builder<'giveGrant'> = (building, { salt, contributionId, terms }) => {
  const { address } = pure(building);
  const { contribution, clock } = objectsOf(building);
  const { dataset } = contribution(contributionId);
  const args = [dataset, address(contributionId), address(salt), termsValue(building, terms), clock()];
  call(building, 'grant::give', args);
};

export const revokeGrant: Builder<'revokeGrant'> = (building, { grantId }) => {
  const { grant, clock } = objectsOf(building);
  call(building, 'grant::revoke', [grant(grantId).dataset, pure(building).address(grantId), clock()]);
};
