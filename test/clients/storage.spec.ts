import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemRandom } from '@usufruct/kernel';
import { connect, memoryJournal } from '@usufruct/sdk';
import type { WalletSigner } from '@usufruct/chain';
import { buildSchema, parse, validate } from 'graphql';
import { readFileSync } from 'node:fs';
import { CONFIRM_NOTICE_EMAIL, NOTICE_CONTACT, SET_NOTICE_CONTACT } from '../../apps/portal/src/data/storage.js';
import { KeptWorld } from '../support/kept-world.js';

describe('what clients ask about storage, of the API as it is', () => {
  let world: KeptWorld;
  beforeAll(async () => {
    world = await KeptWorld.start([26, 2]);
    await world.round();
  });
  afterAll(() => world.api.close());
  const client = (signer: WalletSigner) =>
    connect({
      apiUrl: world.api.url,
      signer,
      chain: world.api.chain,
      store: world.stores.first,
      holders: [],
      journal: memoryJournal(),
      fetch: (input, init) => fetch(input, init),
      clock: world.api.dao.clock,
      random: systemRandom,
    });

  it('how long a contribution is stored', async () => {
    const { dao } = world.api;
    const storage = await client(dao.contributors[1]!).contributions.storage(dao.contributionIds[1]!);
    expect(storage).toMatchObject({ leaseEndEpoch: 26, epoch: 24, level: 'notice', renewing: false, costUnits: 0n });
    const nowhere = client(dao.stranger).contributions.storage(dao.jobId as never);
    await expect(nowhere).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it("the keeper's book, and the keeper's application, once, by somebody of the DAO", async () => {
    const { dao } = world.api;
    const founder = client(dao.founder);
    expect(await founder.daos.storage(dao.daoId)).toMatchObject({
      keeper: world.keeper.address,
      renews: false,
      fundedUnits: 0n,
      costs: [],
    });
    await expect(client(dao.stranger).daos.inviteLeaseKeeper(dao.daoId)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    for (let i = 0; i < 2; i++) expect(await founder.daos.inviteLeaseKeeper(dao.daoId)).toBe(world.keeper.address);
    const applications = await world.api.chain.applicationsOf(dao.daoId);
    expect(applications.map(({ applicant }) => applicant)).toEqual([world.keeper.address]);
  });

  it('repair, with the same client', async () => {
    const { dao, chain } = world.api;
    const { part } = world.kept[0]!;
    await world.stores.lose(part.blob, world.stores.first);
    const contributionId = dao.contributionIds[0]!;
    const owner = client(dao.contributors[0]!);
    const repair = await owner.contributions.repair({ contributionId, sources: [world.stores.second], epochs: 30 });
    expect(repair).toMatchObject({ complete: true });
    expect((await chain.contribution(contributionId)).parts[0]!.endEpoch).toBe(54);
  });

  it.each([NOTICE_CONTACT, SET_NOTICE_CONTACT, CONFIRM_NOTICE_EMAIL])('what the portal asks: %#', ({ text }) => {
    const schema = buildSchema(readFileSync(new URL('../../apps/api/schema.graphql', import.meta.url), 'utf8'));
    expect(validate(schema, parse(text))).toEqual([]);
  });
});
