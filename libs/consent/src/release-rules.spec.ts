import { describe, expect, it } from '@jest/globals';
import { asTimestampMs, type ErrorCode } from '@usufruct/kernel';
import { LIMITS, type Claims, type LicenceView } from '@usufruct/protocol';
import {
  aDao,
  aDecision,
  aGrant,
  aLicence,
  anAppraisalPolicy,
  anAttestation,
  aPolicy,
  idOf,
  someClaims,
  TEST_NOW_MS,
} from '@usufruct/testing';
import { decide, policyRefusal } from './decide.js';
import { DECISION_PARTS, type DecisionInput } from './decision-input.js';

const whole: DecisionInput = { ...aDecision(), mustJudge: DECISION_PARTS };
const licence = aLicence();
const attestation = anAttestation();
const outcome = (input: DecisionInput): ErrorCode | 'YES' => {
  const result = decide(input);
  return result.ok ? 'YES' : result.refusal.code;
};
const useOf = ({ use }: DecisionInput): DecisionInput['use'] => {
  const { requester: _nobody, ...rest } = use;
  return rest;
};
const withLicence = (changes: Partial<LicenceView>): DecisionInput => ({
  ...whole,
  licences: [{ ...licence, ...changes }],
});
const withLicenceTerms = (changes: Partial<LicenceView['terms']>): DecisionInput =>
  withLicence({ terms: { ...licence.terms, ...changes } });
const withClaims = (changes: Partial<Claims>): DecisionInput => ({
  ...whole,
  attestation: { ...attestation, claims: someClaims(changes) },
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
    expect(policyRefusal(whole.dao, whole.use)).toBeNull();
    expect(policyRefusal(whole.dao, { ...whole.use, kind: 'train' })).toMatchObject({
      code: 'SCOPE_MISMATCH',
      details: { rule: 'policy.kinds', asked: 'train', allowed: 'rag' },
    });
  });
});
