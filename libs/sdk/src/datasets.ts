import type { DaoId, DatasetId } from '@usufruct/kernel';
import { COMPUTATION_KINDS, PROTECTION_KINDS, zAmount, zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import { connectionOf, everyNode, PAGE_INFO } from './api/connections.js';
import { operation } from './api/graphql.js';
import type { ClientContext } from './context.js';

const zListedDataset = z.object({
  datasetId: zHex32<DatasetId>(),
  title: z.string().nullable(),
  description: z.string().nullable(),
  contributionCount: z.int(),
  dao: z.object({
    daoId: zHex32<DaoId>(),
    title: z.string().nullable(),
    policy: z.object({
      pricePerQuestionUnits: zAmount,
      purposes: z.array(z.string()),
      kinds: z.array(z.enum(COMPUTATION_KINDS)),
      protections: z.array(z.enum(PROTECTION_KINDS)),
      maxJobTermMs: z.int(),
    }),
  }),
});
/** As the API's catalogue has it: titles and descriptions are words of other people, and prices are asked of the chain before anything is paid. */
export type ListedDataset = z.output<typeof zListedDataset>;

const DATASETS = operation<{ after: string | null }>()(
  `query ListedDatasets($after: String) { datasets(first: 50, after: $after) { ${PAGE_INFO} edges { node {
    datasetId title description contributionCount dao { daoId title policy {
      pricePerQuestionUnits purposes kinds protections maxJobTermMs } } } } } }`,
  z.object({ datasets: connectionOf(zListedDataset) }),
);

/** Every dataset that the API's catalogue lists. */
export const listDatasets = ({ api }: ClientContext): Promise<ListedDataset[]> =>
  everyNode(async (after) => (await api.request(DATASETS, { after })).datasets);
