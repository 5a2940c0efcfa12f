import { termsOf } from '@usufruct/retrieval';
import { sentenceRanges } from '../chunk/sentences.js';
import { wordsOnly, type Corpus, type Passage, type ScoredPassage } from '../retrieve/corpus.js';

export const MAX_SENTENCES = 4;
/** A sentence is added while it covers at least this part of the question that no other covers. */
const MIN_GAIN = 0.15;
/** Below these parts of the question's weight there is no answer: for the best sentence, and for all together. */
const MIN_COVER_OF_BEST = 0.3;
const MIN_COVER_OF_ALL = 0.4;
/** A term that stands only in the heading above the sentence covers half. */
const HEADING_COVER = 0.5;

export interface ChosenSentence {
  readonly text: string;
  readonly words: string;
  readonly passage: Passage;
}

interface Candidate extends ChosenSentence {
  readonly covers: ReadonlyMap<string, number>;
  /** Between 0 and 1: prefers sentences of passages that rank high, and full sentences to fragments. */
  readonly prior: number;
}

/**
 * Choose sentences greedily by how much of the question they add (maximum coverage; Nemhauser, Wolsey and Fisher
 * 1978), so that a question about two things is answered from both places and nothing is said twice. Empty when what
 * was retrieved does not cover enough of the question: then there is no answer, and nobody is used.
 */
export function selectSentences(
  corpus: Corpus,
  questionTerms: ReadonlySet<string>,
  retrieved: readonly ScoredPassage[],
): ChosenSentence[] {
  const weights = termWeights(corpus, questionTerms);
  const total = sum(weights.values());
  const candidates = candidatesOf(questionTerms, retrieved);
  const covered = new Map<string, number>();
  const chosen: Candidate[] = [];
  let coverOfBest = 0;
  while (chosen.length < MAX_SENTENCES) {
    const next = bestOf(candidates, (candidate) => candidate.prior * gainOf(candidate, covered, weights));
    const gain = next === undefined ? 0 : gainOf(next, covered, weights);
    if (next === undefined || gain < MIN_GAIN * total) break;
    coverOfBest = Math.max(coverOfBest, gainOf(next, new Map(), weights));
    for (const [term, cover] of next.covers) covered.set(term, Math.max(cover, covered.get(term) ?? 0));
    chosen.push(next);
  }
  const coverOfAll = sum([...covered].map(([term, cover]) => cover * weights.get(term)!));
  const isEnough = coverOfBest >= MIN_COVER_OF_BEST * total && coverOfAll >= MIN_COVER_OF_ALL * total;
  return isEnough && matchesEnoughTerms(covered, questionTerms) ? chosen : [];
}

/** One shared word does not make an answer to a question of several. */
const matchesEnoughTerms = (covered: ReadonlyMap<string, number>, questionTerms: ReadonlySet<string>): boolean =>
  covered.size >= Math.min(2, questionTerms.size);

/** Rare terms matter more; a term that no passage has counts as if one had it, so that what is missing is missed. */
const termWeights = (corpus: Corpus, terms: ReadonlySet<string>): Map<string, number> =>
  new Map(
    [...terms].map((term) => [term, Math.log(1 + corpus.index.size / Math.max(1, corpus.index.passagesWith(term)))]),
  );

function candidatesOf(questionTerms: ReadonlySet<string>, retrieved: readonly ScoredPassage[]): Candidate[] {
  const seen = new Set<string>();
  const topScore = Math.max(0, ...retrieved.map(({ lexicalScore }) => lexicalScore)) || 1;
  return retrieved.flatMap(({ passage, lexicalScore }) => {
    const inHeadings = termsOf(passage.headings.join('\n')).filter((term) => questionTerms.has(term));
    return sentenceRanges(passage.text, passage.language).flatMap(({ start, end }): Candidate[] => {
      const text = passage.text.slice(start, end).replace(/\s+/gu, ' ');
      const words = wordsOnly(text);
      const inText = termsOf(text).filter((term) => questionTerms.has(term));
      if (inText.length === 0 || seen.has(words)) return [];
      seen.add(words);
      const covers = new Map(inHeadings.map((term) => [term, HEADING_COVER]));
      for (const term of inText) covers.set(term, 1);
      const fullness = Math.min(1, 0.5 + words.split(' ').length / 16);
      return [{ text, words, passage, covers, prior: (0.6 + (0.4 * lexicalScore) / topScore) * fullness }];
    });
  });
}

const gainOf = (
  candidate: Candidate,
  covered: ReadonlyMap<string, number>,
  weights: ReadonlyMap<string, number>,
): number =>
  sum(
    [...candidate.covers].map(
      ([term, cover]) => Math.max(0, cover - (covered.get(term) ?? 0)) * (weights.get(term) ?? 0),
    ),
  );

/** The first of the best, so that ties fall to the passage that ranks higher. */
function bestOf<T>(items: readonly T[], value: (item: T) => number): T | undefined {
  let best: { item: T; value: number } | undefined;
  for (const item of items) {
    const current = value(item);
    if (best === undefined || current > best.value) best = { item, value: current };
  }
  return best?.item;
}

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};
