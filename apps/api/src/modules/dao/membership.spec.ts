import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WalletSigner } from '@usufruct/chain';
import { metadataDigest, ROLES } from '@usufruct/protocol';
import { ApiWorld } from '../../../../../test/support/api-world.js';
import { hexOf } from '../../../../local-chain/src/testing/world.js';

const statement = 'I keep bees and their records.';

describe('who is a member of a DAO, as the API tells it', () => {
  let world: ApiWorld;
  beforeAll(async () => {
    world = await ApiWorld.start();
    const { dao } = world;
    await dao.found();
    await dao.fill();
    await dao.open();
    // 70 % of 1,000,000 by weights 3 and 1: ada earns 525,000 and ben 175,000
    await dao.run(dao.runnerWallet, await dao.settlement(dao.uses(3n, 1n, null)));
    await world.settled();
  });
  afterAll(() => world.close());

  const daoField = async (selection: string, wallet?: WalletSigner) =>
    world.field(
      `{ dao(daoId: "${world.dao.daoId}") { ${selection} } }`,
      {},
      wallet === undefined ? undefined : await world.signIn(wallet),
    );
  const nodes = (connection: { edges: { node: unknown }[] }) => connection.edges.map(({ node }) => node);

  it('shows members in order of joining, with roles; what they earned only to who is signed in', async () => {
    const { dao } = world;
    const { members } = await daoField('members { edges { node { address roles ordinal dao { daoId } } } }');
    const inDao = { dao: { daoId: dao.daoId } };
    expect(nodes(members)).toEqual([
      { address: dao.founder.address, roles: Object.keys(ROLES), ordinal: 0, ...inDao },
      ...dao.contributors.map(({ address }, i) => ({ address, roles: [], ordinal: i + 1, ...inDao })),
    ]);
    const earned = 'members { edges { node { address earnedUnits } } }';
    const { errors } = await world.ask(`{ dao(daoId: "${dao.daoId}") { ${earned} } }`);
    expect(errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
    const shown = nodes((await daoField(earned, dao.stranger)).members) as { earnedUnits: string }[];
    expect(shown.map((member) => member.earnedUnits)).toEqual(['0', '525000', '175000', '0']);
    for (const { address } of dao.contributors) {
      const member = await world.chain.member(dao.daoId, address);
      expect(shown).toContainEqual({ address, earnedUnits: member?.earnedUnits.toString() });
    }
    const own = await world.field(
      '{ memberships { edges { node { id address dao { daoId } } } } }',
      {},
      await world.signIn(dao.contributors[0]!),
    );
    expect(nodes(own)).toMatchObject([{ address: dao.contributors[0]!.address, ...inDao }]);
    expect(await world.field(`{ node(id: "${own.edges[0].node.id}") { ... on Member { ordinal } } }`)).toEqual({
      ordinal: 1,
    });
  });

  it('takes an application through: words for members only, decided once, then a member', async () => {
    const { dao } = world;
    const applicant = dao.stranger;
    const statementHash = metadataDigest({ title: 'membership', description: statement });
    await dao.run(applicant, { kind: 'applyForMembership', daoId: dao.daoId, statementHash });
    await world.settled();
    const applications = 'applications { edges { node { applicant state statement } } }';
    const describeIt = `mutation ($input: DescribeApplicationInput!) { describeApplication(input: $input) {
      ... on Application { state statement } ... on Refusal { code } } }`;
    const token = await world.signIn(applicant);
    const input = { daoId: dao.daoId, statement };
    for (const [wrong, code] of [
      [{ ...input, statement: 'I keep bees.' }, 'INVALID_ARGUMENT'],
      [{ ...input, statement: ' ' }, 'INVALID_ARGUMENT'],
      [{ ...input, statement: 'x'.repeat(20_001) }, 'INVALID_ARGUMENT'],
      [{ ...input, daoId: hexOf('no dao') }, 'NOT_FOUND'],
    ] as const) {
      expect(await world.field(describeIt, { input: wrong }, token)).toEqual({ code });
    }
    expect(await world.field(describeIt, { input }, token)).toEqual({ state: 'pending', statement });
    expect(nodes((await daoField(applications)).applications)).toEqual([
      { applicant: applicant.address, state: 'pending', statement: null },
    ]);
    expect(nodes((await daoField(applications, dao.contributors[0]!)).applications)).toMatchObject([{ statement }]);
    expect(nodes((await daoField(applications, dao.requester)).applications)).toMatchObject([{ statement: null }]);
    // nor by a dataset, or an application, that is made under the same hash
    await dao.run(dao.requester, { kind: 'applyForMembership', daoId: dao.daoId, statementHash });
    await dao.run(dao.founder, dao.dataset({ salt: hexOf('curious'), metadataHash: statementHash }));
    await world.settled();
    const { datasets } = await daoField('datasets { edges { node { metadataHash title description } } }');
    expect(nodes(datasets)).toContainEqual({ metadataHash: statementHash, title: null, description: null });
    expect(nodes((await daoField(applications, dao.requester)).applications)).toEqual([
      { applicant: dao.requester.address, state: 'pending', statement: null },
      { applicant: applicant.address, state: 'pending', statement: null },
    ]);
    const declined = { daoId: dao.daoId, applicant: dao.requester.address, accept: false };
    await dao.run(dao.founder, { kind: 'decideApplication', ...declined });

    await dao.run(dao.founder, {
      kind: 'decideApplication',
      daoId: dao.daoId,
      applicant: applicant.address,
      accept: true,
    });
    await dao.run(dao.founder, {
      kind: 'setRoles',
      daoId: dao.daoId,
      member: applicant.address,
      roles: ROLES.steward,
    });
    await world.settled();
    const decided = await daoField(
      `pending: applications(state: pending) { edges { cursor } } applications(state: accepted) { edges { node { applicant } } }
       members(first: 10) { edges { node { address roles } } }`,
    );
    expect(decided.pending.edges).toEqual([]);
    expect(nodes(decided.applications)).toEqual([{ applicant: applicant.address }]);
    expect(nodes(decided.members).at(-1)).toEqual({ address: applicant.address, roles: ['steward'] });
  });

  it('finds one by its address', async () => {
    const { dao } = world;
    const found = await daoField(
      `founder: member(address: "${dao.founder.address}") { ordinal } none: member(address: "${dao.requester.address}") { ordinal }`,
    );
    expect(found).toEqual({ founder: { ordinal: 0 }, none: null });
  });

  it('lets an applicant who was declined apply again', async () => {
    const { dao } = world;
    const apply = (n: number) =>
      dao.run(dao.requester, { kind: 'applyForMembership', daoId: dao.daoId, statementHash: hexOf(`statement ${n}`) });
    const decide = (accept: boolean) =>
      dao.run(dao.founder, { kind: 'decideApplication', daoId: dao.daoId, applicant: dao.requester.address, accept });
    await apply(1);
    await decide(false);
    await apply(2);
    await world.settled();
    const selection = 'applications(first: 2) { edges { node { state statementHash } } }';
    expect(nodes((await daoField(selection)).applications)).toEqual([
      { state: 'pending', statementHash: hexOf('statement 2') },
      { state: 'declined', statementHash: hexOf('statement 1') },
    ]);
    await decide(true);
    await world.settled();
    expect(nodes((await daoField(selection)).applications)).toMatchObject([
      { state: 'accepted' },
      { state: 'declined' },
    ]);
  });
});
