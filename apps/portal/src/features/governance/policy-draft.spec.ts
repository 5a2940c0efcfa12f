import { describe, expect, it } from '@jest/globals';
import { majorityOf, readPolicy, type PolicyDraft } from './policy-draft.js';

const coin = { symbol: 'USDC', decimals: 6 };
const good: PolicyDraft = {
  price: '0.25',
  purposes: ['dpv:ResearchAndDevelopment'],
  contributorsPercent: '80',
  treasuryPercent: '10',
  runnerPercent: '7.5',
  protocolPercent: '2.5',
  profiles: ['tdx'],
  measurements: `${'ab'.repeat(48)}\n\n${'cd'.repeat(48)}`,
  dataRules: { onRevocation: 'finish', blobs: 'permanent', selfQueriesPay: true },
};

describe('readPolicy', () => {
  it('reads amounts, parts and measurements exactly', () => {
    const policy = readPolicy(good, coin, 2);
    expect(policy.pricePerQuestionUnits).toBe(250_000n);
    // 80 + 10 + 7.5 + 2.5 percent of ten thousand
    expect(policy.split).toEqual({ contributorsBps: 8_000, treasuryBps: 1_000, runnerBps: 750, protocolBps: 250 });
    expect(policy).toMatchObject({ onRevocation: 'finish', blobs: 'permanent', selfQueriesPay: true });
    expect(policy.appraisal.measurements).toEqual(['ab'.repeat(48), 'cd'.repeat(48)]);
  });

  it.each([
    ['SPLIT_INVALID', { runnerPercent: '7' }],
    ['SPLIT_INVALID', { contributorsPercent: '999' }],
    ['INVALID_ARGUMENT', { runnerPercent: '7.555' }],
    ['INVALID_ARGUMENT', { treasuryPercent: '-10' }],
    ['INVALID_ARGUMENT', { price: 'free' }],
    ['INVALID_ARGUMENT', { purposes: [] }],
    ['INVALID_ARGUMENT', { profiles: [] }],
    ['INVALID_ARGUMENT', { measurements: '' }],
    ['INVALID_ARGUMENT', { measurements: 'AB'.repeat(48) }],
    ['INVALID_ARGUMENT', { measurements: 'ab'.repeat(32) }],
  ])('refuses with %s: %p', (code, part) => {
    expect(() => readPolicy({ ...good, ...part }, coin, 2)).toThrow(expect.objectContaining({ code }));
  });
});

describe('majorityOf', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])('of %d is %d', (count, majority) => expect(majorityOf(count)).toBe(majority));
});
