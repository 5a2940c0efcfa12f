import { describe, expect, it } from '@jest/globals';
import { PURPOSE_CODE } from '@usufruct/protocol';
import { explainRefusal, explainTerms } from './explain.js';
import { purposeCovers, PURPOSES, purposesCover } from './purposes.js';
import { purposeLabel } from './vocabulary.js';
import { refuse } from '@usufruct/kernel';
import { someTerms } from '@usufruct/testing';

describe('coverage', () => {
  // Read off the definitions in duo.csv (GA4GH DUO) and the hasBroader column of DPV 2.0's purposes.csv.
  it.each([
    ['DUO:0000042', 'DUO:0000042', true],
    ['DUO:0000042', 'DUO:0000006', true],
    ['DUO:0000042', 'DUO:0000007', true],
    ['DUO:0000042', 'DUO:0000011', true],
    ['DUO:0000006', 'DUO:0000007', true],
    ['DUO:0000006', 'DUO:0000011', false], // "does not include the study of population origins or ancestry"
    ['DUO:0000006', 'DUO:0000042', false],
    ['DUO:0000011', 'DUO:0000006', false],
    ['DUO:0000007', 'DUO:0000007', false], // another disease, perhaps
    ['DUO:0000004', 'DUO:0000042', true],
    ['DUO:0000004', 'dpv:Marketing', true],
    ['DUO:0000042', 'DUO:0000004', false],
    ['DUO:0000042', 'dpv:AcademicResearch', false],
    ['dpv:Purpose', 'dpv:TargetedAdvertising', true],
    ['dpv:Purpose', 'DUO:0000042', false],
    ['dpv:ResearchAndDevelopment', 'dpv:CommercialResearch', true],
    ['dpv:CommercialPurpose', 'dpv:CommercialResearch', true],
    ['dpv:CommercialResearch', 'dpv:ResearchAndDevelopment', false],
    ['dpv:NonCommercialPurpose', 'dpv:CommercialResearch', false],
    ['dpv:Marketing', 'dpv:TargetedAdvertising', true],
    ['dpv:NotInTheTable', 'dpv:NotInTheTable', true],
    ['dpv:NotInTheTable', 'dpv:AlsoNot', false],
  ])('granted %s, asked %s: %s', (granted, asked, covers) => {
    expect(purposeCovers(granted, asked)).toBe(covers);
  });

  it('a modifier or unknown DUO code makes the whole grant unusable', () => {
    expect(purposesCover(['DUO:0000004', 'DUO:0000045'], 'DUO:0000042')).toBe(false);
    expect(purposesCover(['DUO:9999999'], 'DUO:9999999')).toBe(false);
    expect(purposesCover([], 'DUO:0000042')).toBe(false);
  });
});

describe('the table', () => {
  it('has well-formed codes once each, and every parent is in it', () => {
    const codes = PURPOSES.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.every((code) => PURPOSE_CODE.test(code))).toBe(true);
    expect(PURPOSES.flatMap(({ broader }) => broader).filter((parent) => !codes.includes(parent))).toEqual([]);
  });
});

describe('words for people', () => {
  const words = { amount: (units: bigint) => `${units} units`, time: (atMs: number) => `on day ${atMs}` };
  it('explains a grant', () => {
    const text = explainTerms(
      someTerms({ purposes: ['DUO:0000042', 'dpv:X'], priceFloorUnits: 5n as never }),
      words,
    ).join('\n');
    expect(text).toContain('General research use, dpv:X');
    expect(text).toContain('5 units');
    expect(text).toContain('answering questions');
  });

  it.each([
    [
      refuse('PURPOSE_DENIED', { rule: 'grant.purposes', asked: 'dpv:Marketing', allowed: 'DUO:0000042' }),
      'General research use',
    ],
    [
      refuse('PURPOSE_DENIED', { rule: 'policy.purposes', asked: 'dpv:Marketing', allowed: '' }),
      'The policy of the DAO',
    ],
    [
      refuse('PURPOSE_DENIED', { rule: 'grant.purposes', asked: 'x', allowed: 'y', unverifiable: 'DUO:0000046' }),
      'DUO:0000046',
    ],
    [refuse('SCOPE_MISMATCH', { rule: 'grant.kinds', asked: 'train', allowed: 'rag' }), 'It allows: rag'],
    [refuse('GRANT_REVOKED', { revokedAtMs: '7' }), 'on day 7'],
    [refuse('GRANT_EXPIRED', { expiredAtMs: '8' }), 'on day 8'],
    [refuse('TOMBSTONED', { rule: 'contribution.tombstone', tombstonedAtMs: '9' }), 'The contribution was retired'],
    [
      refuse('TOMBSTONED', { rule: 'dataset.tombstone', tombstonedAtMs: '9' }),
      'The dataset was retired for good on day 9',
    ],
    [refuse('PRICE_BELOW_FLOOR', { asked: '1', floorUnits: '2' }), 'at least 2 units'],
    [refuse('JOB_STATE'), 'See the state of the job'],
    [refuse('LICENCE_EXPIRED', { expiredAtMs: '6' }), 'The licence ended on day 6'],
    [
      refuse('PURPOSE_DENIED', { rule: 'grant.purposes', asked: 'x', allowed: 'y', unverifiable: 'DUO:0000021' }),
      'ethics approval required: needs the approval',
    ],
    [
      refuse('BUDGET_EXHAUSTED', {
        neededMicroEpsilon: '500000',
        grantedMicroEpsilon: '1000000',
        spentMicroEpsilon: 'not stated',
      }),
      'ε = 1; not stated of it is spent and 0.5 would be needed',
    ],
    [
      refuse('ATTESTATION_REFUSED', { rule: 'attestation.measurement', asked: 'abcd' }),
      'does not approve the code that the evidence measures (abcd)',
    ],
    [refuse('ATTESTATION_REFUSED', { rule: 'attestation.debug' }), 'does not satisfy the policy'],
  ])('explains %s', (refusal, part) => {
    expect(explainRefusal(refusal, words)).toContain(part);
  });

  it('labels what it knows and repeats what it does not', () => {
    expect(purposeLabel('DUO:0000006')).toMatch(/biomedical/);
    expect(purposeLabel('dpv:Y')).toBe('dpv:Y');
  });
});
