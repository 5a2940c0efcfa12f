import type { DatasetId } from '@usufruct/kernel';
import { deriveId, requireAnswerRules, type ChainActionPayloads } from '@usufruct/protocol';
import { isMember, requireHeld } from './membership.js';
import { requireOpen } from './pause.js';
import { mustFind, requireNew, requireRole, type Room } from './room.js';
import { requireLiving } from './tombstone.js';

export function createDataset(room: Room, action: ChainActionPayloads['createDataset']): void {
  const { salt, daoId, metadataHash, answerRules } = action;
  requireAnswerRules(answerRules);
  requireOpen(mustFind(room, 'dao', daoId));
  requireRole(isMember(room, daoId, room.sender), 'member');
  const id = deriveId<DatasetId>('dataset', daoId, room.sender, salt);
  requireNew(room, 'dataset', id);
  const dataset = {
    id,
    daoId,
    metadataHash,
    contributionCount: 0,
    answerRules: { ...answerRules },
    tombstonedAtMs: null,
  };
  room.draft.write('dataset', id, dataset);
  room.emit({ type: 'DatasetCreated', dataset });
}

/** By a steward, from the next answer on. What was answered before stays. */
export function setAnswerRules(room: Room, action: ChainActionPayloads['setAnswerRules']): void {
  const { datasetId } = action;
  requireAnswerRules(action.answerRules);
  const answerRules = { ...action.answerRules };
  const dataset = mustFind(room, 'dataset', datasetId);
  const { daoId } = dataset;
  requireOpen(mustFind(room, 'dao', daoId));
  requireLiving(dataset);
  requireHeld(room, daoId, 'steward');
  room.draft.write('dataset', datasetId, { ...dataset, answerRules });
  room.emit({ type: 'AnswerRulesSet', datasetId, daoId, answerRules });
}
