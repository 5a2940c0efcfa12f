import type { Actor } from '../play/actor.js';
import * as move from '../play/move-text.js';

/** Whoever holds the PauseCap there is the founder here, who never gives it away: nobody else can even try. */
export const pauseDao: Actor = {
  kind: 'pauseDao',
  weight: 0.3,
  twists: ['paused'],
  before: { paused: ['pauseDao'] },
  attempt({ ledger, random }, twist) {
    const daos = ledger.all('dao').filter(({ paused }) => paused === (twist === 'paused'));
    if (daos.length === 0) return null;
    const { id: daoId, founder } = random.pick(daos);
    const call = move.call('pause_dao', move.address(founder), move.address(daoId));
    return { sender: founder, action: { kind: 'pauseDao', daoId }, call };
  },
  refusals: { DAO_PAUSED: ['data_dao::EPaused'] },
};
