import { refuse } from '@usufruct/kernel';
import type { ChainActionPayloads } from '@usufruct/protocol';
import type { DaoRecord } from './collections.js';
import type { EffectRule } from './effect-rule.js';
import { mustFind, requireRole, type Room } from './room.js';

/** A pause stops everything but leaving and deciding: closing, expiring, revoking, policy, roles and votes go on. */
export function requireOpen(dao: DaoRecord): void {
  if (dao.paused) throw refuse('DAO_PAUSED', { daoId: dao.id });
}

/** One way: only a vote unpauses. The founder holds what is a capability on Sui. */
export function pauseDao(room: Room, { daoId }: ChainActionPayloads['pauseDao']): void {
  const dao = mustFind(room, 'dao', daoId);
  requireRole(room.sender === dao.founder, 'founder');
  requireOpen(dao);
  room.draft.write('dao', daoId, { ...dao, paused: true });
  room.emit({ type: 'DaoPaused', daoId });
}

export const unpause: EffectRule<'unpause'> = {
  check: () => undefined,
  apply: (room, { daoId }) => {
    const dao = mustFind(room, 'dao', daoId);
    if (!dao.paused) throw refuse('INVALID_ARGUMENT', { field: 'effect', expected: 'a DAO that is paused' });
    room.draft.write('dao', daoId, { ...dao, paused: false });
    room.emit({ type: 'DaoUnpaused', daoId });
  },
};
