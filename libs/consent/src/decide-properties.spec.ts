import { describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs, type ErrorCode, type GrantId } from '@usufruct/kernel';
import type { ComputationKind, GrantView, ProtectionKind } from '@usufruct/protocol';
import {
  aDao,
  aDecision,
  aGrant,
  aLicence,
  anAttestation,
  aPolicy,
  idOf,
  someClaims,
  someTerms,
  TEST_NOW_MS,
} from '@usufruct/testing';
import fc from 'fast-check';
import { decide, DECISION_CODES } from './decide.js';
import { DECISION_PARTS, type DecisionInput } from './decision-input.js';

const whole: DecisionInput = aDecision();
const { contribution, dataset, grants, dao, use, job, manifest, nowMs } = aDecision();
const good: DecisionInput = { contribution, dataset, grants, dao, use, job, nowMs };
const licence = aLicence();
const attestation = anAttestation();
const outcome = (input: DecisionInput): ErrorCode | 'YES' => {
  const result = decide(input);
  return result.ok ? 'YES' : result.refusal.code;
};
const without = (input: DecisionInput, part: (typeof DECISION_PARTS)[number]): DecisionInput => {
  const { [part]: _left, ...rest } = input;
  return rest as DecisionInput;
};

/** Everything that can be worse about a decision than about a good one, each on its own. */
const SPOILERS: ((input: DecisionInput) => DecisionInput)[] = [
  (input) => ({ ...input, contribution: { ...input.contribution, state: 'declined' } }),
  (input) => ({ ...input, contribution: { ...input.contribution, tombstonedAtMs: TEST_NOW_MS } }),
  (input) => ({ ...input, dataset: { ...input.dataset, tombstonedAtMs: TEST_NOW_MS } }),
  (input) => ({ ...input, contribution: { ...input.contribution, datasetId: idOf('other') } }),
  (input) => ({ ...input, manifest: { ...manifest, digest: idOf('other') } }),
  (input) => ({ ...input, dao: { ...input.dao, policy: { ...input.dao.policy, kinds: [] } } }),
  (input) => ({ ...input, dao: { ...input.dao, policy: { ...input.dao.policy, purposes: [] } } }),
  (input) => ({ ...input, dao: { ...input.dao, policy: { ...input.dao.policy, protections: [] } } }),
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
  (input) => ({ ...input, attestation: { ...attestation, claims: someClaims({ debug: true }) } }),
  (input) => ({ ...input, attestation: { ...attestation, claims: someClaims({ profile: 'tdx' as never }) } }),
  (input) => ({ ...input, attestation: { ...attestation, claims: someClaims({ measurement: 'cd'.repeat(48) }) } }),
  (input) => ({ ...input, attestation: { ...attestation, policyDigest: idOf('older') } }),
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

  it('spoils a good decision by every rule that there is', () => {
    const ruleOf = (input: DecisionInput): string => {
      const result = decide(input);
      return result.ok ? 'YES' : String(result.refusal.details['rule']);
    };
    expect(ruleOf(whole)).toBe('YES');
    const rules = [...new Set(SPOILERS.map((spoil) => ruleOf(spoil(whole))))].sort();
    expect(rules).toEqual(
      [
        'attestation.debug',
        'attestation.expiry',
        'attestation.measurement',
        'attestation.policy',
        'attestation.profile',
        'attestation.verdict',
        'contribution.dataset',
        'contribution.manifest',
        'contribution.state',
        'contribution.tombstone',
        'dao.pause',
        'dataset.tombstone',
        'grant',
        'grant.expiry',
        'grant.given',
        'grant.kinds',
        'grant.priceFloor',
        'grant.privacyBudget',
        'grant.protections',
        'grant.purposes',
        'grant.revocation',
        'job.expiry',
        'job.state',
        'licence',
        'licence.expiry',
        'policy.kinds',
        'policy.protections',
        'policy.purposes',
      ].sort(),
    );
  });

  it('says yes often enough for the properties to mean something', () => {
    const yes = fc.sample(arbitraryInput, { numRuns: 500, seed: 1 }).filter((input) => outcome(input) === 'YES');
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
