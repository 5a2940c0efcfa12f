import type { Actor } from '../play/actor.js';
import * as move from '../play/move-text.js';

/** Who holds the PauseCap of a DAO there is its founder here, who never gives it away; another founder has another one. */
export const pauseDao: Actor = {
  kind: 'pauseDao',
  weight: 0.3,
  twists: ['paused', 'with the cap of another'],
  before: { paused: ['pauseDao'], 'with the cap of another': ['createDao'] },
  attempt({ ledger, random }, twist) {
    const daos = ledger.all('dao').filter(({ paused }) => paused === (twist === 'paused'));
    if (daos.length === 0) return null;
    const { id: daoId, founder } = random.pick(daos);
    const another = ledger.all('dao').find((one) => one.founder !== founder);
    const held = twist === 'with the cap of another' ? another : { id: daoId, founder };
    if (held === undefined) return null;
    const call = move.call('stage_daos::pause_dao', ...[held.founder, daoId, held.id].map(move.address));
    return { sender: held.founder, action: { kind: 'pauseDao', daoId }, call };
  },
  refusals: { 'FORBIDDEN founder': ['data_dao::EWrongCap'], DAO_PAUSED: ['data_dao::EPaused'] },
};
