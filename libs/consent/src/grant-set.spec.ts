import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs, type ContributionId, type Digest, type GrantId } from '@usufruct/kernel';
import type { ContributionView, GrantView } from '@usufruct/protocol';
import {
  aContribution,
  aDao,
  aDataset,
  aGrant,
  aJob,
  anAttestation,
  aPolicy,
  idOf,
  someTerms,
  TEST_NOW_MS,
} from '@usufruct/testing';
import fc from 'fast-check';
import { decide } from './decide.js';
import { GRANT_SET_RULES, grantSetOf, useRefusal, type GrantSetInput } from './grant-set.js';
import { DUO_MODIFIERS, VOCABULARY } from './vocabulary.js';

type Held = GrantSetInput['contributions'][number];
const idAt = (n: number): ContributionId => idOf<ContributionId>(`contribution ${n}`);
const grantOf = (n: number, changes: Partial<GrantView> = {}): GrantView =>
  aGrant({ id: idOf<GrantId>(`grant ${n}`), contributionId: idAt(n), ...changes });
const held = (n: number, grants = [grantOf(n)], changes: Partial<ContributionView> = {}): Held => ({
  contribution: aContribution({ id: idAt(n), manifestDigest: idOf<Digest>(`manifest ${n}`), ...changes }),
  grants,
});
const input = (contributions: readonly Held[], changes: Partial<GrantSetInput> = {}): GrantSetInput => ({
  dataset: aDataset(),
  contributions,
  use: aJob(),
  nowMs: TEST_NOW_MS,
  ...changes,
});
const versionOf = (contributions: readonly Held[], changes: Partial<GrantSetInput> = {}): Digest =>
  grantSetOf(input(contributions, changes)).version;
const changeFirst =
  (change: (one: Held) => Held) =>
  (all: readonly Held[]): Held[] =>
    all.map((one, i) => (i === 0 ? change(one) : one));
const withGrant = (changes: Partial<GrantView>) =>
  changeFirst(({ contribution, grants }) => ({ contribution, grants: [{ ...grants[0]!, ...changes }] }));

const three = [held(1), held(2), held(3)];

describe('a grant-set version', () => {
  it('names what may be used, and when that ends by itself', () => {
    const sooner = asTimestampMs(TEST_NOW_MS + 5_000);
    const all = [held(1), held(2, [grantOf(2, { terms: someTerms({ expiresAtMs: sooner }) })])];
    const set = grantSetOf(input(all));
    expect([...set.usable].sort()).toEqual([idAt(1), idAt(2)].sort());
    // Two acceptances and two grants.
    expect(set).toMatchObject({ facts: 4, changesAtMs: sooner });
    expect(grantSetOf(input([]))).toMatchObject({ facts: 0, usable: [], changesAtMs: null });
  });

  it('is the same in any order', () => {
    const many = [1, 2, 3, 4, 5].map((n) =>
      held(n, [
        grantOf(n),
        grantOf(n, { id: idOf<GrantId>(`second ${n}`) }),
        grantOf(n, { id: idOf<GrantId>(`third ${n}`) }),
      ]),
    );
    const version = versionOf(many);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(many, { minLength: many.length }),
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        (order, turned) => {
          const same = order.map((one, i) => (turned[i] ? { ...one, grants: one.grants.toReversed() } : one));
          expect(versionOf(same)).toBe(version);
        },
      ),
    );
  });

  const CHANGES: [string, (all: readonly Held[]) => readonly Held[]][] = [
    ['a revocation', withGrant({ revokedAtMs: TEST_NOW_MS })],
    ['an expiry', withGrant({ terms: someTerms({ expiresAtMs: TEST_NOW_MS }) })],
    [
      'a retirement',
      changeFirst((one) => ({ ...one, contribution: { ...one.contribution, tombstonedAtMs: TEST_NOW_MS } })),
    ],
    ['an acceptance of what was granted', (all) => [...all, held(9)]],
    [
      'another grant for this use',
      changeFirst((one) => ({ ...one, grants: [...one.grants, grantOf(1, { id: idOf<GrantId>('one more') })] })),
    ],
  ];
  it.each(CHANGES)('is another one after %s, and knows more', (_what, change) => {
    const [before, after] = [three, change(three)].map((all) => grantSetOf(input(all)));
    expect(after!.version).not.toBe(before!.version);
    expect(after!.facts).toBeGreaterThan(before!.facts);
  });

  it('does not come back when a grant that came in between has ended', () => {
    const extra = grantOf(1, { id: idOf<GrantId>('in between') });
    const plus = (grant: GrantView) => [held(1, [grantOf(1), grant]), held(2), held(3)];
    const sets = [three, plus(extra), plus({ ...extra, revokedAtMs: TEST_NOW_MS })].map((all) =>
      grantSetOf(input(all)),
    );
    expect(new Set(sets.map(({ version }) => version)).size).toBe(3);
    expect(sets.map(({ facts }) => facts)).toEqual([6, 7, 8]);
    expect(sets[2]!.usable).toEqual(sets[0]!.usable);
  });

  const NOTHING: [string, (all: readonly Held[]) => readonly Held[]][] = [
    ['a contribution that is not accepted', (all) => [...all, held(9, undefined, { state: 'proposed' })]],
    ['one of another dataset', (all) => [...all, held(9, undefined, { datasetId: idOf('other') })]],
    ['one that nobody granted', (all) => [...all, held(9, [])]],
    [
      'one that is granted for another purpose',
      (all) => [...all, held(9, [grantOf(9, { terms: someTerms({ purposes: ['dpv:Marketing'] }) })])],
    ],
    ['a grant by somebody else', (all) => [...all, held(9, [grantOf(9, { grantor: idOf('stranger') })])]],
    ['a grant for another kind', (all) => [...all, held(9, [grantOf(9, { terms: someTerms({ kinds: ['train'] }) })])]],
    [
      'a grant for other protection',
      (all) => [...all, held(9, [grantOf(9, { terms: someTerms({ protections: ['fhe'] }) })])],
    ],
    [
      'a grant over the price',
      (all) => [...all, held(9, [grantOf(9, { terms: someTerms({ priceFloorUnits: asAmount(10n ** 12n) }) })])],
    ],
    [
      'a revoked grant for another kind',
      (all) => [...all, held(9, [grantOf(9, { revokedAtMs: TEST_NOW_MS, terms: someTerms({ kinds: ['train'] }) })])],
    ],
    [
      'a grant that is not given yet',
      (all) => [...all, held(9, [grantOf(9, { givenAtMs: asTimestampMs(TEST_NOW_MS + 120_000) })])],
    ],
    [
      "another contribution's grant",
      changeFirst((one) => ({ ...one, grants: [...one.grants, grantOf(2, { id: idOf<GrantId>('strayed') })] })),
    ],
  ];
  it.each(NOTHING)('is not changed by %s', (_what, change) => {
    expect(grantSetOf(input(change(three)))).toEqual(grantSetOf(input(three)));
  });

  it('is not changed by blobs, holders, prices within the floor, or time before an expiry', () => {
    const moved = three.map(({ contribution, grants }) => ({
      contribution: { ...contribution, parts: [], holderSetId: idOf<never>('others'), policyDigest: idOf<Digest>('p') },
      grants,
    }));
    const dearer = { ...aJob(), pricePerQuestionUnits: asAmount(2_000_000n) };
    expect(versionOf(moved, { use: dearer, nowMs: TEST_NOW_MS + 60_000 })).toBe(versionOf(three));
  });

  it('differs between datasets and uses, also where nothing is granted', () => {
    const uses = [
      input([]),
      input([], { dataset: aDataset({ id: idOf('other') }) }),
      input([], { use: aJob({ purpose: 'DUO:0000042' }) }),
      input([], { use: aJob({ kind: 'train' }) }),
      input([], { use: aJob({ protection: 'mpc' }) }),
    ];
    expect(new Set(uses.map((one) => grantSetOf(one).version)).size).toBe(uses.length);
  });

  it('counts a grant for training only where it gives budget, however much is spent', () => {
    const use = aJob({ kind: 'train' });
    const giving = (budgetMicroEpsilon: bigint) =>
      grantSetOf(
        input([held(1, [grantOf(1, { terms: someTerms({ kinds: ['train'], budgetMicroEpsilon }) })])], { use }),
      );
    expect(giving(0n).usable).toEqual([]);
    expect(giving(1n).usable).toEqual([idAt(1)]);
  });

  /** What a chain can do, in any order; a grant's id says what it is. */
  it('only grows: whatever happens, the later view has more facts or the same version', () => {
    const step = fc.record({
      n: fc.integer({ min: 0, max: 3 }),
      what: fc.constantFrom('accept', 'grant', 'grant-other', 'revoke', 'retire', 'wait'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let nowMs: number = TEST_NOW_MS;
        const chain = [0, 1, 2, 3].map((n) => held(n, [], { state: 'proposed' }));
        let last = grantSetOf(input(chain));
        for (const [at, { n, what }] of steps.entries()) {
          const { contribution, grants } = chain[n]!;
          const given = (kinds: 'rag' | 'stats') =>
            grantOf(n, {
              id: idOf<GrantId>(`at ${at}`),
              givenAtMs: asTimestampMs(nowMs),
              terms: someTerms({ kinds: [kinds], expiresAtMs: asTimestampMs(nowMs + 3_000) }),
            });
          if (what === 'accept') chain[n] = { contribution: { ...contribution, state: 'accepted' }, grants };
          if (what === 'grant') chain[n] = { contribution, grants: [...grants, given('rag')] };
          if (what === 'grant-other') chain[n] = { contribution, grants: [...grants, given('stats')] };
          if (what === 'revoke') {
            const revoked = grants.map((grant) => ({
              ...grant,
              revokedAtMs: grant.revokedAtMs ?? asTimestampMs(nowMs),
            }));
            chain[n] = { contribution, grants: revoked };
          }
          if (what === 'retire') {
            const tombstonedAtMs = contribution.tombstonedAtMs ?? asTimestampMs(nowMs);
            chain[n] = { contribution: { ...contribution, tombstonedAtMs }, grants };
          }
          if (what === 'wait') nowMs += 1_000;
          const next = grantSetOf(input(chain, { nowMs }));
          if (next.version === last.version) expect(next).toEqual(last);
          else expect(next.facts).toBeGreaterThan(last.facts);
          // What it says may be used is what the one decision says.
          const yes = chain.filter(
            (one) => decide({ ...one, dataset: aDataset(), dao: aDao(), use: aJob(), nowMs }).ok,
          );
          expect([...next.usable].sort()).toEqual(yes.map((one) => one.contribution.id).sort());
          last = next;
        }
      }),
    );
  });

  it('has its rules numbered: who changes the vocabulary of purposes raises the number', () => {
    const rules = [...VOCABULARY, ...DUO_MODIFIERS].map((one) => ({ ...one, label: '', description: '' }));
    const digest = createHash('sha256').update(JSON.stringify(rules)).digest('hex');
    expect({ number: GRANT_SET_RULES, digest }).toEqual({
      number: 1,
      digest: '48c17441c0c6bb4f0d262b0eff1859e0738e31282d6664bfad7281e2911665d3',
    });
  });
});

describe('what stands against a use, whatever is granted', () => {
  const good = {
    dataset: aDataset(),
    dao: aDao(),
    use: aJob(),
    job: aJob(),
    attestation: anAttestation(),
    nowMs: TEST_NOW_MS,
  };
  it('is nothing in a good case', () => expect(useRefusal(good)).toBeNull());

  it.each([
    ['TOMBSTONED', { dataset: aDataset({ tombstonedAtMs: TEST_NOW_MS }) }],
    ['DAO_PAUSED', { dao: aDao({ paused: true }) }],
    ['PURPOSE_DENIED', { dao: aDao({ policy: aPolicy({ purposes: [] }) }) }],
    ['SCOPE_MISMATCH', { dao: aDao({ policy: aPolicy({ kinds: ['stats'] }) }) }],
    ['LICENCE_REQUIRED', { licences: [] }],
    ['JOB_STATE', { job: aJob({ state: 'succeeded' }) }],
    ['JOB_EXPIRED', { job: aJob({ expiresAtMs: TEST_NOW_MS }) }],
    ['ATTESTATION_REFUSED', { attestation: anAttestation({ ok: false }) }],
    ['ATTESTATION_STALE', { attestation: anAttestation({ expiresAtMs: TEST_NOW_MS }) }],
    ['JOB_STATE', { job: undefined, mustJudge: ['job'] as const }],
  ])('%s', (code, changes) => {
    expect(useRefusal({ ...good, ...changes } as Parameters<typeof useRefusal>[0])?.code).toBe(code);
  });
});
