import type { DatasetId } from '@usufruct/kernel';
import { shortId } from '../../app/format.js';
import { titleOf, type DatasetCard } from '../../data/catalogue.js';

/** What a dataset is called beside others: anybody may take a title that another has, so then the id tells them apart. */
export function datasetLabels(
  datasets: readonly (Pick<DatasetCard, 'datasetId' | 'title'> & { readonly dao: Pick<DatasetCard['dao'], 'title'> })[],
): ReadonlyMap<DatasetId, string> {
  const names = datasets.map(
    (dataset) => `${titleOf(dataset, shortId(dataset.datasetId))} · ${titleOf(dataset.dao, 'unnamed DAO')}`,
  );
  return new Map(
    datasets.map(({ datasetId }, i) => {
      const isAlone = names.filter((name) => name === names[i]).length === 1;
      return [datasetId, isAlone ? names[i]! : `${names[i]!} (${shortId(datasetId)})`];
    }),
  );
}
