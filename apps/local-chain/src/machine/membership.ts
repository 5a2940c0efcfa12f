import { asAmount, refuse, U64_MAX, ZERO_UNITS, type Address, type AmountUnits, type DaoId } from '@usufruct/kernel';
import { ALL_ROLES, hasRole, ROLES, type ChainActionPayloads, type RoleName } from '@usufruct/protocol';
import { applicationKey, memberKey, type RecordOf } from './collections.js';
import type { EffectRule } from './effect-rule.js';
import { requireInteger } from './guards.js';
import { requireOpen } from './pause.js';
import { mustFind, requireRole, type Room } from './room.js';

/** Ask to become a member. The hash commits to what the applicant told the DAO elsewhere. */
export function applyForMembership(room: Room, action: ChainActionPayloads['applyForMembership']): void {
  const { daoId, statementHash } = action;
  const applicant = room.sender;
  requireOpen(mustFind(room, 'dao', daoId));
  const key = applicationKey(daoId, applicant);
  if (isMember(room, daoId, applicant) || room.draft.read('application', key) !== undefined) {
    throw refuse('ALREADY_MEMBER', { account: applicant });
  }
  room.draft.write('application', key, { applicant, statementHash }, daoId);
  room.emit({ type: 'MembershipApplied', daoId, applicant, statementHash });
}

/** By a steward, once. Whoever was declined may apply again. */
export function decideApplication(room: Room, action: ChainActionPayloads['decideApplication']): void {
  const { daoId, applicant, accept } = action;
  requireOpen(mustFind(room, 'dao', daoId));
  requireHeld(room, daoId, 'steward');
  const key = applicationKey(daoId, applicant);
  mustFind(room, 'application', key);
  room.draft.erase('application', key);
  room.emit({ type: 'MembershipDecided', daoId, applicant, accepted: accept });
  if (accept) addMember(room, daoId, applicant);
}

/** By an administrator. */
export function setRoles(room: Room, { daoId, member, roles }: ChainActionPayloads['setRoles']): void {
  mustFind(room, 'dao', daoId);
  requireHeld(room, daoId, 'administrator');
  requireRoles(roles);
  putRoles(room, daoId, member, roles);
}

export const setRolesByVote: EffectRule<'setRoles'> = {
  check: ({ roles }) => requireRoles(roles),
  apply: (room, { daoId }, { member, roles }) => putRoles(room, daoId, member, roles),
};

const requireRoles = (roles: number): void => requireInteger(roles, 0, ALL_ROLES, 'roles');

function putRoles(room: Room, daoId: DaoId, address: Address, roles: number): void {
  const member = mustFind(room, 'member', memberKey(daoId, address));
  const membership = mustFind(room, 'membership', daoId);
  const administrators =
    membership.administrators - (member.roles & ROLES.administrator) + (roles & ROLES.administrator);
  if (administrators === 0) {
    throw refuse('INVALID_ARGUMENT', { field: 'roles', expected: 'at least one administrator stays' });
  }
  room.draft.write('membership', daoId, { ...membership, administrators });
  room.draft.write('member', memberKey(daoId, address), { ...member, roles });
  room.emit({ type: 'RolesSet', daoId, member: address, roles });
}

export const memberOf = (room: Room, daoId: DaoId, address: Address): RecordOf<'member'> | undefined =>
  room.draft.read('member', memberKey(daoId, address));

export const isMember = (room: Room, daoId: DaoId, address: Address): boolean =>
  memberOf(room, daoId, address) !== undefined;

/** Refuse a sender who does not have this role. */
export function requireHeld(room: Room, daoId: DaoId, role: RoleName): void {
  requireRole(hasRole(memberOf(room, daoId, room.sender), role), role);
}

/** Whoever is one already keeps the roles. */
export function addMember(room: Room, daoId: DaoId, address: Address, roles = 0): void {
  if (isMember(room, daoId, address)) return;
  const before = room.draft.read('membership', daoId);
  const { memberCount, administrators, earnedUnits } = before ?? NOBODY;
  const member = { address, roles, ordinal: memberCount, earnedUnits: ZERO_UNITS };
  room.draft.write('member', memberKey(daoId, address), member, daoId);
  room.draft.write('membership', daoId, {
    memberCount: memberCount + 1,
    administrators: administrators + (roles & ROLES.administrator),
    earnedUnits,
  });
  room.emit({ type: 'MemberAdded', daoId, member: address, roles, ordinal: memberCount });
}

const NOBODY: RecordOf<'membership'> = { memberCount: 0, administrators: 0, earnedUnits: ZERO_UNITS };

/**
 * Count what the DAO paid an account as a contributor; nothing for who is no member. All members together never count
 * more than a u64 holds: nobody's pay may fail because the sum of all pay has become too large.
 */
export function countEarned(room: Room, daoId: DaoId, account: Address, paidUnits: AmountUnits): void {
  const member = memberOf(room, daoId, account);
  if (member === undefined) return;
  const membership = mustFind(room, 'membership', daoId);
  const left = U64_MAX - membership.earnedUnits;
  const units = paidUnits > left ? left : paidUnits;
  const earnedUnits = asAmount(member.earnedUnits + units);
  const key = memberKey(daoId, account);
  room.draft.write('membership', daoId, { ...membership, earnedUnits: asAmount(membership.earnedUnits + units) });
  room.draft.write('member', key, { ...member, earnedUnits });

  const proposals = mustFind(room, 'dao', daoId).proposalCount;
  const checkpoints = room.draft.read('checkpoints', key) ?? [];
  const earlier = checkpoints.at(-1)?.proposals === proposals ? checkpoints.slice(0, -1) : checkpoints;
  room.draft.write('checkpoints', key, [...earlier, { proposals, earnedUnits }]);
}

/** What a member had earned before proposal `number` was made: while there were fewer proposals than that. */
export function earnedBefore(room: Room, daoId: DaoId, account: Address, number: number): bigint {
  const checkpoints = room.draft.read('checkpoints', memberKey(daoId, account)) ?? [];
  return checkpoints.findLast(({ proposals }) => proposals < number)?.earnedUnits ?? 0n;
}
