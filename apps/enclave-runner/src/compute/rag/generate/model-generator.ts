import type { RandomSource } from '@usufruct/kernel';
import type { Model } from '@usufruct/protocol';
import { CANDIDATES, holdersOf } from '../answer/answer-question.js';
import { composeAnswer } from '../answer/compose.js';
import type { AnswerTask, GeneratedAnswer, Generator } from '../answer/generator.js';
import { eachOnce, withCited, type WeighedSentence } from '../answer/weigh.js';
import { wordsOnly, type Passage, type PassageSource, type ScoredPassage } from '../retrieve/corpus.js';
import { judgeOutput, type JudgedSentence } from './judge-output.js';
import { promptOf, type Prompt } from './prompt.js';
import { quoteFor, supportingText, type SupportingText } from './support.js';

/** A language model: text in, text out, and nothing else. */
export interface ModelWriter {
  readonly model: Model;
  /** All that it wrote, bounded. Refuses `GENERATOR_UNAVAILABLE`. Ends when the signal does. */
  write(prompt: Prompt, signal: AbortSignal): Promise<string>;
}

/**
 * Answers in a model's words, of which only those count that the passages carry (`judgeOutput`). Where nothing was
 * found the model is not asked; where nothing of what it wrote is carried, there is no answer, and nobody is used. The
 * dataset's rules judge what is left, as they judge sentences of documents.
 */
export const modelGenerator = (writer: ModelWriter, random: RandomSource): Generator => ({
  kind: 'model',
  model: writer.model,
  answer: async ({ corpus, question, topK, options, signal }: AnswerTask): Promise<GeneratedAnswer> => {
    const retrieved = await corpus.search(question, Math.max(topK, CANDIDATES), options.filter);
    const found = retrieved.slice(0, topK).map(({ passage }) => passage);
    const by = { generator: 'model', model: writer.model } as const;
    if (found.length === 0) return composeAnswer([], retrieved, options, undefined, { ...by, quoteOf: () => '' });
    const { prompt, given } = promptOf(question, found, random);
    const output = await writer.write(prompt, signal);
    const judged = judgeOutput(output, given, question, prompt.marker);
    const quotes = new Quotes(given);
    const drafts = judged.map((sentence) => draftOf(sentence, given, quotes, retrieved));
    const review = options.review?.(retrieved.flatMap(({ passage }) => passage.sources));
    const kept = drafts.map((draft) => review?.take(draft) ?? (review === undefined ? draft : null));
    // Beside the model's words a quotation would be a second one, which no rule has judged.
    const quoteOf = (sentence: WeighedSentence, source: PassageSource): string =>
      review === undefined ? quotes.of(sentence, source) : '';
    const sentences = kept.filter((sentence) => sentence !== null);
    return composeAnswer(sentences, retrieved, options, review, { ...by, quoteOf });
  },
});

/** A sentence with everyone who holds what carries it. */
function draftOf(
  { text, passages }: JudgedSentence,
  given: readonly Passage[],
  quotes: Quotes,
  retrieved: readonly ScoredPassage[],
): WeighedSentence {
  const carrying = passages.map((position) => given[position]!);
  const holders = carrying.flatMap((passage) =>
    holdersOf({ words: wordsOnly(quotes.from(text, passage)), passage }, retrieved),
  );
  return { text, passages: carrying, ...withCited(eachOnce(holders)) };
}

/** The sentences of passages that carry what a model says in its own words. */
class Quotes {
  readonly #texts: ReadonlyMap<Passage, SupportingText>;

  constructor(given: readonly Passage[]) {
    this.#texts = new Map(given.map((passage) => [passage, supportingText(passage)]));
  }

  from(sentence: string, passage: Passage): string {
    const text = this.#texts.get(passage);
    return text === undefined ? '' : quoteFor(sentence, text);
  }

  /** Where the place is none of the cited passages but holds one's words, those. */
  of({ text, passages }: WeighedSentence, source: PassageSource): string {
    const passage = passages.find(({ sources }) => sources.includes(source)) ?? passages[0];
    return passage === undefined ? '' : this.from(text, passage);
  }
}
