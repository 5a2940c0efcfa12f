import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { allowsAnyOf, withoutPurpose } from './narrow.js';
import { PURPOSES, purposeCovers, purposesCover } from './purposes.js';

const CODES = PURPOSES.map(({ code }) => code);
const code = fc.constantFrom(...CODES);
const granted = fc.uniqueArray(code, { minLength: 1, maxLength: 6 });

describe('what is left of a grant without one purpose', () => {
  it.each([
    ['the purpose itself', ['dpv:Marketing', 'dpv:AcademicResearch'], 'dpv:Marketing', ['dpv:AcademicResearch']],
    ['narrower ones', ['dpv:TargetedAdvertising', 'dpv:AcademicResearch'], 'dpv:Marketing', ['dpv:AcademicResearch']],
    ['nothing, where it was the only one', ['dpv:Marketing'], 'dpv:Marketing', []],
    ['all, where it has no part in it', ['dpv:Marketing'], 'dpv:AcademicResearch', ['dpv:Marketing']],
    [
      'the rest of a broader one',
      ['dpv:ResearchAndDevelopment'],
      'dpv:AcademicResearch',
      ['dpv:ScientificResearch', 'dpv:CommercialResearch', 'dpv:NonCommercialResearch'],
    ],
    [
      'the rest of one that only overlaps: commercial research is both',
      ['dpv:ResearchAndDevelopment'],
      'dpv:CommercialPurpose',
      ['dpv:AcademicResearch', 'dpv:ScientificResearch', 'dpv:NonCommercialResearch'],
    ],
    ['of DUO, by its definitions', ['DUO:0000042'], 'DUO:0000006', ['DUO:0000011']],
  ])('is %s', (_what, before, removed, after) => {
    expect(withoutPurpose(before, removed)).toEqual(after);
  });

  it('allows nothing that is a use for it, and nothing that was not allowed before', () => {
    fc.assert(
      fc.property(granted, code, (before, removed) => {
        const after = withoutPurpose(before, removed);
        for (const asked of CODES) {
          const isAllowed = purposesCover(after, asked);
          expect(isAllowed && purposeCovers(removed, asked)).toBe(false);
          expect(isAllowed && !purposesCover(before, asked)).toBe(false);
        }
        expect(after.length === 0 || !allowsAnyOf(after, removed)).toBe(true);
      }),
      { seed: 5, numRuns: 120 },
    );
  });

  it('keeps whatever has no part in it', () => {
    fc.assert(
      fc.property(granted, code, (before, removed) => {
        const after = withoutPurpose(before, removed);
        const kept = before.filter((one) => !CODES.some((x) => purposeCovers(one, x) && purposeCovers(removed, x)));
        expect(kept.every((one) => after.includes(one))).toBe(true);
        if (!allowsAnyOf(before, removed)) expect(after).toEqual(before);
      }),
      { seed: 6, numRuns: 120 },
    );
  });

  it('says of a grant with a modifier that nobody keeps that it allows nothing', () => {
    expect(allowsAnyOf(['DUO:0000042', 'DUO:0000018'], 'DUO:0000006')).toBe(false);
  });
});
