import type { PortalClient } from '../app/client.js';
import { useLoaded, type Loaded } from '../app/use-task.js';
import { CONTRIBUTIONS, DAOS, DATASETS, type ContributionCard, type DaoCard, type DatasetCard } from './catalogue.js';
import { readAll } from './page.js';

export const useDatasets = (client: PortalClient): Loaded<DatasetCard[]> =>
  useLoaded('datasets', () => readAll(async (after) => (await client.api.request(DATASETS, { after })).datasets));

export const useDaos = (client: PortalClient): Loaded<DaoCard[]> =>
  useLoaded('daos', () => readAll(async (after) => (await client.api.request(DAOS, { after })).daos));

export type ContributionFilter = Partial<Pick<ContributionCard, 'datasetId' | 'owner' | 'state'>>;

export const useContributions = (client: PortalClient, filter: ContributionFilter): Loaded<ContributionCard[]> =>
  useLoaded(`contributions ${JSON.stringify(filter)}`, () =>
    readAll(async (after) => {
      const variables = { datasetId: null, owner: null, state: null, ...filter, after };
      return (await client.api.request(CONTRIBUTIONS, variables)).contributions;
    }),
  );
