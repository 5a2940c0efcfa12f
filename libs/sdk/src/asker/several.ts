import {
  asAmount,
  refuse,
  toUsufructError,
  type AmountUnits,
  type DatasetId,
  type UsufructError,
} from '@usufruct/kernel';
import { fuse } from '@usufruct/retrieval';
import type { Answer } from '@usufruct/protocol';
import type { AskStep } from '../jobs/ask.js';
import type { RefusalEvidence } from '../receipt/refusal.js';
import type { Asker, AskParams, PaidAnswer } from './asker.js';
import { lesserLimit, type Spending } from './budget.js';

/** Each is a session, an escrow and a receipt of its own. */
export const MOST_DATASETS = 16;

export interface AskSeveralParams extends Omit<AskParams, 'datasetId'> {
  /** Each once; of any DAOs, each asked under its own policy, for the same purpose. */
  readonly datasetIds: readonly DatasetId[];
  /** For all of them together, within what the asker allows for a question. */
  readonly maxPriceUnits?: AmountUnits | null;
}
export interface AskSeveralOptions {
  readonly onStep?: (datasetId: DatasetId, step: AskStep) => void;
}

/** What one dataset has answered, under a receipt of its own, or why it has not. */
export type AskedPart =
  | { readonly datasetId: DatasetId; readonly paid: PaidAnswer; readonly error: null }
  | {
      readonly datasetId: DatasetId;
      readonly paid: null;
      readonly error: UsufructError;
      /** What a runner has signed about it: then nothing was charged. Null where none has. */
      readonly refusal: RefusalEvidence | null;
    };

export interface CitedPassage {
  readonly quote: string;
  /** Where it stands: the dataset, and its place among the citations of that answer. */
  readonly places: readonly { readonly datasetId: DatasetId; readonly citation: number }[];
}
export interface SeveralAnswers {
  /** One a dataset, in the order in which they were named. */
  readonly parts: readonly AskedPart[];
  /**
   * What the answers cite, the best first, by their places in their answers: scores of different datasets cannot be
   * compared. What two datasets hold word for word counts twice.
   */
  readonly passages: readonly CitedPassage[];
  /** Of this call, for all of them. */
  readonly costUnits: AmountUnits;
}

/** Under which key each of them is asked: whoever asks one of them by itself with it does not pay a second time. */
export const keyOfEach = (key: string, datasetId: DatasetId): string => JSON.stringify([key, datasetId]);

/**
 * One question to several datasets: a job names one, so each is asked in a session of its own and paid by its own
 * receipt. Answers stay what their receipts commit to; nothing is mixed into one text.
 *
 * All are asked, or none: where they cost more together than may be paid, it is refused with `SPENDING_LIMIT` before
 * anything is locked, and none is asked at a price that has risen since. One that refuses does not take the others along:
 * its part says why, and they are paid. Before anything is asked, refuses `INVALID_ARGUMENT` where none is named, too many,
 * or one twice, and `NOT_FOUND` for one that there is not. The same key asks and pays none of them a second time.
 */
export async function askSeveral(
  asker: Pick<Asker, 'ask' | 'priceNow' | 'makeRoom' | 'maxPriceUnits' | 'spending'>,
  params: AskSeveralParams,
  { onStep }: AskSeveralOptions = {},
): Promise<SeveralAnswers> {
  const { datasetIds, maxPriceUnits = null, key, ...question } = params;
  if (datasetIds.length === 0 || datasetIds.length > MOST_DATASETS || new Set(datasetIds).size < datasetIds.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'datasets', expected: `1 to ${MOST_DATASETS} datasets, each once` });
  }
  const asked = datasetIds.map((datasetId) => ({ ...question, datasetId, key: keyOfEach(key, datasetId) }));
  const prices = await Promise.all(asked.map((one) => asker.priceNow(one)));
  const togetherUnits = sumOf(prices);
  const mostUnits = lesserLimit(maxPriceUnits, asker.maxPriceUnits);
  if (mostUnits !== null && togetherUnits > mostUnits) throw refuse('SPENDING_LIMIT', { limit: 'max-price' });
  const priced = asked.map((one, i) => ({ ...one, maxPriceUnits: prices[i]! }));
  await asker.makeRoom(priced);
  const sessionQuestions = roundsLeft(asker.spending, togetherUnits);
  const parts = await Promise.all(
    priced.map((one) => {
      const step = onStep === undefined ? {} : { onStep: (at: AskStep) => onStep(one.datasetId, at) };
      return partOf(asker, { ...one, sessionQuestions }, step);
    }),
  );
  const costUnits = sumOf(parts.map(({ paid }) => paid?.costUnits ?? 0n));
  return { parts, passages: passagesOf(parts), costUnits };
}

/** So often all of them can be paid: no session locks so much that the limit leaves nothing for the others. */
function roundsLeft({ maxUnits, lockedUnits, paidUnits }: Spending, togetherUnits: bigint): number {
  if (togetherUnits === 0n) return 1;
  return Math.max(1, Number((maxUnits - lockedUnits - paidUnits) / togetherUnits));
}

async function partOf(
  asker: Pick<Asker, 'ask'>,
  params: AskParams,
  step: { readonly onStep?: (step: AskStep) => void },
): Promise<AskedPart> {
  const { datasetId } = params;
  let refusal: RefusalEvidence | null = null;
  try {
    const paid = await asker.ask(params, { ...step, onRefusal: (signed) => void (refusal = signed) });
    return { datasetId, paid, error: null };
  } catch (error) {
    return { datasetId, paid: null, error: toUsufructError(error), refusal };
  }
}

function passagesOf(parts: readonly AskedPart[]): CitedPassage[] {
  const places = new Map<string, CitedPassage['places'][number][]>();
  const rankings = parts.flatMap(({ datasetId, paid }) => {
    if (paid === null) return [];
    paid.answer.citations.forEach(({ quote }, citation) => {
      places.set(quote, [...(places.get(quote) ?? []), { datasetId, citation }]);
    });
    return [{ ranked: quotesOf(paid.answer) }];
  });
  return fuse(rankings, places.size).map(({ item: quote }) => ({ quote, places: places.get(quote)! }));
}

/** In the order of the answer, each once. */
const quotesOf = ({ citations }: Answer): string[] => [...new Set(citations.map(({ quote }) => quote))];

const sumOf = (units: readonly bigint[]): AmountUnits => asAmount(units.reduce((sum, one) => sum + one, 0n));
