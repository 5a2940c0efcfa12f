import { toUsufructError } from '@usufruct/kernel';
import type { LeasedKey } from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { readGrants } from './grants-seen.js';
import type { StoredKey } from './leased-key-store.js';
import { superseded } from './superseded.js';

/**
 * Destroy the shares of keys that nobody may have again, asked or not; in the files, too. What cannot be read now is
 * looked at the next time, and nothing of it is leased meanwhile without the same reading of the chain.
 */
export async function destroySuperseded(
  holder: Holder,
  keys: readonly StoredKey[] = holder.leasedKeys.living(),
): Promise<void> {
  const dead: StoredKey[] = [];
  for (const stored of keys) {
    try {
      if (stored.encrypted !== null && (await isOver(holder, stored.key))) dead.push(stored);
    } catch (error) {
      holder.logger.warn('lease.sweep.failed', { keyId: stored.keyId, code: toUsufructError(error).code });
    }
  }
  if (dead.length > 0) {
    holder.leasedKeys.destroy(dead.map(({ keyId }) => keyId));
    for (const { keyId } of dead) holder.logger.info('lease.destroyed', { keyId });
  }
  await holder.scrubber.finish();
}

async function isOver(holder: Holder, key: LeasedKey): Promise<boolean> {
  const { chain, clock } = holder;
  const [dao, dataset] = await Promise.all([chain.dao(key.daoId), chain.dataset(key.datasetId)]);
  if (dataset.tombstonedAtMs !== null) return true;
  if (key.keyKind === 'checkpoint' && (await chain.job(key.jobId)).state !== 'funded') return true;
  const set = await chain.holderSet(dao.policy.holderSetId);
  // By the use that it was made for: a job with another price sees other grants, and says nothing about this key.
  const nowMs = clock.nowMs();
  const grants = await readGrants(holder, key.datasetId, key, nowMs);
  return superseded(key, { grants, dao, set, nowMs }) !== null;
}
