import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asAmount, type LicenceId } from '@usufruct/kernel';
import { deriveId, type ChainAction, type LicenceTerms } from '@usufruct/protocol';
import { ApiWorld } from '../../../../../test/support/api-world.js';
import { enact, MINUTE_MS, QUICK_GOVERNANCE } from '../../../../../test/support/votes.js';
import { PURPOSE } from '../../../../local-chain/src/testing/dao-world.js';
import { hexOf } from '../../../../local-chain/src/testing/world.js';
import { PayoutService } from '../payout/index.js';

const PRICE_UNITS = asAmount(1_001n);

describe('licences and erasure, as the API tells them', () => {
  let world: ApiWorld;
  let offerId: LicenceId;
  let licenceId: LicenceId;
  beforeAll(async () => {
    world = await ApiWorld.start();
    const { dao } = world;
    await dao.run(dao.founder, dao.holderSet(), { ...dao.dao(), governance: QUICK_GOVERNANCE } as ChainAction);
    await dao.run(dao.founder, dao.dataset());
    await dao.fill();
    await dao.run(dao.requester, dao.mint(dao.requester, 5_000n));
    const terms: LicenceTerms = {
      datasetId: dao.datasetId,
      purpose: PURPOSE,
      computation: 'rag',
      protection: 'tee',
      priceUnits: PRICE_UNITS,
      termMs: 30 * MINUTE_MS,
    };
    const proposal = await enact(dao, { kind: 'offerLicence', terms }, 'offer');
    offerId = proposal as string as LicenceId;
    const bought = { kind: 'buyLicence', salt: hexOf('licence'), offerId, priceUnits: PRICE_UNITS } as const;
    await dao.run(dao.requester, bought);
    licenceId = deriveId<LicenceId>('licence', offerId, dao.requester.address, bought.salt);
    await world.settled();
  });
  afterAll(() => world.close());

  const ofDao = async (selection: string) => world.field(`{ dao(daoId: "${world.dao.daoId}") { ${selection} } }`);
  const agrees = async () =>
    expect(await world.app.get(PayoutService, { strict: false }).reconcileAll()).toMatchObject({ agrees: true });

  it('shows an offer under the id of its proposal, and says in words what was voted on', async () => {
    const { licenceOffers } = await ofDao(
      'licenceOffers { edges { node { id offerId withdrawnAtMs terms { purpose computation protection priceUnits termMs } } } }',
    );
    const terms = { purpose: PURPOSE, computation: 'rag', protection: 'tee', priceUnits: '1001', termMs: 1_800_000 };
    const [{ node }] = licenceOffers.edges;
    expect(node).toEqual({ id: node.id, offerId, withdrawnAtMs: null, terms });
    expect(await world.field(`{ node(id: "${node.id}") { ... on LicenceOffer { offerId } } }`)).toEqual({ offerId });
    const proposal = await world.field(
      `{ proposal(proposalId: "${offerId}") { summary effect { __typename ... on OfferLicence { terms { termMs } } } } }`,
    );
    expect(proposal).toEqual({
      summary: `Offer licences: rag under tee for ${PURPOSE} on the dataset ${world.dao.datasetId}, for 30 minutes and 1001 units.`,
      effect: { __typename: 'OfferLicence', terms: { termMs: 1_800_000 } },
    });
  });

  it('shows a licence to its holder until and after it ends, and the money where it went', async () => {
    const { dao } = world;
    const query = '{ licences { edges { node { licenceId licensee active boughtAtMs expiresAtMs } } } }';
    const [{ node }] = (await world.field(query, {}, await world.signIn(dao.requester))).edges;
    expect(node).toMatchObject({ licenceId, licensee: dao.requester.address, active: true });
    expect(node.expiresAtMs - node.boughtAtMs).toBe(30 * MINUTE_MS);
    await agrees();
    // 2 % of 1,001 are 20.02: 20 to the protocol, 981 to the treasury
    const treasury = await world.field(
      `{ dao(daoId: "${dao.daoId}") { treasuryUnits treasuryMovements { edges { node { reason amountUnits } } } } }`,
      {},
      await world.signIn(dao.requester),
    );
    expect(treasury).toEqual({
      treasuryUnits: '981',
      treasuryMovements: { edges: [{ node: { reason: 'LicenceBought', amountUnits: '981' } }] },
    });
    dao.clock.advance(30 * MINUTE_MS);
    const later = await world.field(query, {}, await world.signIn(dao.requester));
    expect(later.edges[0].node).toMatchObject({ licenceId, active: false });
  });

  it('says when an offer was withdrawn; what was sold stays', async () => {
    await enact(world.dao, { kind: 'withdrawLicenceOffer', offerId }, 'withdraw');
    await world.settled();
    const { licenceOffers } = await ofDao('licenceOffers { edges { node { withdrawnAtMs } } }');
    expect(licenceOffers.edges).toEqual([{ node: { withdrawnAtMs: expect.any(Number) } }]);
    const licence = `{ licence(licenceId: "${licenceId}") { offerId } }`;
    expect(await world.field(licence, {}, await world.signIn(world.dao.stranger))).toEqual({ offerId });
  });

  it('tells longer leases and retired contributions as the chain has them', async () => {
    const { dao } = world;
    const [renewed, retired] = [dao.contributionIds[0]!, dao.contributionIds[1]!];
    const renewals = [{ blob: hexOf('part'), endEpoch: 20 }];
    await dao.run(dao.contributors[0]!, { kind: 'renewLease', contributionId: renewed, renewals });
    await dao.run(dao.contributors[1]!, { kind: 'tombstoneContribution', contributionId: retired });
    await world.settled();
    const token = await world.signIn(dao.requester);
    const blob = 'blob sizeBytes endEpoch';
    for (const contributionId of [renewed, retired]) {
      const told = await world.field(
        `{ contribution(contributionId: "${contributionId}") { tombstonedAtMs manifestBlob { ${blob} } parts { ${blob} } } }`,
        {},
        token,
      );
      const { tombstonedAtMs, manifestBlob, parts } = await world.chain.contribution(contributionId);
      expect(told).toEqual({ tombstonedAtMs, manifestBlob, parts });
    }
    expect((await world.chain.contribution(renewed)).parts[0]?.endEpoch).toBe(20);
    expect((await world.chain.contribution(retired)).tombstonedAtMs).not.toBeNull();
  });

  it('counts nothing of a retired contribution or dataset as usable', async () => {
    const { dao } = world;
    const count = async (): Promise<number> =>
      (
        await world.field(
          `{ dataset(datasetId: "${dao.datasetId}") { usableContributionCount(purpose: "${PURPOSE}") tombstonedAtMs } }`,
        )
      ).usableContributionCount;
    expect(await count()).toBe(2);
    await enact(dao, { kind: 'tombstoneDataset', datasetId: dao.datasetId }, 'retire');
    await world.settled();
    expect(await count()).toBe(0);
    const { tombstonedAtMs } = await world.chain.dataset(dao.datasetId);
    expect(await world.field(`{ dataset(datasetId: "${dao.datasetId}") { tombstonedAtMs } }`)).toEqual({
      tombstonedAtMs,
    });
    await agrees();
  });
});
