import type { DatasetId } from '@usufruct/kernel';
import { deriveId, type ChainActionPayloads } from '@usufruct/protocol';
import { isMember } from './membership.js';
import { requireOpen } from './pause.js';
import { mustFind, requireNew, requireRole, type Room } from './room.js';

export function createDataset(room: Room, { salt, daoId, metadataHash }: ChainActionPayloads['createDataset']): void {
  requireOpen(mustFind(room, 'dao', daoId));
  requireRole(isMember(room, daoId, room.sender), 'member');
  const id = deriveId<DatasetId>('dataset', daoId, room.sender, salt);
  requireNew(room, 'dataset', id);
  const dataset = { id, daoId, metadataHash, contributionCount: 0, tombstonedAtMs: null };
  room.draft.write('dataset', id, dataset);
  room.emit({ type: 'DatasetCreated', dataset });
}
