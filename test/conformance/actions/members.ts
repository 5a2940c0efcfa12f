import type { Address, DaoId } from '@usufruct/kernel';
import type { MemberView } from '@usufruct/protocol';
import type { Play } from '../play/actor.js';
import { EVERYBODY, STRANGER } from '../play/cast.js';

/** The members of a DAO, in order of joining. */
export const membersOf = ({ ledger }: Play, daoId: DaoId): MemberView[] =>
  ledger
    .entries('member')
    .filter(([key]) => key.startsWith(`${daoId}/`))
    .map(([, member]) => member);

/** Somebody who has the role, or anybody where nobody has it. */
export function holderOf(play: Play, daoId: DaoId, role: number): Address {
  const members = membersOf(play, daoId);
  const holders = members.filter(({ roles }) => (roles & role) !== 0);
  return play.random.pick(holders.length > 0 ? holders : members).address;
}

/** Somebody who is no member. */
export function outsiderOf(play: Play, daoId: DaoId): Address {
  const members = new Set(membersOf(play, daoId).map(({ address }) => address));
  const outsiders = EVERYBODY.filter((account) => !members.has(account));
  return outsiders.length > 0 ? play.random.pick(outsiders) : STRANGER;
}
