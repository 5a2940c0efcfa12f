import { beforeEach, describe, expect, it } from '@jest/globals';
import { asAmount, U64_MAX, type Address } from '@usufruct/kernel';
import { ROLES, type ChainAction } from '@usufruct/protocol';
import { DaoWorld, PRICE, type Signer } from '../testing/dao-world.js';
import { table } from '../testing/refusal-table.js';
import { digestOf, hexOf } from '../testing/world.js';
import { Draft, memberKey } from './collections.js';
import { countEarned, earnedBefore } from './membership.js';
import type { Room } from './room.js';

const { administrator, policyMaker, steward } = ROLES;
const apply = (w: DaoWorld): ChainAction => ({
  kind: 'applyForMembership',
  daoId: w.daoId,
  statementHash: digestOf('statement'),
});
const answer = (w: DaoWorld, applicant: Signer, accept = true): ChainAction => ({
  kind: 'decideApplication',
  daoId: w.daoId,
  applicant: applicant.address,
  accept,
});
const roles = (w: DaoWorld, member: Signer, held: number): ChainAction => ({
  kind: 'setRoles',
  daoId: w.daoId,
  member: member.address,
  roles: held,
});
const setPolicy = (w: DaoWorld): ChainAction => ({
  kind: 'setPolicy',
  daoId: w.daoId,
  expectedVersion: 1,
  policy: w.policy(),
});

/** Ada decides, Ben gives roles, Cleo sets the policy; the founder has no role any more. The stranger has applied. */
async function divided(): Promise<DaoWorld> {
  const w = await (await new DaoWorld().found()).fill();
  const [ada, ben, cleo] = w.contributors as [Signer, Signer, Signer];
  await w.run(w.founder, roles(w, ada, steward), roles(w, ben, administrator), roles(w, cleo, policyMaker));
  await w.run(ben, roles(w, w.founder, 0));
  await w.run(w.stranger, apply(w), w.contribution());
  return w;
}
const first = (w: DaoWorld) => w.contributors[0]!;
const second = (w: DaoWorld) => w.contributors[1]!;
const third = (w: DaoWorld) => w.contributors[2]!;
const decideStrangers = (w: DaoWorld): ChainAction => ({
  kind: 'decideContribution',
  contributionId: w.derive('contribution', w.datasetId, w.stranger, 'contribution'),
  accept: true,
});

table('roles', divided, [
  ['a steward decides on an application', 'ok', (w) => [first(w), answer(w, w.stranger)]],
  ['a steward decides on a contribution', 'ok', (w) => [first(w), decideStrangers(w)]],
  ['a steward gives no roles', 'FORBIDDEN', (w) => [first(w), roles(w, first(w), 7)]],
  ['a steward sets no policy', 'FORBIDDEN', (w) => [first(w), setPolicy(w)]],
  ['an administrator gives roles', 'ok', (w) => [second(w), roles(w, first(w), 7)]],
  ['an administrator decides on no application', 'FORBIDDEN', (w) => [second(w), answer(w, w.stranger)]],
  ['an administrator decides on no contribution', 'FORBIDDEN', (w) => [second(w), decideStrangers(w)]],
  ['an administrator sets no policy', 'FORBIDDEN', (w) => [second(w), setPolicy(w)]],
  ['a policy maker sets the policy', 'ok', (w) => [third(w), setPolicy(w)]],
  ['a policy maker decides on no application', 'FORBIDDEN', (w) => [third(w), answer(w, w.stranger)]],
  ['a policy maker gives no roles', 'FORBIDDEN', (w) => [third(w), roles(w, third(w), 7)]],
  ['a founder without roles sets no policy', 'FORBIDDEN', (w) => [w.founder, setPolicy(w)]],
  ['a founder without roles decides on nothing', 'FORBIDDEN', (w) => [w.founder, answer(w, w.stranger)]],
  ['a founder without roles gives none', 'FORBIDDEN', (w) => [w.founder, roles(w, w.founder, 7)]],
  ['an eighth bit', 'INVALID_ARGUMENT roles', (w) => [second(w), roles(w, first(w), 8)]],
  ['for a stranger', 'NOT_FOUND', (w) => [second(w), roles(w, w.stranger, 4)]],
  [
    'in an unknown DAO',
    'NOT_FOUND',
    (w) => [second(w), { ...roles(w, first(w), 4), daoId: hexOf('x') } as ChainAction],
  ],
  ['the last administrator leaves', 'INVALID_ARGUMENT roles', (w) => [second(w), roles(w, second(w), 6)]],
  ['the last administrator gets more', 'ok', (w) => [second(w), roles(w, second(w), 7)]],
  ['one leaves when another has come', 'ok', (w) => [second(w), roles(w, first(w), 1), roles(w, second(w), 0)]],
  [
    'the other cannot leave then',
    'INVALID_ARGUMENT roles',
    (w) => [second(w), roles(w, first(w), 1), roles(w, first(w), 0), roles(w, second(w), 0)],
  ],
]);

table('applications', divided, [
  ['by a member', 'ALREADY_MEMBER', (w) => [first(w), apply(w)]],
  ['a second time', 'ALREADY_MEMBER', (w) => [w.stranger, apply(w)]],
  ['by another', 'ok', (w) => [w.requester, apply(w)]],
  ['to an unknown DAO', 'NOT_FOUND', (w) => [w.requester, { ...apply(w), daoId: hexOf('x') } as ChainAction]],
  ['decided twice', 'NOT_FOUND', (w) => [first(w), answer(w, w.stranger, false), answer(w, w.stranger)]],
  ['decided though nobody applied', 'NOT_FOUND', (w) => [first(w), answer(w, w.requester)]],
  ['decided by a stranger', 'FORBIDDEN', (w) => [w.stranger, answer(w, w.stranger)]],
]);

describe('membership', () => {
  it('counts members in order of joining, and says who joined', async () => {
    const w = await divided();
    const { events } = await w.run(first(w), answer(w, w.stranger));
    const { daoId } = w;
    const member = w.stranger.address;
    expect(events.map((event) => event.data)).toEqual([
      { type: 'MembershipDecided', daoId, applicant: member, accepted: true },
      { type: 'MemberAdded', daoId, member, roles: 0, ordinal: 4 },
    ]);
    const ordinals = [w.founder, ...w.contributors, w.stranger].map(
      ({ address }) => w.store.read('member', memberKey(daoId, address))?.ordinal,
    );
    expect(ordinals).toEqual([0, 1, 2, 3, 4]);
    // Accepted as a contributor, too: a member joins once.
    const again = await w.run(first(w), decideStrangers(w));
    expect(again.events.map((event) => event.data.type)).toEqual(['ContributionDecided']);
    expect(w.store.texts('application', daoId)).toEqual([]);
  });

  it('says in its first events that the founder has every role', async () => {
    const w = new DaoWorld();
    const { events } = await w.run(w.founder, w.holderSet(), w.dao());
    expect(events.map((event) => event.data.type)).toEqual(['HolderSetCreated', 'DaoCreated', 'MemberAdded']);
    expect(events[2]?.data).toMatchObject({ member: w.founder.address, roles: 7, ordinal: 0 });
  });

  it('lets who was declined apply again', async () => {
    const w = await divided();
    await w.run(first(w), answer(w, w.stranger, false));
    expect(w.store.texts('application', w.daoId)).toEqual([]);
    await w.run(w.stranger, apply(w));
    await w.run(first(w), answer(w, w.stranger, true));
    expect(w.store.read('member', memberKey(w.daoId, w.stranger.address))).toMatchObject({ roles: 0, ordinal: 4 });
  });
});

describe('what members have earned', () => {
  let w: DaoWorld;
  let room: Room;
  let ada: Address;
  const propose = (count: number): void => {
    const dao = room.draft.read('dao', w.daoId)!;
    room.draft.write('dao', w.daoId, { ...dao, proposalCount: count });
  };
  const earn = (units: bigint): void => countEarned(room, w.daoId, ada, asAmount(units));
  const before = (number: number): bigint => earnedBefore(room, w.daoId, ada, number);

  beforeEach(async () => {
    w = await (await new DaoWorld().found()).fill();
    ada = first(w).address;
    const emit = (): void => undefined;
    const { info } = w.chain;
    room = { draft: new Draft(w.store), chain: info, sender: ada, nowMs: w.clock.nowMs(), emit };
  });

  it('is what was earned before a proposal was made', () => {
    earn(5n); // before proposal 1
    earn(2n); // also
    propose(1);
    earn(10n); // after 1, before 2
    propose(2);
    propose(3);
    earn(100n); // after 3
    expect([1, 2, 3, 4].map(before)).toEqual([7n, 17n, 17n, 117n]);
    expect(room.draft.read('member', memberKey(w.daoId, ada))?.earnedUnits).toBe(117n);
    expect(room.draft.read('membership', w.daoId)?.earnedUnits).toBe(117n);
    // One figure for each number of proposals at which something was earned: 0, 1 and 3.
    expect(room.draft.read('checkpoints', memberKey(w.daoId, ada))?.map(({ proposals }) => proposals)).toEqual([
      0, 1, 3,
    ]);
  });

  it('is nothing for who earned nothing before', () => {
    propose(1);
    earn(10n);
    expect([1, 2].map(before)).toEqual([0n, 10n]);
    expect(earnedBefore(room, w.daoId, second(w).address, 2)).toBe(0n);
  });

  it('does not count what strangers earn', () => {
    countEarned(room, w.daoId, w.stranger.address, asAmount(9n));
    expect(room.draft.read('membership', w.daoId)?.earnedUnits).toBe(0n);
  });

  it('never counts more than a u64 holds, and never refuses a payment for it', () => {
    earn(U64_MAX - 3n);
    countEarned(room, w.daoId, second(w).address, asAmount(5n));
    earn(5n);
    // 2⁶⁴−1 − 3, then the 3 that are left of 5, then none of 5.
    expect(before(1)).toBe(U64_MAX - 3n);
    expect(earnedBefore(room, w.daoId, second(w).address, 1)).toBe(3n);
    expect(room.draft.read('membership', w.daoId)?.earnedUnits).toBe(U64_MAX);
  });

  it('comes from settlements', async () => {
    const world = await DaoWorld.ready();
    await world.run(world.stranger, await world.settlement(world.uses(1n, 1n, null)));
    const earned = [world.founder, ...world.contributors, world.runnerWallet].map(
      ({ address }) => world.store.read('member', memberKey(world.daoId, address))?.earnedUnits,
    );
    // 70 % of a million, half each; founder and Cleo earn nothing, the runner is no member.
    const half = (PRICE * 7n) / 10n / 2n;
    expect(earned).toEqual([0n, half, half, 0n, undefined]);
    expect(world.store.read('membership', world.daoId)?.earnedUnits).toBe(2n * half);
  });
});
