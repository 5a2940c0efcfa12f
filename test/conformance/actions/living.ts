import type { DatasetId } from '@usufruct/kernel';
import type { DatasetView } from '@usufruct/protocol';
import type { Play } from '../play/actor.js';
import { RETIRED } from './voting.js';

/** Of the datasets that were retired where that is the twist, else of the others; by chance sometimes any. */
export function someDataset({ ledger, random }: Play, twist: string | null): DatasetView | null {
  const isAsTold = ({ tombstonedAtMs }: DatasetView): boolean => (tombstonedAtMs !== null) === (twist === RETIRED);
  return random.mostly(ledger.all('dataset'), isAsTold, twist === null ? 0.9 : 1);
}

/** What belongs to the dataset can be chosen: as above, by chance any. */
export function isLivingAsTold({ ledger }: Play, datasetId: DatasetId, twist: string | null): boolean {
  const isRetired = ledger.read('dataset', datasetId)!.tombstonedAtMs !== null;
  return twist === null || isRetired === (twist === RETIRED);
}
