import { describe, expect, it } from '@jest/globals';
import { asAmount, type DatasetId, type LicenceId } from '@usufruct/kernel';
import { LIMITS, type ChainAction, type LicenceTerms, type ProposalEffect } from '@usufruct/protocol';
import { DaoWorld, PURPOSE } from '../testing/dao-world.js';
import { table, type Row } from '../testing/refusal-table.js';
import { hexOf } from '../testing/world.js';

const FEE = 1_000_001n;
const TERM_MS = 60_000;
/** Ids come out the same in every world. */
const { datasetId, founder, requester, daoId } = new DaoWorld();
const offerId = new DaoWorld().proposalIdOf(founder) as string as LicenceId;
const offer = (changes: Partial<LicenceTerms> = {}): ProposalEffect => ({
  kind: 'offerLicence',
  terms: {
    datasetId,
    purpose: PURPOSE,
    computation: 'rag',
    protection: 'tee',
    priceUnits: asAmount(FEE),
    termMs: TERM_MS,
    ...changes,
  },
});
const withdraw: ProposalEffect = { kind: 'withdrawLicenceOffer', offerId };
const execute = (w: DaoWorld, salt: string) => w.execute(w.proposalIdOf(w.founder, salt));
const filled = async () => {
  const w = await (await new DaoWorld().found()).fill();
  await w.run(w.requester, w.mint(w.requester, 10n * FEE));
  return w;
};
const offered =
  (changes: Partial<LicenceTerms> = {}) =>
  async () => {
    const w = await filled();
    await w.decided(offer(changes));
    return w;
  };
const decided = async (w: DaoWorld, effect: ProposalEffect) => {
  await w.decided(effect, 'second');
  return w;
};
const buy = (changes: object = {}): ChainAction =>
  ({ kind: 'buyLicence', salt: hexOf('licence'), offerId, priceUnits: asAmount(FEE), ...changes }) as ChainAction;
const bought =
  (changes: object = {}): Row[2] =>
  (w) => [w.requester, buy(changes)];

const propose =
  (changes: Partial<LicenceTerms>): Row[2] =>
  (w) => [w.founder, w.propose(offer(changes))];
table('proposing an offer', filled, [
  ['a good one', 'ok', propose({})],
  ['for nothing', 'ok', propose({ priceUnits: asAmount(0n) })],
  ['for a purpose in words', 'INVALID_ARGUMENT purposes', propose({ purpose: 'research' })],
  ['without a term', 'INVALID_ARGUMENT termMs', propose({ termMs: 0 })],
  ['for ten years', 'ok', propose({ termMs: LIMITS.licenceTermMs })],
  ['for longer', 'INVALID_ARGUMENT termMs', propose({ termMs: LIMITS.licenceTermMs + 1 })],
  ['on no dataset, which shows when it is executed', 'ok', propose({ datasetId: hexOf<DatasetId>('x') })],
]);

const executed: Row[2] = (w) => [w.stranger, execute(w, 'second')];
const votedOn = (effect: ProposalEffect, make: () => Promise<DaoWorld>) => async () => {
  const w = await make();
  await w.carried(effect, 'second');
  return w;
};
table('an offer on no dataset', votedOn(offer({ datasetId: hexOf<DatasetId>('x') }), filled), [
  ['executed', 'NOT_FOUND', executed],
]);
const retired = async () => decided(await offered()(), { kind: 'tombstoneDataset', datasetId });
table('on a retired dataset', retired, [
  ['a licence', 'TOMBSTONED', bought()],
  ['an offer', 'TOMBSTONED', async (w) => (await w.carried(offer(), 'third'), [w.stranger, execute(w, 'third')])],
]);
table('the withdrawal of nothing', votedOn(withdraw, filled), [['executed', 'NOT_FOUND', executed]]);
table('the second withdrawal', votedOn(withdraw, offered()), [['executed', 'ok', executed]]);
const withdrawn = async () => decided(await offered()(), withdraw);
table('after a withdrawal', withdrawn, [
  ['a licence', 'TOMBSTONED', bought()],
  [
    'the same withdrawal',
    'TOMBSTONED',
    async (w) => (await w.carried(withdraw, 'third'), [w.stranger, execute(w, 'third')]),
  ],
]);

table('licences', offered(), [
  ['at the price', 'ok', bought()],
  ['for less', 'INVALID_ARGUMENT priceUnits', bought({ priceUnits: FEE - 1n })],
  ['for more', 'INVALID_ARGUMENT priceUnits', bought({ priceUnits: FEE + 1n })],
  ['of no offer', 'NOT_FOUND', bought({ offerId: hexOf('x') })],
  ['without the money', 'INSUFFICIENT_BALANCE', (w) => [w.stranger, buy()]],
  ['twice the same', 'ALREADY_EXISTS', (w) => [w.requester, buy(), buy()]],
  ['two', 'ok', (w) => [w.requester, buy(), buy({ salt: hexOf('another') })]],
]);
table(
  'while the DAO is paused',
  async () => {
    const w = await offered()();
    await w.run(w.founder, { kind: 'pauseDao', daoId: w.daoId });
    return w;
  },
  [['a licence', 'DAO_PAUSED', bought()]],
);

describe('a licence', () => {
  it('pays the protocol by the split and the treasury the rest, to the unit', async () => {
    const w = await offered()();
    const { events } = await w.run(w.requester, buy());
    const { treasury } = w.store.read('dao', daoId)!;
    const { protocolAccount } = w.chain.info;
    // 9,800 and 200 of 10,000: 980,000.98 and 20,000.02; the floors leave one unit, for the larger remainder.
    expect(events.map(({ data }) => data)).toEqual([
      {
        type: 'LicenceBought',
        licence: {
          id: w.derive('licence', offerId, requester, 'licence'),
          offerId,
          daoId,
          licensee: requester.address,
          terms: offer().kind === 'offerLicence' ? (offer() as { terms: object }).terms : null,
          boughtAtMs: w.clock.nowMs(),
          expiresAtMs: w.clock.nowMs() + TERM_MS,
        },
        payouts: [
          { account: treasury, role: 'treasury', contributionId: null, amountUnits: 980_001n },
          { account: protocolAccount, role: 'protocol', contributionId: null, amountUnits: 20_000n },
        ],
      },
    ]);
    expect([{ address: treasury }, { address: protocolAccount }, requester].map((one) => w.balanceOf(one))).toEqual([
      980_001n,
      20_000n,
      9n * FEE,
    ]);
  });

  it.each([
    // 24.5 and 0.5: equal remainders, the unit is the treasury's, which is named first.
    [25n, ['treasury']],
    [0n, []],
  ])('of %s leaves rows of zero out', async (priceUnits, roles) => {
    const w = await offered({ priceUnits: asAmount(priceUnits) })();
    const { events } = await w.run(w.requester, buy({ priceUnits }));
    const [data] = events.map((event) => event.data);
    expect(data?.type === 'LicenceBought' && data.payouts.map(({ role }) => role)).toEqual(roles);
  });
});
