import { askablePurposes } from '@usufruct/consent';
import { asAmount, toUsufructError, type AmountUnits, type UsufructError } from '@usufruct/kernel';
import type { SourceFilter } from '@usufruct/protocol';
import type { JobTerms, Quote } from '@usufruct/sdk';
import type { DatasetCard } from '../../../data/catalogue.js';

/** One question, to whom, and for how much; what is confirmed is this. */
export interface SeveralOffer {
  /** Names the question: pressing twice, or again after a lost answer, asks and pays it once. */
  readonly key: string;
  readonly text: string;
  readonly purpose: string;
  readonly filter: SourceFilter | null;
  readonly parts: readonly OfferPart[];
}
export type OfferPart =
  | { readonly dataset: DatasetCard; readonly quote: Quote; readonly error: null }
  | { readonly dataset: DatasetCard; readonly quote: null; readonly error: UsufructError };

/** What the policies of all of them list. */
export function commonPurposes(datasets: readonly Pick<DatasetCard, 'dao'>[]): { code: string; label: string }[] {
  const [first = [], ...others] = datasets.map(({ dao }) => askablePurposes(dao.policy.purposes));
  return first.filter(({ code }) => others.every((purposes) => purposes.some((other) => other.code === code)));
}

type Question = Pick<SeveralOffer, 'text' | 'purpose' | 'filter'>;

/** The price of the question at each; one that would refuse is in it with its reason. */
export async function offerOf(
  quoteOf: (terms: JobTerms) => Promise<Quote>,
  datasets: readonly DatasetCard[],
  question: Question,
): Promise<SeveralOffer> {
  const { purpose } = question;
  const parts = await Promise.all(
    datasets.map(async (dataset): Promise<OfferPart> => {
      const { datasetId, dao } = dataset;
      try {
        const quote = await quoteOf({ datasetId, purpose, maxQuestions: 1, termMs: dao.policy.maxJobTermMs });
        return { dataset, quote, error: null };
      } catch (thrown) {
        return { dataset, quote: null, error: toUsufructError(thrown) };
      }
    }),
  );
  return { ...question, key: crypto.randomUUID(), parts };
}

/** Those that would refuse are not asked. */
export const askedOf = ({ parts }: SeveralOffer): DatasetCard[] =>
  parts.flatMap(({ dataset, quote }) => (quote === null ? [] : [dataset]));

export const togetherOf = ({ parts }: SeveralOffer): AmountUnits =>
  asAmount(parts.reduce((sum, { quote }) => sum + (quote?.escrowUnits ?? 0n), 0n));
