import type { ContributionId } from '@usufruct/kernel';
import { termsOf } from '@usufruct/retrieval';
import { wordsOnly, type Corpus, type Passage, type PassageSource, type ScoredPassage } from '../retrieve/corpus.js';
import { attribute, type ContributionWeight } from './attribute.js';
import { MAX_SENTENCES, selectSentences, type ChosenSentence } from './select-sentences.js';

/** Passages looked at when the holders of a sentence are sought, whatever the asker's `topK`. */
const CANDIDATES = 32;
/** At most this many contributions share one sentence, the earliest first: a receipt names at most 64 uses. */
const MAX_HOLDERS_OF_SENTENCE = Math.floor(64 / MAX_SENTENCES);

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

/**
 * Answer with sentences taken from the documents, each with its citations, or say that there is no answer: then there
 * are no citations and no weights. `topK` passages are considered. Deterministic. That a sentence is true, or that it
 * means in the answer what it meant in its document, is not proven by anything here.
 */
export async function answerQuestion(corpus: Corpus, question: string, topK: number): Promise<ExtractedAnswer> {
  const terms = new Set(termsOf(question));
  const retrieved = await corpus.search(question, Math.max(topK, CANDIDATES));
  const chosen = selectSentences(corpus, terms, retrieved.slice(0, topK));
  if (chosen.length === 0) {
    return { text: NO_ANSWER, generator: 'extractive', isKnown: false, sentences: [], citations: [], weights: [] };
  }
  const citations: Citation[] = [];
  const sentences = chosen.map((sentence) => {
    const sources = sourcesOf(sentence, retrieved);
    const first = citations.length;
    citations.push(...sources.map((source) => citationOf(source, sentence)));
    return { text: sentence.text, citations: sources.map((_, i) => first + i), sources };
  });
  return {
    text: sentences.map(({ text, citations: cited }) => `${text} ${cited.map((i) => `[${i + 1}]`).join('')}`).join(' '),
    generator: 'extractive',
    isKnown: true,
    sentences: sentences.map(({ text, citations: cited }) => ({ text, citations: cited })),
    citations,
    weights: attribute(
      citedPassages(
        chosen,
        sentences.map(({ sources }) => sources),
        retrieved,
      ),
    ),
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

const citationOf = ({ contributionId, fileName, chunk }: PassageSource, { text }: ChosenSentence): Citation => ({
  contributionId,
  fileName,
  locator: chunk.locator,
  ordinal: chunk.ordinal,
  quote: text,
});

function citedPassages(
  chosen: readonly ChosenSentence[],
  sources: readonly (readonly PassageSource[])[],
  retrieved: readonly ScoredPassage[],
) {
  return retrieved
    .map(({ passage, lexicalScore }) => ({
      score: lexicalScore,
      holdersBySentence: chosen.flatMap((sentence, i) =>
        sentence.passage === passage ? [sources[i]!.map((source) => source.contributionId)] : [],
      ),
    }))
    .filter(({ holdersBySentence }) => holdersBySentence.length > 0);
}
