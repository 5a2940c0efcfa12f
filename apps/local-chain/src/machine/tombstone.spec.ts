import { describe, expect, it } from '@jest/globals';
import { asAmount, type DatasetId } from '@usufruct/kernel';
import { NO_ANSWER_RULES, type ChainAction } from '@usufruct/protocol';
import { DaoWorld, PRICE } from '../testing/dao-world.js';
import { table, type Row } from '../testing/refusal-table.js';
import { digestOf, hexOf } from '../testing/world.js';

const MINUTE_MS = 60_000;
const ready = () => DaoWorld.ready();
/** Votes are quick here, so that grants outlive them. */
const filled = async () => (await new DaoWorld().found({ votingMs: MINUTE_MS, timelockMs: 0 })).fill();
const execute = (w: DaoWorld, salt = 'proposal') => w.execute(w.proposalIdOf(w.founder, salt));
const retire = (w: DaoWorld, i = 0): ChainAction => ({
  kind: 'tombstoneContribution',
  contributionId: w.contributionIds[i]!,
});
const ada = (w: DaoWorld) => w.contributors[0]!;
/** What Ada offered and nobody has decided on. */
const extra = (w: DaoWorld) => w.contribution({ salt: hexOf('extra') });
const extraId = (w: DaoWorld) => w.derive<never>('contribution', w.datasetId, ada(w), 'extra');
const retireExtra = (w: DaoWorld): ChainAction => ({ kind: 'tombstoneContribution', contributionId: extraId(w) });

const withoutAda = async () => {
  const w = await ready();
  await w.run(ada(w), retire(w), extra(w), retireExtra(w));
  return w;
};
table('retired contributions', withoutAda, [
  ['again', 'TOMBSTONED', (w) => [ada(w), retire(w)]],
  ['by another contributor', 'WRONG_WALLET', (w) => [ada(w), retire(w, 1)]],
  ['by the founder', 'WRONG_WALLET', (w) => [w.founder, retire(w, 1)]],
  ['one that is not there', 'NOT_FOUND', (w) => [ada(w), { ...retire(w), contributionId: hexOf('x') } as ChainAction]],
  ['another one by its owner', 'ok', (w) => [w.contributors[1]!, retire(w, 1)]],
  ['granted', 'TOMBSTONED', (w) => [ada(w), w.grant(0, {}, 'again')]],
  ['its grant revoked', 'ok', (w) => [ada(w), { kind: 'revokeGrant', grantId: w.grantIds[0]! }]],
  [
    'decided on',
    'TOMBSTONED',
    (w) => [w.founder, { kind: 'decideContribution', contributionId: extraId(w), accept: true }],
  ],
  ['used', 'TOMBSTONED', async (w) => [w.stranger, await w.settlement(w.uses(1n, 1n, 1n))]],
  ['left out', 'ok', async (w) => [w.stranger, await w.settlement(w.uses(null, 1n, 1n))]],
]);

/** The dataset is retired by vote; a job begins just before. */
const retired = async () => {
  const w = await filled();
  await w.carried({ kind: 'tombstoneDataset', datasetId: w.datasetId });
  await w.open();
  await w.run(ada(w), extra(w));
  await w.run(w.stranger, execute(w));
  return w;
};
const sentByAda =
  (make: (w: DaoWorld) => ChainAction): Row[2] =>
  (w) => [ada(w), make(w)];
table('in a retired dataset', retired, [
  ['a contribution', 'TOMBSTONED', (w) => [w.stranger, w.contribution()]],
  ['a decision', 'TOMBSTONED', (w) => [w.founder, { ...w.decide(0), contributionId: extraId(w) } as ChainAction]],
  ['a grant', 'TOMBSTONED', sentByAda((w) => w.grant(0, {}, 'again'))],
  ['a job', 'TOMBSTONED', (w) => [w.requester, w.job({ salt: hexOf('another') })]],
  ['an answer of the same moment', 'TOMBSTONED', async (w) => [w.stranger, await w.settlement(w.uses(null, 1n, null))]],
  ['even one that used nothing', 'TOMBSTONED', async (w) => [w.stranger, await w.settlement([])]],
  [
    'an answer of a moment before',
    'ok',
    async (w) => [
      w.stranger,
      await w.settlement(w.uses(null, 1n, null), { issuedAtMs: (w.clock.nowMs() - 1) as never }),
    ],
  ],
  ['a revocation', 'ok', sentByAda((w) => ({ kind: 'revokeGrant', grantId: w.grantIds[0]! }))],
  ['the retirement of a contribution', 'ok', sentByAda((w) => retire(w))],
  ['the end of a job', 'ok', (w) => [w.requester, { kind: 'closeJob', jobId: w.jobId }]],
]);

const votedOn =
  (effect: Parameters<DaoWorld['carried']>[0], before: (w: DaoWorld) => Promise<unknown> = async () => undefined) =>
  async () => {
    const w = await filled();
    await before(w);
    await w.carried(effect, 'second');
    return w;
  };
const executed: Row[2] = (w) => [w.stranger, execute(w, 'second')];
const another = hexOf<DatasetId>('no dataset');
table('a vote on no dataset', votedOn({ kind: 'tombstoneDataset', datasetId: another }), [
  ['executed', 'NOT_FOUND', executed],
]);
const OTHER_DAO = new DaoWorld().derive<never>('dao', null as never, new DaoWorld().founder, 'x');
const elsewhere = new DaoWorld().derive<DatasetId>('dataset', OTHER_DAO, new DaoWorld().founder, 'elsewhere');
table(
  'a vote on the dataset of another DAO',
  votedOn({ kind: 'tombstoneDataset', datasetId: elsewhere }, async (w) => {
    const metadataHash = digestOf('metadata');
    await w.run(w.founder, w.dao({}, 'x'), {
      kind: 'createDataset',
      salt: hexOf('elsewhere'),
      daoId: OTHER_DAO,
      metadataHash,
      answerRules: NO_ANSWER_RULES,
    });
  }),
  [['executed', 'DATASET_MISMATCH', executed]],
);

describe('a retirement', () => {
  it('is by vote once', async () => {
    const w = await retired();
    await w.carried({ kind: 'tombstoneDataset', datasetId: w.datasetId }, 'second');
    expect(await w.refusal(w.stranger, execute(w, 'second'))).toBe('TOMBSTONED');
  });

  it('keeps the pay for what was answered before it, to the unit', async () => {
    const w = await ready();
    const settlement = await w.settlement(w.uses(1n, null, null));
    w.clock.advance(MINUTE_MS);
    await w.run(ada(w), retire(w));
    const before = w.balanceOf(ada(w));
    await w.run(w.stranger, settlement);
    // 7,000 of 10,000 of the price, all of it to the one contributor.
    expect(w.balanceOf(ada(w)) - before).toBe((PRICE * 7n) / 10n);
  });

  it('is seen by every reader, with its time', async () => {
    const w = await retired();
    await w.run(ada(w), retire(w));
    const now = w.clock.nowMs();
    expect(w.store.read('contribution', w.contributionIds[0]!)).toMatchObject({
      tombstonedAtMs: now,
      state: 'accepted',
    });
    expect(w.store.read('dataset', w.datasetId)).toMatchObject({ tombstonedAtMs: now });
    expect(asAmount(w.balanceOf(w.requester))).toBe(7n * PRICE);
  });
});
