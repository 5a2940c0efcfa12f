import { checkThat, passed, skipped, type Check } from '@usufruct/kernel';
import {
  ATTRIBUTION_METHODS,
  ATTRIBUTIONS,
  GENERATOR_KINDS,
  NO_MODEL,
  type Answer,
  type UsageReceipt,
} from '@usufruct/protocol';
import { z } from 'zod';

/** What an answer was asked for, as far as a receipt shows whether it was given. */
export const zAskedFor = z.object({
  /** Null where the record of the question is older than the choice. */
  attribution: z.enum(ATTRIBUTIONS).nullable(),
  /** Null where none was demanded. */
  generator: z.enum(GENERATOR_KINDS).nullable(),
});
export type AskedFor = z.output<typeof zAskedFor>;

/** Every check that needs the question, in the order in which it is made. */
export const ASKED_CHECKS = ['ATTRIBUTION', 'GENERATOR'] as const;
export type AskedCheck = (typeof ASKED_CHECKS)[number];

/**
 * Hold what was asked against what was signed. How many passages were looked at (`topK`), and which ones a filter let
 * pass, no receipt and no answer shows: copies are cited, too, and what is not cited is not seen.
 */
export const checkAsked = (asked: AskedFor, receipt: UsageReceipt, answer: Answer | null): Check[] => [
  checkAttribution(asked, receipt),
  checkGenerator(asked, receipt, answer),
];

function checkAttribution({ attribution }: AskedFor, { attributionMethod }: UsageReceipt): Check {
  const name: AskedCheck = 'ATTRIBUTION';
  if (attribution === null) return skipped(name, 'the record of the question is older than the choice');
  const method = ATTRIBUTION_METHODS[attribution];
  return checkThat(name, attributionMethod === method, `asked for ${method}; the receipt names another method`, method);
}

/** The receipt names a model or none; the answer says so itself, and the receipt commits to what it says. */
function checkGenerator({ generator }: AskedFor, { modelHash }: UsageReceipt, answer: Answer | null): Check {
  const name: AskedCheck = 'GENERATOR';
  const signed = modelHash === NO_MODEL ? 'extractive' : 'model';
  if (generator === null) return passed(name, `none was demanded: ${answer?.generator ?? signed}`);
  const isDemanded = signed === generator && (answer === null || answer.generator === generator);
  return checkThat(name, isDemanded, `${generator} was demanded; another one has answered`, generator);
}
