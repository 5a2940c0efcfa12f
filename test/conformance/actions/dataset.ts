import type { DatasetId, Digest } from '@usufruct/kernel';
import { deriveId } from '@usufruct/protocol';
import { saltOf, type Actor } from '../play/actor.js';
import { word } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { membersOf, outsiderOf } from './members.js';

export const createDataset: Actor = {
  kind: 'createDataset',
  weight: 1,
  twists: ['no member', 'taken', 'paused'],
  before: { paused: ['pauseDao'] },
  attempt(play, twist) {
    const { ledger, random } = play;
    const daos = ledger.all('dao');
    if (daos.length === 0) return null;
    const { id: daoId, founder } = random.pick(daos);
    const member = twist === 'taken' ? founder : random.pick(membersOf(play, daoId)).address;
    const sender = twist === 'no member' ? outsiderOf(play, daoId) : member;
    const idOf = (salt: `0x${string}`): DatasetId => deriveId<DatasetId>('dataset', daoId, sender, salt);
    const salt = saltOf(twist === 'taken', (one) => ledger.read('dataset', idOf(one)) !== undefined);
    if (salt === null) return null;
    const metadataHash = word<Digest>('metadata');
    const args = [sender, daoId, idOf(salt), salt, metadataHash].map(move.address);
    const call = move.call('stage_data::create_dataset', ...args);
    return { sender, action: { kind: 'createDataset', salt, daoId, metadataHash }, call };
  },
  refusals: {
    'FORBIDDEN member': ['data_dao::ERoleRequired'],
    DAO_PAUSED: ['data_dao::EPaused'],
    'ALREADY_EXISTS dataset': ['data_dao::EIdTaken'],
  },
};
