import type { GeneratorKind, Model } from '@usufruct/protocol';
import type { AnswerReview } from '../guard/review.js';
import type { PassageSource, ScoredPassage } from '../retrieve/corpus.js';
import type { Citation, GeneratedAnswer } from './generator.js';
import { weigh, type WeighedSentence, type WeighOptions } from './weigh.js';

export const NO_ANSWER = "I don't know: nothing in the documents that may be used answers this question.";

export interface ComposedBy {
  readonly generator: GeneratorKind;
  readonly model?: Model;
  /** What is shown of a place that is cited for a sentence. */
  readonly quoteOf: (sentence: WeighedSentence, source: PassageSource) => string;
}

/** Sentences as an answer, each with numbers for its places; what is said where there are none. */
export function composeAnswer(
  kept: readonly WeighedSentence[],
  retrieved: readonly ScoredPassage[],
  options: WeighOptions,
  review: AnswerReview | undefined,
  { quoteOf, ...by }: ComposedBy,
): GeneratedAnswer {
  const note = review?.finish() ?? null;
  if (kept.length === 0) {
    return { ...by, text: note ?? NO_ANSWER, isKnown: false, sentences: [], citations: [], weights: [] };
  }
  const citations: Citation[] = [];
  const sentences = kept.map((sentence) => {
    const first = citations.length;
    citations.push(...sentence.sources.map((source) => citationOf(source, quoteOf(sentence, source), review)));
    return { text: sentence.text, citations: sentence.sources.map((_, i) => first + i) };
  });
  const shown = sentences.map(({ text, citations: cited }) => `${text} ${cited.map((i) => `[${i + 1}]`).join('')}`);
  return {
    ...by,
    text: [...shown, ...(note === null ? [] : [note])].join(' '),
    isKnown: true,
    sentences,
    citations,
    weights: weigh(kept, retrieved, options),
  };
}

const citationOf = (
  { contributionId, fileName, chunk }: PassageSource,
  quote: string,
  review: AnswerReview | undefined,
): Citation => ({
  contributionId,
  fileName: review?.label(fileName) ?? fileName,
  locator: review?.label(chunk.locator) ?? chunk.locator,
  ordinal: chunk.ordinal,
  quote,
});
