import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { asAmount, refuse, type ContributionId, type DatasetId } from '@usufruct/kernel';
import { metadataDigest, ROLES } from '@usufruct/protocol';
import {
  aContribution,
  actingChain,
  aDao,
  aDataset,
  aMember,
  aPolicy,
  FakeGraphql,
  FakeHolder,
  FakeStore,
  fetchOf,
  idOf,
  ManualClock,
  refusalMember,
  seededRandom,
  someTerms,
  testWallet,
} from '@usufruct/testing';
import { connect } from './client.js';
import { memoryJournal } from './journal.js';

const FOUNDER = testWallet('founder');
const MINE = idOf<ContributionId>('contribution');
const WORDS = { title: 'Field records', description: 'As they were kept.' };

let holders: FakeHolder[];
beforeAll(async () => {
  holders = await Promise.all(['a', 'b', 'c'].map((name) => FakeHolder.create(name, 'local:test')));
});
beforeEach(() => {
  for (const holder of holders) holder.isDown = false;
});

function world(signer = FOUNDER) {
  const chain = actingChain();
  const api = new FakeGraphql();
  const journal = memoryJournal();
  const reach = fetchOf(holders);
  const described = { result: { __typename: 'Dao', title: WORDS.title } };
  api.on('DescribeDao', () => described).on('DescribeDataset', () => described);
  const client = connect({
    apiUrl: api.url,
    chain,
    store: new FakeStore(),
    holders: holders.map(({ url }) => ({ url: `${url}/` })),
    signer,
    journal,
    fetch: (input, init) => (input.startsWith(api.url) ? api.fetch(input, init) : reach(input, init)),
    clock: new ManualClock(),
    random: seededRandom('dao'),
  });
  return { chain, api, client, journal };
}

describe('DAO', () => {
  it('makes a holder set, a DAO and a dataset, each once for its key', async () => {
    const { chain, api, client } = world();
    const set = await client.daos.createHolderSet({ key: 'k', threshold: 2 });
    expect(set.members.map(({ operator }) => operator)).toEqual(holders.map(({ operator }) => operator));
    const policy = aPolicy({ holderSetId: set.id });
    const dao = await client.daos.create({ key: 'k', policy, ...WORDS });
    expect(dao.metadataHash).toBe(metadataDigest(WORDS));
    const dataset = await client.datasets.create({ key: 'k', daoId: dao.id, ...WORDS });
    expect(await client.daos.createHolderSet({ key: 'k', threshold: 2 })).toEqual(set);
    expect(await client.daos.create({ key: 'k', policy, ...WORDS })).toEqual(dao);
    expect(await client.datasets.create({ key: 'k', daoId: dao.id, ...WORDS })).toEqual(dataset);
    expect(chain.executed).toHaveLength(3);
    expect(api.callsOf('DescribeDao')[0]?.variables).toEqual({ input: { daoId: dao.id, ...WORDS } });
    expect((await client.datasets.create({ key: 'other', daoId: dao.id, ...WORDS })).id).not.toBe(dataset.id);
  });

  it('sets what answers may show, once, by a steward', async () => {
    const { chain, client } = world();
    const answerRules = { maxQuoteChars: 300, minContributors: 5, maxReachBps: 2_500 };
    chain.put('dao', aDao()).put('dataset', aDataset());
    const { id, daoId } = aDataset();
    await expect(client.datasets.setAnswerRules(id, answerRules)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    chain.putMember(daoId, aMember({ address: FOUNDER.address, roles: ROLES.steward }));
    expect(await client.datasets.setAnswerRules(id, answerRules)).toMatchObject({ answerRules });
    expect(await client.datasets.setAnswerRules(id, answerRules)).toMatchObject({ answerRules });
    expect(chain.executed).toMatchObject([[{ kind: 'setAnswerRules', datasetId: id, answerRules }]]);
    const tooFar = client.datasets.setAnswerRules(id, { ...answerRules, maxReachBps: 10_001 });
    await expect(tooFar).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const published = await client.datasets.create({ key: 'ruled', daoId, ...WORDS, answerRules });
    expect(published.answerRules).toEqual(answerRules);
  });

  it('waits until the API has seen the new object', async () => {
    const { api, client } = world();
    let asked = 0;
    api.on('DescribeDao', () => ({
      result: ++asked < 3 ? refusalMember(refuse('NOT_FOUND')) : { __typename: 'Dao', title: WORDS.title },
    }));
    await client.daos.create({ key: 'k', policy: aPolicy(), ...WORDS });
    expect(asked).toBe(3);
  });

  it('refuses a holder set of which a member does not answer, belongs to another chain, or a threshold over its size', async () => {
    const { chain, client } = world();
    for (const threshold of [0, 4]) {
      await expect(client.daos.createHolderSet({ key: 'k', threshold })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
    holders[1]!.isDown = true;
    await expect(client.daos.createHolderSet({ key: 'k', threshold: 2 })).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
    holders[1]!.isDown = false;
    const info = await chain.info();
    chain.info = async () => ({ ...info, chainId: 'another' });
    await expect(client.daos.createHolderSet({ key: 'k', threshold: 2 })).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      details: { field: 'chainId' },
    });
    expect(chain.executed).toEqual([]);
  });

  it('decides a contribution once', async () => {
    const { chain, client } = world();
    chain.put('dao', aDao()).put('dataset', aDataset());
    chain.putMember(aDao().id, aMember({ address: FOUNDER.address, roles: ROLES.steward }));
    chain.put('contribution', aContribution({ state: 'proposed' }));
    expect((await client.datasets.accept(MINE)).state).toBe('accepted');
    expect((await client.datasets.accept(MINE)).state).toBe('accepted');
    expect(chain.executed).toHaveLength(1);
    expect((await client.datasets.decline(MINE)).state).toBe('declined');
  });

  it.each(['proposed', 'accepted', 'declined'] as const)(
    'lets nobody but a steward decide, not even again: a contribution that is %s',
    async (state) => {
      const stranger = testWallet('stranger');
      const { chain, client } = world(stranger);
      chain.put('dao', aDao()).put('dataset', aDataset());
      chain.put('contribution', aContribution({ state }));
      const refused = { code: 'FORBIDDEN', details: { role: 'steward' } };
      await expect(client.datasets.accept(MINE)).rejects.toMatchObject(refused);
      const roles = ROLES.administrator + ROLES.policyMaker;
      chain.putMember(aDao().id, aMember({ address: stranger.address, roles }));
      await expect(client.datasets.decline(MINE)).rejects.toMatchObject(refused);
      expect(chain.executed).toEqual([]);
    },
  );
});

describe('grants', () => {
  const use = { purpose: 'dpv:ResearchAndDevelopment', kind: 'rag', protection: 'tee' } as const;

  it('are given once for a key, revoked once, and listed', async () => {
    const { chain, client } = world();
    chain.put('contribution', aContribution({ owner: FOUNDER.address }));
    const grant = await client.grants.give({ contributionId: MINE, terms: someTerms(), key: 'k' });
    expect(await client.grants.give({ contributionId: MINE, terms: someTerms(), key: 'k' })).toEqual(grant);
    const second = await client.grants.give({ contributionId: MINE, terms: someTerms() });
    expect(second.id).not.toBe(grant.id);
    expect((await client.grants.revoke(grant.id)).revokedAtMs).not.toBeNull();
    await client.grants.revoke(grant.id);
    expect(chain.executed.map(([action]) => action?.kind)).toEqual(['giveGrant', 'giveGrant', 'revokeGrant']);
    expect(await client.grants.list(MINE)).toHaveLength(2);
  });

  it('explain a use as holders would decide it, at the price of the DAO unless another is asked', async () => {
    const { chain, client } = world();
    const datasetId = idOf<DatasetId>('dataset');
    chain.put('dao', aDao()).put('dataset', aDataset({ id: datasetId }));
    chain.put('contribution', aContribution({ owner: FOUNDER.address }));
    expect((await client.grants.explain(MINE, use)).refusal?.code).toBe('GRANT_REQUIRED');
    const grant = await client.grants.give({ contributionId: MINE, terms: someTerms() }); // a floor of 500 000
    expect(await client.grants.explain(MINE, use)).toMatchObject({ allowed: true, grant: { id: grant.id } });
    const cheap = { ...use, pricePerQuestionUnits: asAmount(499_999n) };
    expect((await client.grants.explain(MINE, cheap)).refusal?.code).toBe('PRICE_BELOW_FLOOR');
    expect((await client.grants.explain(MINE, { ...use, purpose: 'DUO:0000042' })).refusal?.code).toBe(
      'PURPOSE_DENIED',
    );
    await client.grants.revoke(grant.id);
    expect((await client.grants.explain(MINE, use)).refusal?.code).toBe('GRANT_REVOKED');
  });
});
