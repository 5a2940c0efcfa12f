import { describe, expect, it } from '@jest/globals';
import {
  asAmount,
  asTimestampMs,
  type Address,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type ErrorCode,
  type GrantId,
} from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  LIMITS,
  type Claims,
  type ComputationKind,
  type GrantView,
  type LicenceView,
  type ProtectionKind,
} from '@usufruct/protocol';
import {
  aContribution,
  aDao,
  aDataset,
  aGrant,
  aJob,
  anAppraisalPolicy,
  aPolicy,
  idOf,
  someTerms,
  TEST_MEASUREMENT,
  TEST_NOW_MS,
} from '@usufruct/testing';
import fc from 'fast-check';
import { decide, DECISION_CODES, policyRefusal } from './decide.js';
import { DECISION_PARTS, type DecisionInput } from './decision-input.js';

const job = aJob();
const good: DecisionInput = {
  contribution: aContribution(),
  dataset: aDataset(),
  grants: [aGrant()],
  dao: aDao(),
  use: job,
  job,
  nowMs: TEST_NOW_MS,
};
const outcome = (input: DecisionInput): ErrorCode | 'YES' => {
  const result = decide(input);
  return result.ok ? 'YES' : result.refusal.code;
};
const withGrant = (changes: Partial<GrantView>): DecisionInput => ({ ...good, grants: [aGrant(changes)] });
const withTerms = (changes: Parameters<typeof someTerms>[0]): DecisionInput => withGrant({ terms: someTerms(changes) });
const useOf = ({ use }: DecisionInput): DecisionInput['use'] => {
  const { requester: _nobody, ...rest } = use;
  return rest;
};
const manifest = {
  datasetId: idOf<DatasetId>('dataset'),
  contributionId: idOf<ContributionId>('contribution'),
  owner: idOf<Address>('contributor'),
  digest: idOf<Digest>('manifest'),
};

/** A licence and a verifier's finding that are good for all of it. */
const licence: LicenceView = {
  id: idOf('licence'),
  offerId: idOf('offer'),
  daoId: good.dao.id,
  licensee: job.requester,
  terms: {
    datasetId: job.datasetId,
    purpose: job.purpose,
    computation: job.kind,
    protection: job.protection,
    priceUnits: asAmount(1n),
    termMs: 1_000,
  },
  boughtAtMs: asTimestampMs(TEST_NOW_MS - 500),
  expiresAtMs: asTimestampMs(TEST_NOW_MS + 500),
};
const claims: Claims = {
  profile: 'software-dev',
  measurement: TEST_MEASUREMENT,
  debug: false,
  hpkePublicKey: new Uint8Array(32),
  signingPublicKey: new Uint8Array(32),
  evidenceDigest: idOf('evidence'),
  standIn: true,
};
const attestation = {
  ok: true,
  claims,
  policyDigest: appraisalPolicyDigest(anAppraisalPolicy()),
  expiresAtMs: asTimestampMs(TEST_NOW_MS + 1_000),
};
const whole: DecisionInput = {
  ...good,
  manifest,
  budget: { neededMicroEpsilon: 0n, spentMicroEpsilon: 0n },
  licences: [licence],
  attestation,
  mustJudge: DECISION_PARTS,
};
const withLicence = (changes: Partial<LicenceView>): DecisionInput => ({
  ...whole,
  licences: [{ ...licence, ...changes }],
});
const withLicenceTerms = (changes: Partial<LicenceView['terms']>): DecisionInput =>
  withLicence({ terms: { ...licence.terms, ...changes } });
const withClaims = (changes: Partial<Claims>): DecisionInput => ({
  ...whole,
  attestation: { ...attestation, claims: { ...claims, ...changes } },
});
const withAppraisal = (changes: Parameters<typeof anAppraisalPolicy>[0]): DecisionInput => {
  const appraisal = { ...anAppraisalPolicy(changes) };
  const copy = { ...appraisal, profiles: [...appraisal.profiles], measurements: [...appraisal.measurements] };
  return { ...whole, dao: aDao({ policy: aPolicy({ appraisal: copy }) }) };
};
const without = (input: DecisionInput, part: (typeof DECISION_PARTS)[number]): DecisionInput => {
  const { [part]: _left, ...rest } = input;
  return rest as DecisionInput;
};

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

describe('what a release needs besides a grant', () => {
  it('is a yes about everything, with nothing left unjudged', () => {
    expect(decide(whole)).toEqual({ ok: true, value: { grant: aGrant(), unjudged: [] } });
  });

  const rows: [string, ErrorCode, string, DecisionInput][] = [
    ['no licence', 'LICENCE_REQUIRED', 'licence', { ...whole, licences: [] }],
    ["somebody else's licence", 'LICENCE_REQUIRED', 'licence', withLicence({ licensee: idOf('stranger') })],
    ['licence of another DAO', 'LICENCE_REQUIRED', 'licence', withLicence({ daoId: idOf('other') })],
    ['licence for another dataset', 'LICENCE_REQUIRED', 'licence', withLicenceTerms({ datasetId: idOf('other') })],
    ['licence for another purpose', 'LICENCE_REQUIRED', 'licence', withLicenceTerms({ purpose: 'dpv:Marketing' })],
    [
      'licence for a narrower purpose',
      'LICENCE_REQUIRED',
      'licence',
      withLicenceTerms({ purpose: 'dpv:AcademicResearch' }),
    ],
    ['licence for another kind', 'LICENCE_REQUIRED', 'licence', withLicenceTerms({ computation: 'train' })],
    ['licence for another protection', 'LICENCE_REQUIRED', 'licence', withLicenceTerms({ protection: 'mpc' })],
    [
      'licence bought later',
      'LICENCE_REQUIRED',
      'licence',
      withLicence({ boughtAtMs: asTimestampMs(TEST_NOW_MS + LIMITS.clockSkewMs + 1) }),
    ],
    ['requester not known', 'LICENCE_REQUIRED', 'licence', { ...whole, use: useOf(whole) }],
    ['licence ended', 'LICENCE_EXPIRED', 'licence.expiry', withLicence({ expiresAtMs: TEST_NOW_MS })],
    [
      'a licence for this that ended, and one for something else that did not',
      'LICENCE_EXPIRED',
      'licence.expiry',
      {
        ...whole,
        licences: [
          { ...licence, expiresAtMs: TEST_NOW_MS },
          { ...licence, terms: { ...licence.terms, computation: 'stats' } },
        ],
      },
    ],
    [
      'appraised and found bad',
      'ATTESTATION_REFUSED',
      'attestation.verdict',
      { ...whole, attestation: { ...attestation, ok: false } },
    ],
    [
      'good, of nobody',
      'ATTESTATION_REFUSED',
      'attestation.verdict',
      {
        ...whole,
        attestation: { ok: true, policyDigest: attestation.policyDigest, expiresAtMs: attestation.expiresAtMs },
      },
    ],
    ['debug', 'ATTESTATION_REFUSED', 'attestation.debug', withClaims({ debug: true })],
    ['profile not approved', 'ATTESTATION_REFUSED', 'attestation.profile', withClaims({ profile: 'snp' })],
    [
      'code not approved',
      'ATTESTATION_REFUSED',
      'attestation.measurement',
      withClaims({ measurement: 'cd'.repeat(48) }),
    ],
    [
      'measurement withdrawn a second ago',
      'ATTESTATION_REFUSED',
      'attestation.measurement',
      withAppraisal({ version: 2, measurements: ['cd'.repeat(48)] }),
    ],
    ['no measurement approved', 'ATTESTATION_REFUSED', 'attestation.measurement', withAppraisal({ measurements: [] })],
    ['appraised by an older policy', 'ATTESTATION_STALE', 'attestation.policy', withAppraisal({ version: 2 })],
    [
      'result has expired',
      'ATTESTATION_STALE',
      'attestation.expiry',
      { ...whole, attestation: { ...attestation, expiresAtMs: TEST_NOW_MS } },
    ],
    ['no clock', 'GRANT_EXPIRED', 'grant.expiry', { ...whole, nowMs: Number.NaN }],
  ];
  it.each(rows)('%s → %s by %s', (_name, code, rule, input) => {
    const result = decide(input);
    expect(result.ok ? null : result.refusal).toMatchObject({ code, details: { rule } });
  });

  it.each([
    ['manifest', 'MANIFEST_MISMATCH'],
    ['budget', 'BUDGET_EXHAUSTED'],
    ['licences', 'LICENCE_REQUIRED'],
    ['job', 'JOB_STATE'],
    ['attestation', 'ATTESTATION_REFUSED'],
  ] as const)('a caller that must have the %s judged gets no without it: %s', (part, code) => {
    expect(outcome(without(whole, part))).toBe(code);
    expect(outcome({ ...without(whole, part), mustJudge: DECISION_PARTS.filter((other) => other !== part) })).toBe(
      'YES',
    );
  });

  it('names the rule of the policy alone, for quotes', () => {
    expect(policyRefusal(good.dao, job)).toBeNull();
    expect(policyRefusal(good.dao, { ...job, kind: 'train' })).toMatchObject({
      code: 'SCOPE_MISMATCH',
      details: { rule: 'policy.kinds', asked: 'train', allowed: 'rag' },
    });
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

/** Everything that can be worse about a decision than about a good one, each on its own. */
const SPOILERS: ((input: DecisionInput) => DecisionInput)[] = [
  (input) => ({ ...input, contribution: { ...input.contribution, state: 'declined' } }),
  (input) => ({ ...input, contribution: { ...input.contribution, datasetId: idOf('other') } }),
  (input) => ({ ...input, manifest: { ...manifest, digest: idOf('other') } }),
  (input) => ({ ...input, dao: { ...input.dao, policy: { ...input.dao.policy, kinds: [] } } }),
  (input) => ({ ...input, dao: { ...input.dao, policy: { ...input.dao.policy, purposes: [] } } }),
  (input) => ({ ...input, dao: { ...input.dao, paused: true } }),
  (input) => ({ ...input, grants: [] }),
  (input) => everyGrant(input, (grant) => ({ ...grant, givenAtMs: asTimestampMs(TEST_NOW_MS + 120_000) })),
  (input) => everyGrant(input, (grant) => ({ ...grant, revokedAtMs: TEST_NOW_MS })),
  (input) => everyGrant(input, (grant) => ({ ...grant, grantor: idOf('stranger') })),
  (input) => everyTerm(input, { expiresAtMs: asTimestampMs(TEST_NOW_MS - 1) }),
  (input) => everyTerm(input, { purposes: [] }),
  (input) => everyTerm(input, { kinds: [] }),
  (input) => everyTerm(input, { protections: [] }),
  (input) => everyTerm(input, { priceFloorUnits: asAmount(10n ** 18n) }),
  (input) =>
    everyGrant(input, (grant) => ({
      ...grant,
      terms: { ...grant.terms, purposes: [...grant.terms.purposes, 'DUO:0000018'] },
    })),
  (input) => ({ ...input, job: { state: 'expired', expiresAtMs: asTimestampMs(TEST_NOW_MS + 1) } }),
  (input) => ({ ...input, job: { state: 'funded', expiresAtMs: TEST_NOW_MS } }),
  (input) => ({ ...input, budget: { neededMicroEpsilon: 1n, spentMicroEpsilon: 10n ** 18n } }),
  (input) => ({ ...input, use: { ...input.use, pricePerQuestionUnits: asAmount(0n) }, grants: withFloor(input) }),
  (input) => ({ ...input, licences: [] }),
  (input) => ({ ...input, licences: [{ ...licence, expiresAtMs: TEST_NOW_MS }] }),
  (input) => ({ ...input, attestation: { ...attestation, ok: false } }),
  (input) => ({ ...input, attestation: { ...attestation, claims: { ...claims, debug: true } } }),
  (input) => ({ ...input, attestation: { ...attestation, expiresAtMs: TEST_NOW_MS } }),
  (input) => ({ ...without(input, 'licences'), mustJudge: ['licences'] }),
  (input) => ({ ...without(input, 'attestation'), mustJudge: ['attestation'] }),
  (input) => ({ ...without(input, 'job'), mustJudge: ['job'] }),
];
const withFloor = (input: DecisionInput): GrantView[] =>
  input.grants.map((grant) => ({ ...grant, terms: someTerms({ ...grant.terms, priceFloorUnits: asAmount(1n) }) }));
const everyGrant = (input: DecisionInput, change: (grant: GrantView) => GrantView): DecisionInput => ({
  ...input,
  grants: input.grants.map(change),
});
const everyTerm = (input: DecisionInput, changes: Parameters<typeof someTerms>[0]): DecisionInput =>
  everyGrant(input, (grant) => ({ ...grant, terms: someTerms({ ...grant.terms, ...changes }) }));

const PURPOSE_SAMPLE = [
  'dpv:ResearchAndDevelopment',
  'dpv:AcademicResearch',
  'dpv:Marketing',
  'DUO:0000042',
  'DUO:0000006',
  'DUO:0000004',
  'DUO:0000046',
];
const arbitraryGrant: fc.Arbitrary<GrantView> = fc
  .record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    purposes: fc.oneof(
      fc.subarray(PURPOSE_SAMPLE.filter((code) => code !== 'DUO:0000046')),
      fc.subarray(PURPOSE_SAMPLE),
    ),
    kinds: fc.oneof(fc.constant<ComputationKind[]>(['rag']), fc.subarray<ComputationKind>(['rag', 'train', 'stats'])),
    protections: fc.oneof(fc.constant<ProtectionKind[]>(['tee']), fc.subarray<ProtectionKind>(['tee', 'mpc', 'fhe'])),
    floor: fc.bigInt({ min: 0n, max: 2_000_000n }),
    expiresIn: fc.integer({ min: -1000, max: 1_000_000 }),
    revoked: fc.constantFrom(true, false, false),
    givenAgo: fc.integer({ min: 0, max: 1_000_000 }),
  })
  .map(({ id, purposes, kinds, protections, floor, expiresIn, revoked, givenAgo }) =>
    aGrant({
      id: idOf<GrantId>(id),
      terms: someTerms({
        purposes,
        kinds,
        protections,
        priceFloorUnits: asAmount(floor),
        expiresAtMs: asTimestampMs(TEST_NOW_MS + expiresIn),
      }),
      revokedAtMs: revoked ? TEST_NOW_MS : null,
      givenAtMs: asTimestampMs(TEST_NOW_MS - givenAgo),
    }),
  );
/** Any of the parts that a caller may know, good ones. */
const arbitraryParts: fc.Arbitrary<Partial<DecisionInput>> = fc
  .subarray([...DECISION_PARTS])
  .map((parts) => Object.fromEntries(parts.map((part) => [part, whole[part]])));
const arbitraryInput: fc.Arbitrary<DecisionInput> = fc
  .record({
    grants: fc.array(arbitraryGrant, { maxLength: 5 }),
    purpose: fc.constantFrom(...PURPOSE_SAMPLE),
    parts: arbitraryParts,
  })
  .map(({ grants, purpose, parts }) => ({
    ...good,
    grants,
    use: { ...job, purpose },
    dao: aDao({ policy: aPolicy({ purposes: PURPOSE_SAMPLE.filter((code) => code !== 'DUO:0000046') }) }),
    ...parts,
  }));

describe('properties', () => {
  it('adding a reason to refuse never turns a no into a yes, and ends every yes', () => {
    fc.assert(
      fc.property(arbitraryInput, fc.constantFrom(...SPOILERS), (input, spoil) => {
        expect(outcome(spoil(input))).not.toBe('YES');
      }),
      { numRuns: 1000 },
    );
  });

  it('says yes often enough for the properties to mean something', () => {
    const yes = fc.sample(arbitraryInput, 500).filter((input) => outcome(input) === 'YES');
    expect(yes.length).toBeGreaterThan(20);
  });

  it('knowing more, or having to know it, never turns a no into a yes', () => {
    fc.assert(
      fc.property(arbitraryInput, fc.subarray([...DECISION_PARTS]), (input, parts) => {
        if (outcome({ ...input, mustJudge: parts }) === 'YES') {
          expect(outcome(input)).toBe('YES');
          for (const part of parts) expect(outcome(without(input, part))).toBe('YES');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('more grants never turn a yes into a no, and fewer never a no into a yes', () => {
    fc.assert(
      fc.property(arbitraryInput, arbitraryGrant, (input, extra) => {
        const more = outcome({ ...input, grants: [...input.grants, extra] });
        if (outcome(input) === 'YES') expect(more).toBe('YES');
        if (more !== 'YES') expect(outcome(input)).not.toBe('YES');
      }),
      { numRuns: 1000 },
    );
  });

  it('a yes names a grant that covers all of it, and a no has a code of the list; the order of grants is nothing', () => {
    fc.assert(
      fc.property(arbitraryInput, (input) => {
        const result = decide(input);
        expect(decide({ ...input, grants: input.grants.toReversed() })).toEqual(result);
        if (!result.ok) {
          expect(DECISION_CODES).toContain(result.refusal.code);
          return;
        }
        const { grant } = result.value;
        expect(grant.revokedAtMs).toBeNull();
        expect(grant.terms.expiresAtMs).toBeGreaterThan(TEST_NOW_MS);
        expect(grant.terms.kinds).toContain('rag');
        expect(grant.terms.protections).toContain('tee');
        expect(grant.terms.priceFloorUnits <= job.pricePerQuestionUnits).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
