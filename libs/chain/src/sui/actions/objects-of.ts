import type { TransactionObjectArgument } from '@mysten/sui/transactions';
import type {
  ContributionId,
  DaoId,
  DatasetId,
  EpochId,
  GrantId,
  HolderSetId,
  JobId,
  LicenceId,
  ProposalId,
} from '@usufruct/kernel';
import { refuse } from '@usufruct/kernel';
import { CLOCK, type Building } from './building.js';

/** The Sui objects of our ids, as arguments of a call, and the type of the DAO's coin. */
export interface DaoArgument {
  readonly dao: TransactionObjectArgument;
  readonly coin: string;
}
export interface DatasetArgument extends DaoArgument {
  readonly daoId: DaoId;
  readonly dataset: TransactionObjectArgument;
}

/** Refuses `NOT_FOUND` for what the chain does not have, and for what belongs to a DAO of another coin. */
export const objectsOf = (building: Pick<Building, 'tx' | 'settings' | 'index' | 'registered'>) => {
  const { tx, settings, index, registered } = building;
  const { objects } = index;

  const dao = (id: DaoId): DaoArgument => {
    const { object, coin } = objects.daos.find(id);
    if (coin !== settings.coinType) throw refuse('NOT_FOUND', { object: 'dao' });
    return { dao: tx.object(object), coin };
  };
  const dataset = (id: DatasetId): DatasetArgument => {
    const { object, daoId } = objects.datasets.find(id);
    return { ...dao(daoId), daoId, dataset: tx.object(object) };
  };
  const contribution = (id: ContributionId): DatasetArgument =>
    dataset(registered.get(id) ?? objects.contributions.find(id).datasetId);
  return {
    dao,
    dataset,
    contribution,
    grant: (id: GrantId) => contribution(objects.grants.find(id).contributionId),
    job: (id: JobId) => {
      const { object, datasetId } = objects.jobs.find(id);
      return { ...dataset(datasetId), job: tx.object(object) };
    },
    holderSet: (id: HolderSetId) => tx.object(objects.holderSets.find(id).object),
    proposal: (id: ProposalId) => {
      const { object, daoId } = objects.proposals.find(id);
      return { ...dao(daoId), daoId, proposal: tx.object(object) };
    },
    epoch: (id: EpochId) => {
      const { object, daoId } = objects.epochs.find(id);
      return { ...dao(daoId), epoch: tx.object(object) };
    },
    offer: (id: LicenceId) => dataset(objects.offers.find(id).datasetId),
    registry: () => tx.object(settings.registryId),
    clock: () => tx.object(CLOCK),
  };
};
