import { describe, expect, it } from '@jest/globals';
import type { ChainAction, LeaseRenewal } from '@usufruct/protocol';
import { DaoWorld } from '../testing/dao-world.js';
import { table, type Row } from '../testing/refusal-table.js';
import { hexOf } from '../testing/world.js';

/** The manifest and the one part of each contribution; both leases end with epoch 9. */
const MANIFEST = hexOf('manifest blob');
const PART = hexOf('part');
const renew = (w: DaoWorld, renewals: LeaseRenewal[], i = 0): ChainAction => ({
  kind: 'renewLease',
  contributionId: w.contributionIds[i]!,
  renewals,
});
const until = (endEpoch: number, blob = PART): LeaseRenewal => ({ blob, endEpoch });
const ada = (w: DaoWorld) => w.contributors[0]!;
const filled = async () => (await new DaoWorld().found()).fill();
const sent =
  (...renewals: LeaseRenewal[]): Row[2] =>
  (w) => [ada(w), renew(w, renewals)];
const many = (count: number) => Array.from({ length: count }, (_, i) => until(10 + i));

table('leases', filled, [
  ['of a part', 'ok', sent(until(10))],
  ['of both', 'ok', sent(until(10), until(12, MANIFEST))],
  ['by a steward', 'ok', (w) => [w.founder, renew(w, [until(10)])]],
  ['by another contributor, a member', 'FORBIDDEN', (w) => [w.contributors[1]!, renew(w, [until(10)])]],
  ['by a stranger', 'FORBIDDEN', (w) => [w.stranger, renew(w, [until(10)])]],
  [
    'of no contribution',
    'NOT_FOUND',
    (w) => [ada(w), { ...renew(w, [until(10)]), contributionId: hexOf('x') } as ChainAction],
  ],
  ['none', 'INVALID_ARGUMENT renewals', sent()],
  ['as they are', 'INVALID_ARGUMENT renewals.0.endEpoch', sent(until(9))],
  ["the manifest's as it is", 'INVALID_ARGUMENT renewals.1.endEpoch', sent(until(10), until(9, MANIFEST))],
  ['of another blob', 'INVALID_ARGUMENT renewals.1.blob', sent(until(10), until(10, hexOf('other')))],
  ['one blob twice', 'INVALID_ARGUMENT renewals', sent(until(10), until(11))],
  ['one blob 1,025 times', 'INVALID_ARGUMENT renewals', sent(...many(1_025))],
]);

table(
  'leases of what was retired',
  async () => {
    const w = await filled();
    await w.run(ada(w), { kind: 'tombstoneContribution', contributionId: w.contributionIds[0]! });
    return w;
  },
  [
    ['the contribution', 'TOMBSTONED', sent(until(10))],
    ['another one', 'ok', (w) => [w.contributors[1]!, renew(w, [until(10)], 1)]],
  ],
);

describe('a renewal', () => {
  it('changes every place of the blob and no other, also while the DAO is paused', async () => {
    const w = await filled();
    const part = { blob: PART, sizeBytes: 1, endEpoch: 9 };
    const parts = [part, { ...part, endEpoch: 8 }, { ...part, blob: hexOf('other') }];
    await w.run(ada(w), w.contribution({ salt: hexOf('x'), parts }));
    const contributionId = w.derive<never>('contribution', w.datasetId, ada(w), 'x');
    await w.run(w.founder, { kind: 'pauseDao', daoId: w.daoId });
    await w.run(ada(w), { kind: 'renewLease', contributionId, renewals: [until(10)] });
    const { manifestBlob, parts: now } = w.store.read('contribution', contributionId)!;
    expect([manifestBlob, ...now].map(({ endEpoch }) => endEpoch)).toEqual([9, 10, 10, 9]);
  });
});
