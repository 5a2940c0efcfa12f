import { refuse, type ContributionId } from '@usufruct/kernel';
import { deriveId, LIMITS, type ChainActionPayloads } from '@usufruct/protocol';
import { requireBlob, requireInteger, SIGNED_MANIFEST_BYTES } from './guards.js';
import { addMember, requireHeld } from './membership.js';
import { requireOpen } from './pause.js';
import { mustFind, requireNew, type Room } from './room.js';
import { requireLiving } from './tombstone.js';

/** Anybody may propose a contribution; its holder set and policy must be the ones that the DAO has now. */
export function registerContribution(room: Room, action: ChainActionPayloads['registerContribution']): void {
  const { salt, datasetId, manifestDigest, manifestBlob, parts, holderSetId, policyDigest } = action;
  const dataset = mustFind(room, 'dataset', datasetId);
  const dao = mustFind(room, 'dao', dataset.daoId);
  requireOpen(dao);
  requireLiving(dataset);
  const id = deriveId<ContributionId>('contribution', datasetId, room.sender, salt);
  requireNew(room, 'contribution', id);
  if (policyDigest !== dao.policyDigest) throw refuse('POLICY_OUTDATED', { current: dao.policyDigest });
  if (holderSetId !== dao.policy.holderSetId) {
    throw refuse('INVALID_ARGUMENT', { field: 'holderSetId', expected: "the DAO's holder set" });
  }
  requireBlob(manifestBlob, SIGNED_MANIFEST_BYTES, 'manifestBlob');
  requireInteger(parts.length, 1, LIMITS.partsPerContribution, 'parts');
  for (const [index, part] of parts.entries()) requireBlob(part, LIMITS.partBytes, `parts.${index}`);
  requireInteger(dataset.contributionCount + 1, 1, LIMITS.contributionsPerDataset, 'contributions of the dataset');

  room.draft.write('dataset', datasetId, { ...dataset, contributionCount: dataset.contributionCount + 1 });
  const contribution = {
    id,
    datasetId,
    owner: room.sender,
    state: 'proposed' as const,
    manifestDigest,
    manifestBlob,
    parts,
    holderSetId,
    policyDigest,
    tombstonedAtMs: null,
  };
  room.draft.write('contribution', id, contribution, datasetId);
  room.emit({ type: 'ContributionRegistered', contribution });
}

/** Once, by a steward; whoever is accepted becomes a member. */
export function decideContribution(room: Room, action: ChainActionPayloads['decideContribution']): void {
  const contribution = mustFind(room, 'contribution', action.contributionId);
  const dataset = mustFind(room, 'dataset', contribution.datasetId);
  const { daoId } = dataset;
  requireOpen(mustFind(room, 'dao', daoId));
  requireLiving(dataset);
  requireHeld(room, daoId, 'steward');
  if (contribution.state !== 'proposed') throw refuse('ALREADY_DECIDED', { state: contribution.state });
  requireLiving(contribution);
  const state = action.accept ? ('accepted' as const) : ('declined' as const);
  room.draft.write('contribution', contribution.id, { ...contribution, state });
  if (action.accept) addMember(room, daoId, contribution.owner);
  const { id: contributionId, datasetId, owner } = contribution;
  room.emit({ type: 'ContributionDecided', contributionId, datasetId, daoId, state, owner });
}
