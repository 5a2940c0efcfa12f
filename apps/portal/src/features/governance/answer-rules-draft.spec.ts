import { describe, expect, it } from '@jest/globals';
import { answerRulesDraft, readAnswerRules, type AnswerRulesDraft } from './answer-rules-draft.js';

const rules = { maxQuoteChars: 300, minContributors: 5, maxReachBps: 1_250 };
const draft: AnswerRulesDraft = { maxQuoteChars: '300', minContributors: '5', maxReachPercent: '12.5' };

describe('what answers may show, in a form', () => {
  it('is read as it is written', () => {
    expect(answerRulesDraft(rules)).toEqual(draft);
    expect(readAnswerRules(draft)).toEqual(rules);
    expect(readAnswerRules({ maxQuoteChars: '4294967295', minContributors: '65535', maxReachPercent: '100' })).toEqual({
      maxQuoteChars: 2 ** 32 - 1,
      minContributors: 2 ** 16 - 1,
      maxReachBps: 10_000,
    });
  });

  it.each<[string, Partial<AnswerRulesDraft>]>([
    ['longest quote', { maxQuoteChars: '' }],
    ['longest quote', { maxQuoteChars: '-1' }],
    ['longest quote', { maxQuoteChars: '4294967296' }],
    ['contributors of an answer', { minContributors: '2.5' }],
    ['contributors of an answer', { minContributors: '65536' }],
    ['shown to one asker', { maxReachPercent: '100.01' }],
    ['shown to one asker', { maxReachPercent: 'all' }],
  ])('is refused for its %s: %p', (field, part) => {
    const refused = { code: 'INVALID_ARGUMENT', details: expect.objectContaining({ field }) };
    expect(() => readAnswerRules({ ...draft, ...part })).toThrow(expect.objectContaining(refused));
  });
});
