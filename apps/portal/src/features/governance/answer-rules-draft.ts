import { BASIS_POINTS_WHOLE, refuse } from '@usufruct/kernel';
import type { AnswerRules } from '@usufruct/protocol';
import { readPercent } from './policy-draft.js';

/** What answers may show, as it stands in a form: text that may be anything. */
export interface AnswerRulesDraft {
  readonly maxQuoteChars: string;
  readonly minContributors: string;
  readonly maxReachPercent: string;
}

export const answerRulesDraft = ({ maxQuoteChars, minContributors, maxReachBps }: AnswerRules): AnswerRulesDraft => ({
  maxQuoteChars: String(maxQuoteChars),
  minContributors: String(minContributors),
  maxReachPercent: String(maxReachBps / 100),
});

/** Refuses `INVALID_ARGUMENT` with the field's name. */
export const readAnswerRules = (draft: AnswerRulesDraft): AnswerRules => ({
  maxQuoteChars: wholeNumber(draft.maxQuoteChars, 'longest quote', 2 ** 32 - 1),
  minContributors: wholeNumber(draft.minContributors, 'contributors of an answer', 2 ** 16 - 1),
  maxReachBps: atMost(
    readPercent(draft.maxReachPercent, 'shown to one asker'),
    'shown to one asker',
    BASIS_POINTS_WHOLE,
  ),
});

function wholeNumber(text: string, field: string, most: number): number {
  if (!/^\d{1,10}$/.test(text.trim())) throw refuse('INVALID_ARGUMENT', { field, expected: 'a whole number' });
  return atMost(Number(text), field, most);
}

function atMost(value: number, field: string, most: number): number {
  if (value > most) throw refuse('INVALID_ARGUMENT', { field, expected: `at most ${most}` });
  return value;
}
