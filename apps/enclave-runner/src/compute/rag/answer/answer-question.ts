import type { ContributionId } from '@usufruct/kernel';
import { termsOf } from '@usufruct/retrieval';
import { wordsOnly, type Corpus, type Passage, type PassageSource, type ScoredPassage } from '../retrieve/corpus.js';
import type { AnswerReview } from '../guard/review.js';
import type { SourceFilter } from '../retrieve/source-filter.js';
import type { ContributionWeight } from './attribute.js';
import { selectSentences, type ChosenSentence } from './select-sentences.js';
import { MAX_HOLDERS_OF_SENTENCE, weigh, type WeighedSentence, type WeighOptions } from './weigh.js';

/** Passages looked at when the holders of a sentence are sought, whatever the asker's `topK`. */
const CANDIDATES = 32;

export const NO_ANSWER = "I don't know: nothing in the documents that may be used answers this question.";

export interface Citation {
  readonly contributionId: ContributionId;
  readonly fileName: string;
  readonly locator: string;
  /** The chunk within the document, from 0. */
  readonly ordinal: number;
  /** The cited sentence, white space collapsed. */
  readonly quote: string;
}
export interface ExtractedAnswer {
  readonly text: string;
  /** Sentences of the documents, word for word; no language model wrote anything. */
  readonly generator: 'extractive';
  readonly isKnown: boolean;
  /** `citations` are positions in the list below, from 0; the text shows them from 1. */
  readonly sentences: readonly { readonly text: string; readonly citations: readonly number[] }[];
  readonly citations: readonly Citation[];
  readonly weights: readonly ContributionWeight[];
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
  const terms = new Set(termsOf(question));
  const retrieved = await corpus.search(question, Math.max(topK, CANDIDATES), options.filter);
  const drafts = selectSentences(corpus, terms, retrieved.slice(0, topK)).map((chosen) => ({
    text: chosen.text,
    passages: [chosen.passage],
    sources: sourcesOf(chosen, retrieved),
  }));
  const review = options.review?.(retrieved.flatMap(({ passage }) => passage.sources));
  const kept = drafts.map((draft) => review?.take(draft) ?? (review === undefined ? draft : null));
  return answerOf(
    kept.filter((sentence) => sentence !== null),
    retrieved,
    options,
    review,
  );
}

function answerOf(
  kept: readonly WeighedSentence[],
  retrieved: readonly ScoredPassage[],
  options: AnswerOptions,
  review: AnswerReview | undefined,
): ExtractedAnswer {
  const note = review?.finish() ?? null;
  if (kept.length === 0) {
    const text = note ?? NO_ANSWER;
    return { text, generator: 'extractive', isKnown: false, sentences: [], citations: [], weights: [] };
  }
  const citations: Citation[] = [];
  const sentences = kept.map(({ text, sources }) => {
    const first = citations.length;
    citations.push(...sources.map((source) => citationOf(source, text, review)));
    return { text, citations: sources.map((_, i) => first + i) };
  });
  const shown = sentences.map(({ text, citations: cited }) => `${text} ${cited.map((i) => `[${i + 1}]`).join('')}`);
  return {
    text: [...shown, ...(note === null ? [] : [note])].join(' '),
    generator: 'extractive',
    isKnown: true,
    sentences,
    citations,
    weights: weigh(kept, retrieved, options),
  };
}

/** Everyone who holds the sentence: in the same passage, or in another one that was retrieved. */
function sourcesOf(sentence: ChosenSentence, retrieved: readonly ScoredPassage[]): PassageSource[] {
  const others = retrieved
    .map(({ passage }) => passage)
    .filter((passage) => passage !== sentence.passage && holds(passage, sentence));
  const byContribution = new Map<ContributionId, PassageSource>();
  for (const source of [sentence.passage, ...others].flatMap((passage) => passage.sources)) {
    if (!byContribution.has(source.contributionId)) byContribution.set(source.contributionId, source);
  }
  return [...byContribution.values()].slice(0, MAX_HOLDERS_OF_SENTENCE);
}

const holds = (passage: Passage, sentence: ChosenSentence): boolean =>
  ` ${wordsOnly(passage.text)} `.includes(` ${sentence.words} `);

const citationOf = (
  { contributionId, fileName, chunk }: PassageSource,
  text: string,
  review: AnswerReview | undefined,
): Citation => ({
  contributionId,
  fileName: review?.label(fileName) ?? fileName,
  locator: review?.label(chunk.locator) ?? chunk.locator,
  ordinal: chunk.ordinal,
  quote: text,
});
