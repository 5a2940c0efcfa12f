import { bcs } from '@mysten/bcs';
import { refuse } from '@usufruct/kernel';
import { z } from 'zod';

/**
 * What answers from a dataset may show of it. On the chain, set by a steward; runners keep to them, as they alone see
 * questions and answers. `Usufruct::answer_rules` of the contracts serialises to the same bytes.
 */
export interface AnswerRules {
  /** The longest run (UTF-16 code units) of one contribution that an asker may be quoted; 0 for no limit. */
  readonly maxQuoteChars: number;
  /** How many contributors each sentence of an answer must rest on; 0 or 1 for no such rule. */
  readonly minContributors: number;
  /** Share of the dataset's chunks that one asker may be shown in sum, in basis points; 0 or 10,000 for no limit. */
  readonly maxReachBps: number;
}
export const NO_ANSWER_RULES: AnswerRules = { maxQuoteChars: 0, minContributors: 0, maxReachBps: 0 };

export const AnswerRulesBcs = bcs.struct('AnswerRules', {
  maxQuoteChars: bcs.u32(),
  minContributors: bcs.u16(),
  maxReachBps: bcs.u16(),
});
export const zAnswerRules = z.object({ maxQuoteChars: z.int(), minContributors: z.int(), maxReachBps: z.int() });

const MOST: { readonly [F in keyof AnswerRules]: number } = {
  maxQuoteChars: 2 ** 32 - 1,
  minContributors: 2 ** 16 - 1,
  maxReachBps: 10_000,
};

/** Refuses `INVALID_ARGUMENT` with the field's name for what the chain would not take. */
export function requireAnswerRules(rules: AnswerRules): void {
  for (const field of ['maxQuoteChars', 'minContributors', 'maxReachBps'] as const) {
    const value = rules[field];
    if (!Number.isSafeInteger(value) || value < 0 || value > MOST[field]) {
      throw refuse('INVALID_ARGUMENT', {
        field: `answerRules.${field}`,
        expected: `an integer from 0 to ${MOST[field]}`,
      });
    }
  }
}
