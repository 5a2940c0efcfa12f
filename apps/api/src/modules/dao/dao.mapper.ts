import { asId } from '@usufruct/kernel';
import { parseAnswer, zAnswerRules, zDaoPolicy, zGovernance, zPayoutRules, type DaoView } from '@usufruct/protocol';
import { globalId } from '../../platform/graphql/index.js';
import { toMs, toMsOrNull } from '../../platform/prisma/index.js';
import type { Dao, Dataset } from '../../platform/prisma/generated/client.js';
import type { DaoType, DatasetType } from './dao.types.js';

/** The chain's view of a DAO, less its members: there may be many, and they are in a table of their own. */
export type ProjectedDao = Omit<DaoView, 'members'>;

export const toDaoView = (row: Dao): ProjectedDao => ({
  id: asId(row.id, 'daoId'),
  founder: asId(row.founder, 'founder'),
  treasury: asId(row.treasury, 'treasury'),
  policyVersion: row.policyVersion,
  policy: parseAnswer(zDaoPolicy, row.policy, 'projection'),
  policyDigest: asId(row.policyDigest, 'policyDigest'),
  metadataHash: asId(row.metadataHash, 'metadataHash'),
  governance: parseAnswer(zGovernance, row.governance, 'projection'),
  payoutRules: parseAnswer(zPayoutRules, row.payoutRules, 'projection'),
  paused: row.paused,
  proposalCount: row.proposalCount,
});

export function toDao(row: Dao): DaoType {
  const { id, ...view } = toDaoView(row);
  return {
    __typename: 'Dao',
    ...view,
    id: globalId('Dao', id),
    daoId: id,
    createdAtMs: toMs(row.createdAt),
  };
}

export const toDataset = (row: Dataset): DatasetType => ({
  __typename: 'Dataset',
  id: globalId('Dataset', asId(row.id, 'datasetId')),
  datasetId: asId(row.id, 'datasetId'),
  daoId: asId(row.daoId, 'daoId'),
  metadataHash: asId(row.metadataHash, 'metadataHash'),
  answerRules: parseAnswer(zAnswerRules, row.answerRules, 'projection'),
  createdAtMs: toMs(row.createdAt),
  tombstonedAtMs: toMsOrNull(row.tombstonedAt),
});
