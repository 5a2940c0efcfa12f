import type { DatasetEntry } from '@usufruct/sdk';
import { formatTime } from '../../app/format.js';
import { Id } from '../../ui/id.js';
import { decisionWords } from './decision-words.js';

const KEYS = { index: 'key of an index over the dataset', checkpoint: 'key of checkpoints of training' } as const;
const OUTPUTS = { model: 'a trained model', statistics: 'statistics' } as const;

const aboutOf = (entry: DatasetEntry): string =>
  entry.type === 'lease' ? KEYS[entry.leaf.keyKind] : OUTPUTS[entry.leaf.outputKind];

/** What one holder decided about all contributions of the dataset together; nothing where there was nothing. */
export function DatasetEntries({ entries }: { readonly entries: readonly DatasetEntry[] }) {
  if (entries.length === 0) return null;
  return (
    <details data-testid="dataset-entries">
      <summary>About the whole dataset, yours included: {entries.length}</summary>
      <ul>
        {entries.map((entry) => (
          <li key={`${entry.leaf.jobId}/${entry.leaf.atMs}/${entry.leaf.decision}`}>
            {formatTime(entry.leaf.atMs)}: {aboutOf(entry)}, {decisionWords(entry.leaf.decision)}, session{' '}
            <Id value={entry.leaf.jobId} what="session id" />
          </li>
        ))}
      </ul>
    </details>
  );
}
