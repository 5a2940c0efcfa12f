import { describe, expect, it } from '@jest/globals';
import {
  asAmount,
  asTimestampMs,
  type Address,
  type ContributionId,
  type DaoId,
  type ErrorCode,
  type GrantId,
} from '@usufruct/kernel';
import { LIMITS, type GrantView } from '@usufruct/protocol';
import {
  aContribution,
  aDao,
  aDataset,
  aDecision,
  aGrant,
  aPolicy,
  idOf,
  someTerms,
  TEST_NOW_MS,
} from '@usufruct/testing';
import fc from 'fast-check';
import { decide } from './decide.js';
import type { DecisionInput } from './decision-input.js';

const { contribution, dataset, grants, dao, use, job, manifest, nowMs } = aDecision();
const good: DecisionInput = { contribution, dataset, grants, dao, use, job, nowMs };
const outcome = (input: DecisionInput): ErrorCode | 'YES' => {
  const result = decide(input);
  return result.ok ? 'YES' : result.refusal.code;
};
const withGrant = (changes: Partial<GrantView>): DecisionInput => ({ ...good, grants: [aGrant(changes)] });
const withTerms = (changes: Parameters<typeof someTerms>[0]): DecisionInput => withGrant({ terms: someTerms(changes) });

describe('decide', () => {
  it('says yes with the grant that covers everything', () => {
    expect(decide({ ...good, manifest })).toEqual({
      ok: true,
      value: { grant: aGrant(), unjudged: ['budget', 'licences', 'attestation'] },
    });
  });

  const rows: [string, ErrorCode, DecisionInput][] = [
    ['proposed', 'CONTRIBUTION_NOT_ACCEPTED', { ...good, contribution: aContribution({ state: 'proposed' }) }],
    ['declined', 'CONTRIBUTION_NOT_ACCEPTED', { ...good, contribution: aContribution({ state: 'declined' }) }],
    ['retired', 'TOMBSTONED', { ...good, contribution: aContribution({ tombstonedAtMs: TEST_NOW_MS }) }],
    [
      'retired by a clock ahead of ours',
      'TOMBSTONED',
      { ...good, contribution: aContribution({ tombstonedAtMs: asTimestampMs(TEST_NOW_MS + 9) }) },
    ],
    ['of a retired dataset', 'TOMBSTONED', { ...good, dataset: aDataset({ tombstonedAtMs: TEST_NOW_MS }) }],
    [
      'retired before anybody decided',
      'TOMBSTONED',
      { ...good, contribution: aContribution({ state: 'proposed', tombstonedAtMs: TEST_NOW_MS }) },
    ],
    ['judged by another dataset', 'DATASET_MISMATCH', { ...good, dataset: aDataset({ id: idOf('other') }) }],
    ['other dataset', 'DATASET_MISMATCH', { ...good, contribution: aContribution({ datasetId: idOf('other') }) }],
    ['policy of another DAO', 'DATASET_MISMATCH', { ...good, dao: aDao({ id: idOf<DaoId>('other') }) }],
    [
      'manifest of another dataset',
      'DATASET_MISMATCH',
      { ...good, manifest: { ...manifest, datasetId: idOf('other') } },
    ],
    ['manifest swapped', 'MANIFEST_MISMATCH', { ...good, manifest: { ...manifest, digest: idOf('other') } }],
    ['manifest of another owner', 'MANIFEST_MISMATCH', { ...good, manifest: { ...manifest, owner: idOf('other') } }],
    [
      'manifest of another contribution',
      'MANIFEST_MISMATCH',
      { ...good, manifest: { ...manifest, contributionId: idOf('x') } },
    ],
    ['paused DAO', 'DAO_PAUSED', { ...good, dao: aDao({ paused: true }) }],
    [
      'narrower than what the policy lists: the chain funds no such job',
      'PURPOSE_DENIED',
      { ...good, use: { ...job, purpose: 'dpv:AcademicResearch' } },
    ],
    [
      'modifier in the policy',
      'PURPOSE_DENIED',
      { ...good, dao: aDao({ policy: aPolicy({ purposes: [job.purpose, 'DUO:0000021'] }) }) },
    ],
    [
      'purpose outside the policy',
      'PURPOSE_DENIED',
      { ...good, dao: aDao({ policy: aPolicy({ purposes: ['dpv:Marketing'] }) }) },
    ],
    ['kind outside the policy', 'SCOPE_MISMATCH', { ...good, dao: aDao({ policy: aPolicy({ kinds: ['train'] }) }) }],
    [
      'protection outside the policy',
      'SCOPE_MISMATCH',
      { ...good, dao: aDao({ policy: aPolicy({ protections: ['fhe'] }) }) },
    ],
    ['no grant', 'GRANT_REQUIRED', { ...good, grants: [] }],
    ['grant of somebody else', 'GRANT_REQUIRED', withGrant({ grantor: idOf<Address>('stranger') })],
    ['grant of another contribution', 'GRANT_REQUIRED', withGrant({ contributionId: idOf<ContributionId>('x') })],
    ['revoked', 'GRANT_REVOKED', withGrant({ revokedAtMs: asTimestampMs(TEST_NOW_MS - 1) })],
    ['revoked by a clock ahead of ours', 'GRANT_REVOKED', withGrant({ revokedAtMs: asTimestampMs(TEST_NOW_MS + 9) })],
    [
      'given later than now, by any clock',
      'GRANT_REQUIRED',
      withGrant({ givenAtMs: asTimestampMs(TEST_NOW_MS + LIMITS.clockSkewMs + 1) }),
    ],
    ['expires now', 'GRANT_EXPIRED', withTerms({ expiresAtMs: TEST_NOW_MS })],
    ['no clock', 'GRANT_EXPIRED', { ...good, nowMs: Number.NaN }],
    ['other purpose', 'PURPOSE_DENIED', withTerms({ purposes: ['dpv:Marketing'] })],
    ['narrower purpose than asked', 'PURPOSE_DENIED', withTerms({ purposes: ['dpv:AcademicResearch'] })],
    ['no purpose', 'PURPOSE_DENIED', withTerms({ purposes: [] })],
    ['modifier beside a covering purpose', 'PURPOSE_DENIED', withTerms({ purposes: ['dpv:Purpose', 'DUO:0000046'] })],
    ['other kind', 'SCOPE_MISMATCH', withTerms({ kinds: ['stats', 'train'] })],
    ['other protection', 'SCOPE_MISMATCH', withTerms({ protections: ['mpc'] })],
    ['one unit under the floor', 'PRICE_BELOW_FLOOR', withTerms({ priceFloorUnits: asAmount(1_000_001n) })],
    ['job succeeded', 'JOB_STATE', { ...good, job: { ...job, state: 'succeeded' } }],
    ['job cancelled', 'JOB_STATE', { ...good, job: { ...job, state: 'cancelled' } }],
    ['job at its end', 'JOB_EXPIRED', { ...good, job: { ...job, expiresAtMs: TEST_NOW_MS } }],
  ];
  it.each(rows)('%s → %s', (_name, code, input) => {
    expect(outcome(input)).toBe(code);
  });

  it('says which rule refused and what would do', () => {
    const result = decide(withTerms({ priceFloorUnits: asAmount(2_000_000n) }));
    expect(result.ok ? null : result.refusal.details).toEqual({
      rule: 'grant.priceFloor',
      asked: '1000000',
      floorUnits: '2000000',
      contributionId: idOf('contribution'),
      grantId: idOf('grant'),
    });
  });

  it('decides before there is a job, for advice', () => {
    expect(
      outcome({
        contribution: good.contribution,
        dataset: good.dataset,
        grants: good.grants,
        dao: good.dao,
        use: good.use,
        nowMs: TEST_NOW_MS,
      }),
    ).toBe('YES');
  });
});

describe('privacy budget', () => {
  const dao = aDao({ policy: aPolicy({ kinds: ['rag', 'train', 'stats'] }) });
  const terms = someTerms({ kinds: ['train', 'rag'], budgetMicroEpsilon: 100n });
  const training = { ...good, dao, use: { ...job, kind: 'train' as const }, grants: [aGrant({ terms })] };
  const budget = (neededMicroEpsilon: bigint, spentMicroEpsilon: bigint) => ({ neededMicroEpsilon, spentMicroEpsilon });
  it.each([
    ['fits exactly', budget(40n, 60n), 'YES'],
    ['one too much', budget(41n, 60n), 'BUDGET_EXHAUSTED'],
    ['cost not stated', undefined, 'BUDGET_EXHAUSTED'],
    ['training for nothing', budget(0n, 0n), 'BUDGET_EXHAUSTED'],
    ['negative spending', budget(100n, -1n), 'BUDGET_EXHAUSTED'],
    ['negative need', budget(-5n, 0n), 'BUDGET_EXHAUSTED'],
  ])('%s', (_name, stated, expected) => {
    expect(outcome(stated === undefined ? training : { ...training, budget: stated })).toBe(expected);
  });
});

describe('several grants', () => {
  const older = (id: string, changes: Partial<GrantView>) =>
    aGrant({ id: idOf<GrantId>(id), givenAtMs: asTimestampMs(TEST_NOW_MS - 9_000_000), ...changes });

  it('needs one that covers everything; two halves do not add up', () => {
    const purposeOnly = older('a', { terms: someTerms({ kinds: ['train'] }) });
    const kindOnly = older('b', { terms: someTerms({ purposes: ['dpv:Marketing'] }) });
    expect(outcome({ ...good, grants: [purposeOnly, kindOnly] })).toBe('SCOPE_MISMATCH');
    expect(outcome({ ...good, grants: [purposeOnly, aGrant(), kindOnly] })).toBe('YES');
  });

  it('a revoked grant does not spoil a new one', () => {
    const revoked = older('a', { revokedAtMs: asTimestampMs(TEST_NOW_MS - 5) });
    expect(decide({ ...good, grants: [revoked, aGrant()] })).toMatchObject({
      ok: true,
      value: { grant: { id: idOf('grant') } },
    });
  });

  it('reports the closest to yes: fewest failed rules, then the latest, whatever the order', () => {
    const far = older('far', { revokedAtMs: TEST_NOW_MS, terms: someTerms({ purposes: [], kinds: [] }) });
    const revoked = older('revoked', { revokedAtMs: TEST_NOW_MS });
    const tooCheap = older('cheap', { terms: someTerms({ priceFloorUnits: asAmount(9_000_000n) }) });
    const grants = [far, revoked, tooCheap];
    fc.assert(
      fc.property(fc.shuffledSubarray(grants, { minLength: 3 }), (shuffled) => {
        const result = decide({ ...good, grants: shuffled });
        expect(result.ok ? null : result.refusal).toMatchObject({
          code: 'PRICE_BELOW_FLOOR',
          details: { grantId: idOf('cheap') },
        });
      }),
    );
  });
});
