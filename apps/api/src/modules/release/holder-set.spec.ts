import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiWorld } from '../../../../../test/support/api-world.js';
import { ROTATED, rotate } from '../../../../local-chain/src/testing/rotations.js';
import { walletOf } from '../../../../local-chain/src/testing/world.js';

describe('holder sets, as the API tells them', () => {
  let world: ApiWorld;
  beforeAll(async () => {
    world = await ApiWorld.start();
    await world.dao.found();
    await world.settled();
  });
  afterAll(() => world.close());

  const told = async () => {
    await world.settled();
    const query = `{ dao(daoId: "${world.dao.daoId}") { verifiers { threshold holderSet { holderSetId version threshold tombstonedKeys
      members { operator signingPublicKey sealingPublicKey tombstoned }
      versions { edges { node { version transaction members { operator tombstoned } } } } } } } }`;
    return (await world.field(query)).verifiers;
  };
  const agrees = async () => {
    const { holderSet } = await told();
    const { members, threshold, version, tombstonedKeys } = await world.chain.holderSet(world.dao.holderSetId);
    expect(holderSet).toMatchObject({ version, threshold, tombstonedKeys });
    expect(holderSet.members).toEqual(
      members.map((member) => ({ ...member, tombstoned: tombstonedKeys.includes(member.signingPublicKey) })),
    );
    return holderSet;
  };

  it('name who must have signed for a runner', async () => {
    expect(await told()).toMatchObject({ threshold: 2, holderSet: { version: 1 } });
    await agrees();
  });

  it('keep each version when members join and leave', async () => {
    const { dao } = world;
    const outcome = await dao.run(dao.stranger, await rotate(dao));
    const { versions, members } = await agrees();
    const operators = ROTATED.map((i) => walletOf(`operator ${i}`).address);
    expect(members.map(({ operator }: { operator: string }) => operator)).toEqual(operators);
    expect(versions.edges[0].node).toEqual({
      version: 2,
      transaction: outcome.digest,
      members: operators.map((operator) => ({ operator, tombstoned: false })),
    });
    expect(versions.edges[1].node.members).toHaveLength(3);
  });

  it('mark a member that was retired for good, in every version that it was in', async () => {
    const { dao } = world;
    const holder = walletOf('operator 3');
    await dao.run(holder, { kind: 'tombstoneHolder', holderSetId: dao.holderSetId, member: 2 });
    const { versions, tombstonedKeys } = await agrees();
    expect(tombstonedKeys).toHaveLength(1);
    const retired = versions.edges.map(({ node }: { node: { members: { tombstoned: boolean }[] } }) =>
      node.members.map(({ tombstoned }) => tombstoned),
    );
    expect(retired).toEqual([
      [false, false, true],
      [false, false, false],
    ]);
  });
});
