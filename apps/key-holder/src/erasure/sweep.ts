import { toUsufructError } from '@usufruct/kernel';
import { destroySuperseded } from '../lease/sweep.js';
import { rotateStorageIfDue } from '../keyring/rotate-storage.js';
import { mapSome } from '../reads.js';
import type { Holder } from '../holder.js';
import { destroyShares } from './erase.js';

/**
 * Destroy the shares of everything that the chain says is retired, asked or not: also what came back with an old
 * backup, because it looks at what is here and not at what was done. A dataset that cannot be read now is looked at the
 * next time; nothing of it is released meanwhile without the same reading of the chain.
 */
export async function destroyRetired(holder: Holder): Promise<void> {
  const { chain, erasures, scrubber, logger } = holder;
  for (const [datasetId, here] of erasures.contributionsByDataset()) {
    try {
      const ids = new Set(here);
      const contributions = await chain.contributionsOf(datasetId);
      const retired = contributions.filter(({ id, tombstonedAtMs }) => ids.has(id) && tombstonedAtMs !== null);
      await mapSome(retired, (contribution) => destroyShares(holder, contribution));
    } catch (error) {
      logger.warn('erasure.sweep.failed', { datasetId, code: toUsufructError(error).code });
    }
  }
  // Also what an earlier process, or a re-sharing, destroyed and did not get to look for.
  await scrubber.finish();
}

/** What fails in the one keeps nothing of the other back. */
async function sweepOnce(holder: Holder): Promise<void> {
  for (const work of [destroyRetired, destroySuperseded, rotateStorageIfDue]) {
    try {
      await work(holder);
    } catch (error) {
      holder.logger.error('erasure.sweep.failed', { code: toUsufructError(error).code });
    }
  }
}

/** At once, then every so often until stopped; `stop` waits for the one that is under way. */
export function startErasing(holder: Holder, intervalMs: number): { stop(): Promise<void> } {
  let running: Promise<void> | null = null;
  const sweep = (): void => {
    running ??= sweepOnce(holder).finally(() => {
      running = null;
    });
  };
  sweep();
  const timer = setInterval(sweep, intervalMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
