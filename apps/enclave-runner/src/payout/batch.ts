import type { TimestampMs } from '@usufruct/kernel';
import type { ReceiptRun } from './payout-store.js';

/** When enough waits that dividing it tells no more than it must. */
export interface BatchRules {
  /** So many receipts that pay somebody: claims are public, and those of an epoch of one receipt show its weights. */
  readonly leastReceipts: number;
  /** Or fewer, when the oldest that pays has waited so long since it was settled: nobody's money waits for ever. */
  readonly longestWaitMs: number;
  /** No epoch covers more. */
  readonly mostReceipts: number;
}

/**
 * How many of the first `reach` receipts make an epoch now; 0: wait. Free receipts wait for those that pay, except where
 * the run is as long as an epoch gets: then those in front of the first that pays go alone, for an epoch of zero, so
 * that any number of them holds up nothing and the ones that pay can become a batch.
 */
export function batchLength(
  { pooledUnits, settledAtMs }: Pick<ReceiptRun, 'pooledUnits' | 'settledAtMs'>,
  reach: number,
  { leastReceipts, longestWaitMs, mostReceipts }: BatchRules,
  nowMs: TimestampMs,
): number {
  const reached = pooledUnits.slice(0, reach);
  const first = reached.findIndex((units) => units > 0n);
  const isOld = first !== -1 && nowMs - settledAtMs[first]! >= longestWaitMs;
  const paying = reached.filter((units) => units > 0n).length;
  if (paying >= leastReceipts || isOld) return reached.length;
  const free = first === -1 ? reached.length : first;
  return pooledUnits.length === mostReceipts ? free : 0;
}
