import { beforeEach, describe, expect, it } from '@jest/globals';
import { purposesCover } from '@usufruct/consent';
import {
  asTimestampMs,
  refuse,
  type Address,
  type ContributionId,
  type DatasetId,
  type GrantId,
} from '@usufruct/kernel';
import type { GrantView } from '@usufruct/protocol';
import {
  aContribution,
  actingChain,
  aGrant,
  FakeChain,
  FakeGraphql,
  FakeStore,
  idOf,
  ManualClock,
  seededRandom,
  someTerms,
  TEST_NOW_MS,
  testWallet,
} from '@usufruct/testing';
import { connect } from './client.js';
import { memoryJournal, type Journal } from './journal.js';

const WALLET = testWallet('contributor');
const [A, B] = ['a', 'b'].map((name) => idOf<ContributionId>(name)) as [ContributionId, ContributionId];
const OTHER_SET = idOf<DatasetId>('other dataset');
const RESEARCH = 'dpv:ResearchAndDevelopment';
const MARKETING = 'dpv:Marketing';
const ACADEMIC = 'dpv:AcademicResearch';

let chain: FakeChain;
let journal: Journal;
const client = (wallet = WALLET) =>
  connect({
    apiUrl: new FakeGraphql().url,
    chain,
    store: new FakeStore(),
    holders: [],
    signer: wallet,
    journal,
    clock: new ManualClock(),
    random: seededRandom(`revocation ${chain.executed.length}`),
  });
const grant = (name: string, contributionId: ContributionId, purposes: string[], change: Partial<GrantView> = {}) => {
  const view = aGrant({
    id: idOf<GrantId>(name),
    contributionId,
    grantor: WALLET.address,
    terms: { ...someTerms(), purposes },
    ...change,
  });
  chain.put('grant', view).putEvent({ type: 'GrantGiven', grant: view }, WALLET.address);
  return view.id;
};
const living = async (contributionId: ContributionId): Promise<string[][]> =>
  (await chain.grantsOf(contributionId))
    .filter(({ revokedAtMs }) => revokedAtMs === null)
    .map(({ terms }) => [...terms.purposes]);

beforeEach(() => {
  chain = actingChain();
  journal = memoryJournal();
  chain.put('contribution', aContribution({ id: A, owner: WALLET.address }));
  chain.put('contribution', aContribution({ id: B, owner: WALLET.address, datasetId: OTHER_SET }));
  grant('one', A, [RESEARCH, MARKETING]);
  grant('two', B, [MARKETING]);
  grant('expired', A, [MARKETING], endedAt(TEST_NOW_MS - DAY_MS, [MARKETING]));
});
const DAY_MS = 86_400_000;
const endedAt = (expiresAtMs: number, purposes: string[]) => ({
  terms: { ...someTerms(), purposes, expiresAtMs: asTimestampMs(expiresAtMs) },
});

describe('revoking', () => {
  it('of one purpose everywhere: narrower grants take the place of those that name others', async () => {
    const plan = await client().grants.planRevocation({ purpose: MARKETING });
    expect(plan.steps.map(({ grantId, after }) => [grantId, after?.purposes ?? null])).toEqual([
      [idOf('one'), [RESEARCH]],
      [idOf('two'), null],
    ]);
    expect([plan.transactions, chain.executed]).toEqual([1, []]);
    const done = await client().grants.revokeByPlan(plan);
    expect(done.revoked).toEqual([idOf('one'), idOf('two')]);
    expect(done.given.map(({ terms }) => terms)).toEqual([{ ...someTerms(), purposes: [RESEARCH] }]);
    // Each successor comes in the same transaction, right after what it narrows.
    expect(chain.executed.map((actions) => actions.map(({ kind }) => kind))).toEqual([
      ['revokeGrant', 'giveGrant', 'revokeGrant'],
    ]);
    expect((await client().grants.planRevocation({ purpose: MARKETING })).steps).toEqual([]);
  });

  it('of a part of a purpose keeps the rest of it', async () => {
    await client().grants.revokeByPlan(await client().grants.planRevocation({ contributionId: A, purpose: ACADEMIC }));
    const [left] = (await living(A)).filter((purposes) => purposes.length > 1);
    expect(purposesCover(left!, ACADEMIC)).toBe(false);
    expect(purposesCover(left!, 'dpv:CommercialResearch') && purposesCover(left!, MARKETING)).toBe(true);
  });

  it.each([
    ['one contribution', { contributionId: A }, ['one']],
    ['one dataset', { datasetId: OTHER_SET }, ['two']],
    ['everything', {}, ['one', 'two']],
  ])('of %s', async (_what, scope, names) => {
    const plan = await client().grants.planRevocation(scope);
    expect(plan.steps.map(({ grantId, after }) => [grantId, after])).toEqual(names.map((name) => [idOf(name), null]));
  });

  it('of what this clock alone calls expired, too: another may be in force, and nothing is given in its place', async () => {
    grant('just over', A, [RESEARCH, MARKETING], endedAt(TEST_NOW_MS - DAY_MS + 1, [RESEARCH, MARKETING]));
    const { steps } = await client().grants.planRevocation({ contributionId: A, purpose: MARKETING });
    expect(steps.map(({ grantId, after }) => [grantId, after?.purposes ?? null])).toEqual([
      [idOf('one'), [RESEARCH]],
      [idOf('just over'), null],
    ]);
  });

  it('again sends nothing', async () => {
    const plan = await client().grants.planRevocation({ purpose: MARKETING });
    const first = await client().grants.revokeByPlan(plan);
    expect(await client().grants.revokeByPlan(plan)).toEqual(first);
    expect(chain.executed).toHaveLength(1);
    expect(await journal.keys('')).toEqual([]);
  });

  it('gives nothing in the place of what was revoked in the meantime', async () => {
    const plan = await client().grants.planRevocation({ purpose: MARKETING });
    const one = await chain.grant(idOf<GrantId>('one'));
    chain.put('grant', { ...one, revokedAtMs: TEST_NOW_MS });
    const done = await client().grants.revokeByPlan(plan);
    expect([done.skipped, done.revoked, done.given]).toEqual([[idOf('one')], [idOf('two')], []]);
    expect(await living(A)).toEqual([[MARKETING]]); // the one that has expired
  });

  it('goes on after the answer was lost, without sending another', async () => {
    const plan = await client().grants.planRevocation({ purpose: MARKETING });
    const { send } = chain;
    let lost = 0;
    chain.send = async (transaction) => {
      const outcome = await send(transaction);
      if (lost++ === 0) throw refuse('CHAIN_UNAVAILABLE');
      return outcome;
    };
    await expect(client().grants.revokeByPlan(plan)).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
    expect((await client().grants.revokeByPlan(plan)).given).toHaveLength(1);
    expect(chain.executed).toHaveLength(1);
  });

  it('of many is signed in as few transactions as the chain takes', async () => {
    for (let i = 0; i < 70; i += 1) grant(`many ${i}`, A, [MARKETING, RESEARCH]);
    const plan = await client().grants.planRevocation({ contributionId: A, purpose: MARKETING });
    expect([plan.steps.length, plan.transactions]).toEqual([71, 3]);
    await client().grants.revokeByPlan(plan);
    expect(chain.executed.map((actions) => actions.length)).toEqual([64, 64, 14]);
  });

  it('of a retired contribution gives nothing new', async () => {
    chain.put('contribution', aContribution({ id: A, owner: WALLET.address, tombstonedAtMs: TEST_NOW_MS }));
    const { steps } = await client().grants.planRevocation({ contributionId: A, purpose: MARKETING });
    expect(steps.map(({ after }) => after)).toEqual([null]);
  });

  it('is for the owner, for codes, and for what there is', async () => {
    const plan = (scope: object) => client().grants.planRevocation(scope);
    await expect(plan({ purpose: 'marketing' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(plan({ contributionId: idOf('nowhere') })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(plan({ contributionId: A, datasetId: OTHER_SET })).rejects.toMatchObject({ code: 'DATASET_MISMATCH' });
    chain.put('contribution', aContribution({ id: A, owner: idOf<Address>('somebody') }));
    await expect(plan({ contributionId: A })).rejects.toMatchObject({ code: 'WRONG_WALLET' });
  });
});
