import { toUsufructError, type ContributionId, type DatasetId } from '@usufruct/kernel';
import type { ContributionView } from '@usufruct/protocol';
import { destroySuperseded } from '../lease/sweep.js';
import { rotateStorageIfDue } from '../keyring/rotate-storage.js';
import { mapSome } from '../reads.js';
import type { Holder } from '../holder.js';
import type { UnregisteredShare } from '../store/shares.js';
import { destroyShares } from './erase.js';

/** A week in which a client that was interrupted goes on. */
export const UNREGISTERED_TERM_MS = 7 * 24 * 60 * 60_000;

/**
 * Destroy the shares of everything that the chain says is retired, contribution by contribution or with its dataset,
 * asked or not: also what came back with an old backup, because it looks at what is here and not at what was done. And
 * those that nobody has registered in so long a time. A dataset that cannot be read now is looked at the next time;
 * nothing of it is released meanwhile without the same reading of the chain.
 */
export async function destroyRetired(holder: Holder, unregisteredTermMs = UNREGISTERED_TERM_MS): Promise<void> {
  const { erasures, scrubber, logger } = holder;
  // Before anything else is read: what is not there then was not registered up to that time.
  const seenUntilMs = await chainTimeMs(holder);
  for (const [datasetId, here] of erasures.contributionsByDataset()) {
    try {
      await destroyOf(holder, datasetId, here, seenUntilMs - unregisteredTermMs);
    } catch (error) {
      logger.warn('erasure.sweep.failed', { datasetId, code: toUsufructError(error).code });
    }
  }
  // Also what an earlier process, or a re-sharing, destroyed and did not get to look for.
  await scrubber.finish();
}

/**
 * By the newest event that this holder's node shows, not only by our clock: a node that is behind does not show what was
 * registered, and neither does one that lacks what this holder has anchored. 0, the beginning, while that is not known.
 */
async function chainTimeMs({ caughtUp, clock }: Holder): Promise<number> {
  try {
    return Math.min(await caughtUp.latestEventMs(), clock.nowMs());
  } catch {
    return 0;
  }
}

async function destroyOf(
  holder: Holder,
  datasetId: DatasetId,
  here: readonly ContributionId[],
  unregisteredBeforeMs: number,
): Promise<void> {
  const { chain, shares, scrubber, logger } = holder;
  const ids = new Set(here);
  const contributions = await chain.contributionsOf(datasetId);
  const { tombstonedAtMs: datasetEndedAtMs } = await chain.dataset(datasetId);
  const retired = contributions.flatMap((contribution): ContributionView[] => {
    const tombstonedAtMs = contribution.tombstonedAtMs ?? datasetEndedAtMs;
    return ids.has(contribution.id) && tombstonedAtMs !== null ? [{ ...contribution, tombstonedAtMs }] : [];
  });
  await mapSome(retired, (contribution) => destroyShares(holder, contribution));
  const { registered, others } = split(shares.unregistered(datasetId), contributions);
  if (registered.length > 0) shares.markRegistered(registered.map(({ manifestDigest }) => manifestDigest));
  // Nobody registers anything in a dataset that is retired.
  const isOver = ({ storedAtMs }: UnregisteredShare) => datasetEndedAtMs !== null || storedAtMs <= unregisteredBeforeMs;
  const over = others.filter(isOver);
  const count = over.length === 0 ? 0 : shares.giveUp(over, scrubber);
  if (count > 0) logger.info('shares.given_up', { datasetId, shares: count });
}

/** Those of manifests that the chain has, and the rest: of contributions that it has under another manifest, too. */
function split(
  shares: readonly UnregisteredShare[],
  contributions: readonly ContributionView[],
): Record<'registered' | 'others', UnregisteredShare[]> {
  const known = new Map(contributions.map(({ id, manifestDigest }) => [id, manifestDigest]));
  const parts: Record<'registered' | 'others', UnregisteredShare[]> = { registered: [], others: [] };
  for (const share of shares) {
    parts[known.get(share.contributionId) === share.manifestDigest ? 'registered' : 'others'].push(share);
  }
  return parts;
}

/** What fails in the one keeps nothing of the other back. */
async function sweepOnce(holder: Holder, unregisteredTermMs: number): Promise<void> {
  for (const work of [
    () => destroyRetired(holder, unregisteredTermMs),
    () => destroySuperseded(holder),
    () => rotateStorageIfDue(holder),
  ]) {
    try {
      await work();
    } catch (error) {
      holder.logger.error('erasure.sweep.failed', { code: toUsufructError(error).code });
    }
  }
}

/** At once, then every so often until stopped; `stop` waits for the one that is under way. */
export function startErasing(
  holder: Holder,
  { intervalMs, unregisteredTermMs }: { readonly intervalMs: number; readonly unregisteredTermMs: number },
): { stop(): Promise<void> } {
  let running: Promise<void> | null = null;
  const sweep = (): void => {
    running ??= sweepOnce(holder, unregisteredTermMs).finally(() => {
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
