import { refuse, type Address, type DaoId } from '@usufruct/kernel';
import {
  hasRole,
  requireStatement,
  statementDigest,
  type ApplicationView,
  type DaoView,
  type MemberView,
  type RoleName,
} from '@usufruct/protocol';
import { z } from 'zod';
import { actOnce } from '../act.js';
import { operation, REFUSAL_FIELDS, resultOf } from '../api/graphql.js';
import type { ClientContext } from '../context.js';
import { describe } from '../describe.js';

/** How an address stands to a DAO. */
export type Membership =
  | { readonly state: 'none' }
  | { readonly state: 'applied'; readonly application: ApplicationView }
  | { readonly state: 'member'; readonly member: MemberView };

export async function membershipOf(context: ClientContext, daoId: DaoId, address: Address): Promise<Membership> {
  const member = await context.chain.member(daoId, address);
  if (member !== null) return { state: 'member', member };
  const applications = await context.chain.applicationsOf(daoId);
  const application = applications.find(({ applicant }) => applicant === address);
  return application === undefined ? { state: 'none' } : { state: 'applied', application };
}

/** Every member with roles and what it has earned, in order of joining. */
export async function listMembers(context: ClientContext, daoId: DaoId): Promise<MemberView[]> {
  const { members } = await context.chain.dao(daoId);
  const views = await Promise.all(members.map((address) => context.chain.member(daoId, address)));
  return views.filter((view) => view !== null).sort((a, b) => a.ordinal - b.ordinal);
}

const DESCRIBE_APPLICATION = operation<{ input: { daoId: DaoId; statement: string } }>()(
  `mutation DescribeApplication($input: DescribeApplicationInput!) { result: describeApplication(input: $input) {
    __typename ... on Application { state } ${REFUSAL_FIELDS} } }`,
  z.object({ result: resultOf(z.object({ state: z.string() })) }),
);

/**
 * Ask to become a member. Who is one, or has applied already, has nothing more to do. The chain keeps the statement's
 * digest, and the API is told the statement, for the members to read; a blank one is told nobody.
 */
export async function applyForMembership(context: ClientContext, daoId: DaoId, statement: string): Promise<Membership> {
  const { address } = context.signer;
  const isBlank = statement.trim() === '';
  if (!isBlank) requireStatement(statement);
  const statementHash = statementDigest(statement);
  const membership = await actOnce<Membership>({
    context,
    key: `apply/${daoId}`,
    action: { kind: 'applyForMembership', daoId, statementHash },
    read: () => membershipOf(context, daoId, address),
    isDone: ({ state }) => state !== 'none',
  });
  // Of an application that was made with other words, these are not the words.
  if (!isBlank && membership.state === 'applied' && membership.application.statementHash === statementHash) {
    // Refused as other words: the API still knows only an earlier application of the same address.
    await describe(context, DESCRIBE_APPLICATION, { daoId, statement }, ['NOT_FOUND', 'INVALID_ARGUMENT']);
  }
  return membership;
}

/** By a steward, once for an application. Refuses `NOT_FOUND` where there is none, `FORBIDDEN`. */
export function decideApplication(
  context: ClientContext,
  daoId: DaoId,
  applicant: Address,
  accept: boolean,
): Promise<Membership> {
  return actOnce<Membership>({
    context,
    key: `decide-application/${daoId}/${applicant}/${accept}`,
    action: { kind: 'decideApplication', daoId, applicant, accept },
    read: () => membershipOf(context, daoId, applicant),
    isDone: ({ state }, wasSent) => (accept ? state === 'member' : state === 'none' && wasSent),
  });
}

/** By an administrator: a sum of `ROLES`. Refuses `FORBIDDEN`, also for the last administrator's own role. */
export async function setRoles(
  context: ClientContext,
  daoId: DaoId,
  address: Address,
  roles: number,
): Promise<MemberView> {
  const member = await actOnce({
    context,
    key: `roles/${daoId}/${address}/${roles}`,
    action: { kind: 'setRoles', daoId, member: address, roles },
    read: () => context.chain.member(daoId, address),
    isDone: (view) => view?.roles === roles,
  });
  if (member === null) throw refuse('NOT_FOUND', { object: 'member' });
  return member;
}

/** One way, by whoever may pause; only a vote unpauses. */
export function pauseDao(context: ClientContext, daoId: DaoId): Promise<DaoView> {
  return actOnce({
    context,
    key: `pause/${daoId}`,
    action: { kind: 'pauseDao', daoId },
    read: () => context.chain.dao(daoId),
    isDone: ({ paused }) => paused,
  });
}

/** Refuses `FORBIDDEN` where the signer is no member with this role, before anything is sent. */
export async function requireRole(context: ClientContext, daoId: DaoId, role: RoleName): Promise<void> {
  if (!hasRole(await context.chain.member(daoId, context.signer.address), role)) throw refuse('FORBIDDEN', { role });
}
