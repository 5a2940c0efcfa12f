import type { Digest } from '@usufruct/kernel';
import { ALL_ROLES, ROLES } from '@usufruct/protocol';
import type { DaoRecord } from '../../../apps/local-chain/src/machine/collections.js';
import type { Actor, Play } from '../play/actor.js';
import { EVERYBODY, word } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { holderOf, membersOf, outsiderOf } from './members.js';

const daoOf = ({ ledger, random }: Play): DaoRecord | null => {
  const daos = ledger.all('dao');
  return daos.length === 0 ? null : random.pick(daos);
};

export const applyForMembership: Actor = {
  kind: 'applyForMembership',
  weight: 1,
  twists: ['member', 'applied', 'paused'],
  before: { applied: ['applyForMembership'], paused: ['pauseDao'] },
  attempt(play, twist) {
    const { ledger, random } = play;
    const dao = daoOf(play);
    if (dao === null) return null;
    const hasApplied = (account: string): boolean => ledger.read('application', `${dao.id}/${account}`) !== undefined;
    const members = new Set(membersOf(play, dao.id).map(({ address }) => address));
    const from = EVERYBODY.filter(
      (account) => members.has(account) === (twist === 'member') && hasApplied(account) === (twist === 'applied'),
    );
    if (from.length === 0) return null;
    const sender = random.pick(from);
    const statementHash = word<Digest>('statement');
    const call = move.call('stage_daos::apply_for_membership', ...[sender, dao.id, statementHash].map(move.address));
    return { sender, action: { kind: 'applyForMembership', daoId: dao.id, statementHash }, call };
  },
  refusals: {
    // One code there for what are two here.
    ALREADY_MEMBER: ['data_dao::EAlreadyMember', 'data_dao::EAlreadyApplied'],
    DAO_PAUSED: ['data_dao::EPaused'],
  },
};

export const decideApplication: Actor = {
  kind: 'decideApplication',
  weight: 1.5,
  twists: ['wrong sender', 'no application', 'paused'],
  before: { 'wrong sender': ['applyForMembership'], paused: ['applyForMembership', 'pauseDao'] },
  prepare: ['applyForMembership'],
  attempt(play, twist) {
    const { ledger, random } = play;
    const applications = ledger.entries('application');
    if (applications.length === 0) return null;
    const [key, application] = random.pick(applications);
    const daoId = ledger.all('dao').find(({ id }) => key.startsWith(id))!.id;
    const applicant = twist === 'no application' ? word<typeof application.applicant>('nobody') : application.applicant;
    const sender = twist === 'wrong sender' ? outsiderOf(play, daoId) : holderOf(play, daoId, ROLES.steward);
    const accept = random.chance(0.8);
    const ids = [sender, daoId, applicant].map(move.address);
    const call = move.call('stage_daos::decide_application', ...ids, move.flag(accept));
    return { sender, action: { kind: 'decideApplication', daoId, applicant, accept }, call };
  },
  refusals: {
    'FORBIDDEN steward': ['data_dao::ERoleRequired'],
    'NOT_FOUND application': ['data_dao::ENoApplication'],
    DAO_PAUSED: ['data_dao::EPaused'],
  },
};

export const setRoles: Actor = {
  kind: 'setRoles',
  weight: 1,
  twists: ['wrong sender', 'unknown role', 'no member', 'last administrator'],
  attempt(play, twist) {
    const { random } = play;
    const dao = daoOf(play);
    if (dao === null) return null;
    const members = membersOf(play, dao.id);
    const administrators = members.filter(({ roles }) => (roles & ROLES.administrator) !== 0);
    const last = twist === 'last administrator';
    if (last && administrators.length > 1) return null;
    const chosen = last ? administrators[0]!.address : random.pick(members).address;
    const member = twist === 'no member' ? outsiderOf(play, dao.id) : chosen;
    const usual = last ? ROLES.steward : random.int(0, ALL_ROLES);
    const roles = twist === 'unknown role' ? ALL_ROLES + 1 : usual;
    const sender = twist === 'wrong sender' ? outsiderOf(play, dao.id) : holderOf(play, dao.id, ROLES.administrator);
    const call = move.call('stage_daos::set_roles', ...[sender, dao.id, member].map(move.address), move.number(roles));
    return { sender, action: { kind: 'setRoles', daoId: dao.id, member, roles }, call };
  },
  refusals: {
    'FORBIDDEN administrator': ['data_dao::ERoleRequired'],
    // A role that there is not, or the last of the administrators.
    'INVALID_ARGUMENT roles': ['membership::EUnknownRole', 'membership::ELastAdministrator'],
    'NOT_FOUND member': ['membership::ENoMember'],
  },
};
