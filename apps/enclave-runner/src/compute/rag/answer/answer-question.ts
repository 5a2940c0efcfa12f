import { wordsOnly, type Corpus, type Passage, type PassageSource, type ScoredPassage } from '../retrieve/corpus.js';
import type { AnswerReview } from '../guard/review.js';
import type { SourceFilter } from '../retrieve/source-filter.js';
import { composeAnswer } from './compose.js';
import type { GeneratedAnswer } from './generator.js';
import { questionTerms } from './question-terms.js';
import { selectSentences, type ChosenSentence } from './select-sentences.js';
import { eachOnce, withCited, type WeighOptions } from './weigh.js';

/** Passages looked at when the holders of a sentence are sought, whatever the asker's `topK`. */
export const CANDIDATES = 32;

export { NO_ANSWER } from './compose.js';

export interface ExtractedAnswer extends GeneratedAnswer {
  /** Sentences of the documents, word for word; no language model wrote anything. */
  readonly generator: 'extractive';
}

export interface AnswerOptions extends WeighOptions {
  readonly filter?: SourceFilter;
  /** By the dataset's rules, of an answer that may be taken from these places; none where nothing is said. */
  readonly review?: (seen: readonly PassageSource[]) => AnswerReview;
}

/**
 * Answer with sentences taken from the documents, each with its citations, or say that there is no answer: then there
 * are no citations and no weights. `topK` passages are considered. Deterministic. That a sentence is true, or that it
 * means in the answer what it meant in its document, is not proven by anything here.
 */
export async function answerQuestion(
  corpus: Corpus,
  question: string,
  topK: number,
  options: AnswerOptions = {},
): Promise<ExtractedAnswer> {
  const terms = questionTerms(question);
  const retrieved = await corpus.search(question, Math.max(topK, CANDIDATES), options.filter);
  const drafts = selectSentences(corpus, terms, retrieved.slice(0, topK)).map((chosen) => ({
    text: chosen.text,
    passages: [chosen.passage],
    ...withCited(holdersOf(chosen, retrieved)),
  }));
  const review = options.review?.(retrieved.flatMap(({ passage }) => passage.sources));
  const kept = drafts.map((draft) => review?.take(draft) ?? (review === undefined ? draft : null));
  const sentences = kept.filter((sentence) => sentence !== null);
  const by = { generator: 'extractive', quoteOf: ({ text }: { readonly text: string }) => text } as const;
  return { ...composeAnswer(sentences, retrieved, options, review, by), generator: 'extractive' };
}

/** Everyone who holds the sentence: in the same passage, or in another one that was retrieved. */
export function holdersOf(
  sentence: Pick<ChosenSentence, 'words' | 'passage'>,
  retrieved: readonly ScoredPassage[],
): PassageSource[] {
  const others = retrieved
    .map(({ passage }) => passage)
    .filter((passage) => passage !== sentence.passage && holds(passage, sentence));
  return eachOnce([sentence.passage, ...others].flatMap((passage) => passage.sources));
}

const holds = (passage: Passage, sentence: Pick<ChosenSentence, 'words'>): boolean =>
  ` ${wordsOnly(passage.text)} `.includes(` ${sentence.words} `);
