import { refuse, type DaoId, type DatasetId, type TimestampMs } from '@usufruct/kernel';
import type { ChainActionPayloads, ContributionView, DatasetView } from '@usufruct/protocol';
import type { EffectRule } from './effect-rule.js';
import { mustFind, requireSender, type Room } from './room.js';

type Retired = { readonly id: string; readonly tombstonedAtMs: TimestampMs | null };

/** Refuse what was retired for good. */
export function requireLiving(one: DatasetView | ContributionView): void {
  if (one.tombstonedAtMs !== null) throw tombstoned(one);
}

/** Not retired yet at `atMs`: what was answered before is paid. */
export function requireLivingAt(one: DatasetView | ContributionView, atMs: number): void {
  if (one.tombstonedAtMs !== null && one.tombstonedAtMs <= atMs) throw tombstoned(one);
}

const tombstoned = ({ id, tombstonedAtMs }: Retired) =>
  refuse('TOMBSTONED', { id, tombstonedAtMs: String(tombstonedAtMs) });

/**
 * By its owner, in any state, for good: no grant for it, no key of it, no pay for what is answered from here on. A pause
 * does not stop it.
 */
export function tombstoneContribution(room: Room, action: ChainActionPayloads['tombstoneContribution']): void {
  const contribution = mustFind(room, 'contribution', action.contributionId);
  requireSender(room, contribution.owner);
  requireLiving(contribution);
  const { id: contributionId, datasetId } = contribution;
  const tombstonedAtMs = room.nowMs;
  room.draft.write('contribution', contributionId, { ...contribution, tombstonedAtMs });
  room.emit({ type: 'ContributionTombstoned', contributionId, datasetId, tombstonedAtMs });
}

/**
 * The effect of a vote. No new contributions, grants and jobs, and holders release nothing of it; settling what was
 * answered before, closing, expiring and revoking go on.
 */
export const tombstoneDataset: EffectRule<'tombstoneDataset'> = {
  check: () => undefined,
  apply: (room, { daoId }, { datasetId }) => {
    const dataset = datasetOf(room, daoId, datasetId);
    requireLiving(dataset);
    const tombstonedAtMs = room.nowMs;
    room.draft.write('dataset', datasetId, { ...dataset, tombstonedAtMs });
    room.emit({ type: 'DatasetTombstoned', datasetId, daoId, tombstonedAtMs });
  },
};

/** A vote of this DAO is about a dataset of its own. */
export function datasetOf(room: Room, daoId: DaoId, datasetId: DatasetId): DatasetView {
  const dataset = mustFind(room, 'dataset', datasetId);
  if (dataset.daoId !== daoId) throw refuse('DATASET_MISMATCH', { datasetId });
  return dataset;
}
