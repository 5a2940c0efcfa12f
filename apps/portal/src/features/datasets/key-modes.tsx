import type { DatasetId } from '@usufruct/kernel';
import { countKeyModes, explainKeyModes } from '@usufruct/sdk';
import type { ActiveAccount } from '../../app/portal.js';
import { useLoaded } from '../../app/use-task.js';

interface KeyModesProps {
  readonly account: ActiveAccount;
  readonly datasetId: DatasetId;
}

/** Who gives out the keys of a dataset's contributions, by their manifests; the weaker mode says that it is weaker. */
export function KeyModes({ account, datasetId }: KeyModesProps) {
  const read = useLoaded(datasetId, () => account.client.datasets.keyModes(datasetId));
  if (read.data === undefined) return <>{read.error === undefined ? 'being read' : 'not known'}</>;
  const lines = explainKeyModes(countKeyModes(read.data));
  return <span data-testid="key-modes">{lines.length === 0 ? 'none yet' : lines.join('; ')}</span>;
}
