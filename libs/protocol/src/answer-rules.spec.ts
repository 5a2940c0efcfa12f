import { describe, expect, it } from '@jest/globals';
import { AnswerRulesBcs, NO_ANSWER_RULES, requireAnswerRules, type AnswerRules } from './answer-rules.js';

describe('answer rules', () => {
  it('have the bytes of the contracts: a u32 and two u16, little-endian', () => {
    const bytes = AnswerRulesBcs.serialize({
      maxQuoteChars: 0x01020304,
      minContributors: 5,
      maxReachBps: 2_500,
    }).toBytes();
    // 2,500 is 0x09c4
    expect([...bytes]).toEqual([4, 3, 2, 1, 5, 0, 0xc4, 0x09]);
  });

  it('are taken up to their bounds', () => {
    expect(() => requireAnswerRules(NO_ANSWER_RULES)).not.toThrow();
    const most = { maxQuoteChars: 4_294_967_295, minContributors: 65_535, maxReachBps: 10_000 };
    expect(() => requireAnswerRules(most)).not.toThrow();
  });

  it.each<[keyof AnswerRules, number]>([
    ['maxQuoteChars', -1],
    ['maxQuoteChars', 4_294_967_296],
    ['minContributors', 0.5],
    ['minContributors', 65_536],
    ['maxReachBps', 10_001],
    ['maxReachBps', NaN],
  ])('are refused beyond: %s %p', (field, value) => {
    const refused = { code: 'INVALID_ARGUMENT', details: expect.objectContaining({ field: `answerRules.${field}` }) };
    expect(() => requireAnswerRules({ ...NO_ANSWER_RULES, [field]: value })).toThrow(expect.objectContaining(refused));
  });
});
