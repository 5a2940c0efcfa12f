import type { DatasetId } from '@usufruct/kernel';
import type { DatasetCard } from '../../data/catalogue.js';
import { Field } from '../../ui/field.js';
import { datasetLabels } from './dataset-labels.js';

interface DatasetSelectProps {
  readonly datasets: readonly DatasetCard[];
  readonly chosen: DatasetId | undefined;
  readonly onChange: (datasetId: DatasetId) => void;
}

export function DatasetSelect({ datasets, chosen, onChange }: DatasetSelectProps) {
  const labels = datasetLabels(datasets);
  return (
    <Field label="Dataset">
      {(props) => (
        <select
          {...props}
          value={chosen ?? ''}
          onChange={(event) => {
            const dataset = datasets.find(({ datasetId }) => datasetId === event.target.value);
            if (dataset !== undefined) onChange(dataset.datasetId);
          }}
        >
          {chosen === undefined && <option value="">Choose a dataset…</option>}
          {datasets.map((dataset) => (
            <option key={dataset.datasetId} value={dataset.datasetId}>
              {labels.get(dataset.datasetId)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** The dataset that the address names, else the only one there is. */
export function startingDataset(datasets: readonly DatasetCard[], named: string | null): DatasetCard | undefined {
  const found = datasets.find(({ datasetId }) => datasetId === named);
  return found ?? (datasets.length === 1 ? datasets[0] : undefined);
}
