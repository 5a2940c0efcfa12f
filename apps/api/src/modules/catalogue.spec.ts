import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Digest } from '@usufruct/kernel';
import { DEFAULT_GOVERNANCE, DEFAULT_PAYOUT_RULES, metadataDigest } from '@usufruct/protocol';
import { hexOf } from '../../../local-chain/src/testing/world.js';
import { PRICE, PURPOSE } from '../../../local-chain/src/testing/dao-world.js';
import { ApiWorld } from '../../../../test/support/api-world.js';

const words = { title: 'Field notes', description: 'Soil, rain, yields. Ünïcode is kept as given.' };

describe('contribute, store, consent, release: what the API catalogues', () => {
  let world: ApiWorld;
  let ada: string;
  let founder: string;
  beforeAll(async () => {
    world = await ApiWorld.start();
    const { dao } = world;
    await dao.run(dao.founder, dao.holderSet(), {
      ...dao.dao(),
      kind: 'createDao',
      salt: hexOf('dao'),
      policy: dao.policy(),
      metadataHash: metadataDigest(words),
      governance: DEFAULT_GOVERNANCE,
      payoutRules: DEFAULT_PAYOUT_RULES,
    });
    await dao.run(dao.founder, dao.dataset({ metadataHash: metadataDigest(words) }));
    await dao.fill();
    await dao.open();
    ada = await world.signIn(dao.contributors[0]!);
    founder = await world.signIn(dao.founder);
    await world.settled();
  });
  afterAll(() => world.close());

  it('shows DAOs and datasets to anybody, by Relay', async () => {
    const { daos } = (
      await world.ask(`{ daos(first: 2) { pageInfo { hasNextPage hasPreviousPage } edges { node { id daoId founder policyVersion
        policy { pricePerQuestionUnits purposes kinds split { contributorsBps } holderSet { threshold members { index operator } } }
        runners { current standIn payTo } datasets(first: 2) { edges { node { datasetId contributionCount dao { daoId }
          usable: usableContributionCount(purpose: "${PURPOSE}") none: usableContributionCount(purpose: "dpv:Marketing") } } } } } } }`)
    ).data!;
    const { dao } = world;
    expect(daos.pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: false });
    const [{ node }] = daos.edges;
    expect(node).toMatchObject({
      daoId: dao.daoId,
      founder: dao.founder.address,
      policyVersion: 1,
      policy: { pricePerQuestionUnits: PRICE.toString(), kinds: ['rag', 'stats'], split: { contributorsBps: 7000 } },
      runners: [{ current: true, standIn: true, payTo: dao.runnerWallet.address }],
    });
    expect(node.policy.holderSet).toMatchObject({ threshold: 2 });
    expect(node.policy.holderSet.members.map((member: { operator: string }) => member.operator)).toEqual(
      dao.operators.map((operator) => operator.address),
    );
    expect(node.datasets.edges).toEqual([
      { node: { datasetId: dao.datasetId, contributionCount: 3, dao: { daoId: dao.daoId }, usable: 3, none: 0 } },
    ]);
    expect(await world.field(`{ node(id: "${node.id}") { __typename ... on Dao { daoId } } }`)).toEqual({
      __typename: 'Dao',
      daoId: dao.daoId,
    });
    const { errors } = await world.ask('{ node(id: "bm9uc2Vuc2U") { id } }');
    expect(errors[0]?.extensions.code).toBe('INVALID_ARGUMENT');
  });

  it('pages through datasets, forward, each once', async () => {
    const { dao } = world;
    for (const n of [1, 2, 3, 4]) await dao.run(dao.founder, dao.dataset({ salt: hexOf(`more ${n}`) }));
    await world.settled();
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page = await world.field(
        `query ($daoId: Hex32, $after: String) { datasets(daoId: $daoId, first: 2, after: $after) {
          edges { node { datasetId } } pageInfo { hasNextPage endCursor } } }`,
        { daoId: dao.daoId, after },
      );
      seen.push(...page.edges.map((edge: { node: { datasetId: string } }) => edge.node.datasetId));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
    const whole = await world.field(`{ dao(daoId: "${dao.daoId}") { datasets { edges { node { datasetId } } } } }`);
    expect(whole.datasets.edges.map((edge: { node: { datasetId: string } }) => edge.node.datasetId)).toEqual(seen);
  });

  it('says where the other parts are', async () => {
    const endpoints = await world.field('{ endpoints { holderUrls publisherUrl aggregatorUrl } }');
    expect(endpoints.holderUrls).toEqual(['http://127.0.0.1:9']);
  });

  describe('describe', () => {
    const describeDao = `mutation ($input: DescribeDaoInput!) { describeDao(input: $input) {
      ... on Dao { title description } ... on Refusal { code details { key value } } } }`;
    it('keeps the words whose digest is on the chain, from members only', async () => {
      const input = { daoId: world.dao.daoId, ...words };
      const stranger = await world.signIn(world.dao.requester);
      expect(await world.field(describeDao, { input }, stranger)).toMatchObject({ code: 'FORBIDDEN' });
      const wrong = { ...input, title: 'Field note' };
      expect(await world.field(describeDao, { input: wrong }, founder)).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect((await world.field(`{ dao(daoId: "${input.daoId}") { title } }`)).title).toBeNull();
      expect(await world.field(describeDao, { input }, founder)).toEqual(words);
      expect(await world.field(describeDao, { input }, founder)).toEqual(words);
      const dataset = await world.field(`{ dataset(datasetId: "${world.dao.datasetId}") { title description } }`);
      expect(dataset).toEqual(words);
    });
    it('takes them from the member who made a dataset', async () => {
      const { dao } = world;
      const said = { title: 'Kiln logs', description: '' };
      const created = dao.dataset({ salt: hexOf('by ada'), metadataHash: metadataDigest(said) });
      const outcome = await dao.run(dao.contributors[0]!, created);
      const made = outcome.events[0]?.data;
      const input = { datasetId: made?.type === 'DatasetCreated' ? made.dataset.id : '', ...said };
      const describeDataset = `mutation ($input: DescribeDatasetInput!) { describeDataset(input: $input) {
        ... on Dataset { title description } ... on Refusal { code } } }`;
      const stranger = await world.signIn(dao.requester);
      expect(await world.field(describeDataset, { input }, stranger)).toEqual({ code: 'FORBIDDEN' });
      expect(await world.field(describeDataset, { input }, ada)).toEqual(said);
    });
    it.each([
      ['no title', { title: '  ' }],
      ['a title too long', { title: 'x'.repeat(201) }],
      ['a description too long', { description: 'x'.repeat(20_001) }],
    ])('refuses %s', async (_, changes) => {
      const input = { daoId: world.dao.daoId, ...words, ...changes };
      expect(await world.field(describeDao, { input }, founder)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    });
    it('waits for a DAO that the chain has just made', async () => {
      const { dao } = world;
      const salt = hexOf('fresh');
      const outcome = await dao.run(dao.founder, {
        kind: 'createDao',
        salt,
        policy: dao.policy(),
        metadataHash: metadataDigest(words),
        governance: DEFAULT_GOVERNANCE,
        payoutRules: DEFAULT_PAYOUT_RULES,
      });
      const made = outcome.events[0]?.data;
      const daoId = made?.type === 'DaoCreated' ? made.dao.id : '';
      expect(await world.field(describeDao, { input: { daoId, ...words } }, founder)).toEqual(words);
      const unknown = { daoId: hexOf<Digest>('none'), ...words };
      expect(await world.field(describeDao, { input: unknown }, founder)).toMatchObject({ code: 'NOT_FOUND' });
    });
  });

  describe('contributions', () => {
    it('are shown to who is signed in; uses and earnings to owner and founder', async () => {
      const { dao } = world;
      const contributionId = dao.contributionIds[0]!;
      const query = `{ contribution(contributionId: "${contributionId}") { owner state manifestBlob { blobId }
        parts { sizeBytes } grants { grantId active purposes priceFloorUnits } dataset { datasetId } } }`;
      const own = await world.field(query, {}, ada);
      expect(own).toMatchObject({
        owner: dao.contributors[0]!.address,
        state: 'accepted',
        parts: [{ sizeBytes: 4_096 }],
        grants: [{ grantId: dao.grantIds[0], active: true, purposes: [PURPOSE], priceFloorUnits: PRICE.toString() }],
        dataset: { datasetId: dao.datasetId },
      });
      expect(own.manifestBlob.blobId).toBe(Buffer.from(hexOf('manifest blob').slice(2), 'hex').toString('base64url'));
      expect((await world.ask(query)).errors[0]?.extensions.code).toBe('UNAUTHENTICATED');

      const personal = `{ contribution(contributionId: "${contributionId}") { earnedUnits uses { edges { cursor } } } }`;
      expect(await world.field(personal, {}, ada)).toEqual({ earnedUnits: '0', uses: { edges: [] } });
      expect(await world.field(personal, {}, founder)).toEqual({ earnedUnits: '0', uses: { edges: [] } });
      const stranger = await world.ask(personal, {}, await world.signIn(dao.contributors[1]!));
      expect(stranger.errors[0]?.extensions.code).toBe('FORBIDDEN');
    });

    it('are not shown to nobody through a public dataset', async () => {
      const query = `{ dataset(datasetId: "${world.dao.datasetId}") { contributions { edges { node { owner } } } } }`;
      expect((await world.ask(query)).errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
      expect((await world.field(query, {}, ada)).contributions.edges).toHaveLength(3);
    });

    it('are listed by owner, dataset and state; without a filter, the own ones', async () => {
      const list = async (filter: string) => {
        const query = `{ contributions${filter} { edges { node { contributionId } } } }`;
        return (await world.field(query, {}, ada)).edges.map(
          (edge: { node: { contributionId: string } }) => edge.node.contributionId,
        );
      };
      const { contributionIds, contributors, datasetId } = world.dao;
      expect(await list('')).toEqual([contributionIds[0]]);
      expect(await list(`(owner: "${contributors[1]!.address}")`)).toEqual([contributionIds[1]]);
      expect(await list(`(datasetId: "${datasetId}")`)).toEqual(contributionIds.toReversed());
      expect(await list(`(datasetId: "${datasetId}", state: proposed)`)).toEqual([]);
      expect(await list('(state: proposed)')).toEqual([]);
    });
  });

  it('counts a contribution no more once its grant is revoked', async () => {
    const { dao } = world;
    const count = async () =>
      (
        await world.field(
          `{ dataset(datasetId: "${dao.datasetId}") { usableContributionCount(purpose: "${PURPOSE}") } }`,
        )
      ).usableContributionCount;
    expect(await count()).toBe(3);
    await dao.run(dao.contributors[2]!, { kind: 'revokeGrant', grantId: dao.grantIds[2]! });
    await world.settled();
    expect(await count()).toBe(2);
  });

  it('follows the policy: a runner approved under the old appraisal is not current under the new', async () => {
    const { dao } = world;
    const appraisal = { ...dao.policy().appraisal, version: 2 };
    await dao.run(dao.founder, {
      kind: 'setPolicy',
      daoId: dao.daoId,
      expectedVersion: 1,
      policy: dao.policy({ appraisal }),
    });
    await world.settled();
    const read = await world.field(
      `{ dao(daoId: "${dao.daoId}") { policyVersion policy { appraisal { version } } runners { current } } }`,
    );
    expect(read).toEqual({ policyVersion: 2, policy: { appraisal: { version: 2 } }, runners: [{ current: false }] });
  });
});
