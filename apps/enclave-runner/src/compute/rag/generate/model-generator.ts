import { UsufructError, type RandomSource } from '@usufruct/kernel';
import type { Model } from '@usufruct/protocol';
import { CANDIDATES, holdersOf } from '../answer/answer-question.js';
import { composeAnswer } from '../answer/compose.js';
import type { AnswerTask, GeneratedAnswer, Generator } from '../answer/generator.js';
import type { AnswerReview } from '../guard/review.js';
import { eachOnce, withCited, type WeighedSentence } from '../answer/weigh.js';
import { wordsOnly, type Passage, type PassageSource, type ScoredPassage } from '../retrieve/corpus.js';
import { judgeOutput, type JudgedSentence } from './judge-output.js';
import { ALL_CHARS, promptOf, type Prompt } from './prompt.js';
import { quoteFor, sayingAll, supportingText, type SupportingText } from './support.js';

/** The reason of a refusal where the server would not have the prompt: perhaps a shorter one. */
export const PROMPT_REFUSED = 'prompt refused';

/** A language model: text in, text out, and nothing else. */
export interface ModelWriter {
  readonly model: Model;
  /** All that it wrote, bounded. Refuses `GENERATOR_UNAVAILABLE` with a reason. Ends when the signal does. */
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
    const { output, given, marker } = await writeFrom(found, { writer, question, random, signal });
    const judged = judgeOutput(output, given, question, marker);
    const quotes = new Quotes(given);
    const drafts = judged.map((sentence) => draftOf(sentence, given, quotes, retrieved));
    const review = options.review?.(retrieved.flatMap(({ passage }) => passage.sources));
    const kept = review === undefined ? drafts : reviewed(drafts, review, sayersAmong(retrieved, given));
    // Beside the model's words a quotation would be a second one, which no rule has judged.
    const quoteOf = (sentence: WeighedSentence, source: PassageSource): string =>
      review === undefined ? quotes.of(sentence, source) : '';
    const sentences = kept.filter((sentence) => sentence !== null);
    return composeAnswer(sentences, retrieved, options, review, { ...by, quoteOf });
  },
});

interface Writing {
  readonly writer: ModelWriter;
  readonly question: string;
  readonly random: RandomSource;
  readonly signal: AbortSignal;
}

/** Of what carries a sentence: twelve of them, each with sixteen places, are to fit into an answer. */
const QUOTE_CHARS = 600;

/** Shorter ones are refused for something else than their length. */
const LEAST_CHARS = 200;

/**
 * How much a model reads only its server knows: where it refuses the prompt, it gets half as much, down to the beginning
 * of the first passage: whoever wrote that can have it be of characters that tokenizers write out as whole sentences.
 */
async function writeFrom(found: readonly Passage[], { writer, question, random, signal }: Writing) {
  for (let chars = ALL_CHARS; ; chars /= 2) {
    const { prompt, given } = promptOf(question, found, random, chars);
    try {
      return { output: await writer.write(prompt, signal), given, marker: prompt.marker };
    } catch (error) {
      const isTooMuch = error instanceof UsufructError && error.details['reason'] === PROMPT_REFUSED;
      if (!isTooMuch || chars < LEAST_CHARS) throw error;
    }
  }
}

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

const reviewed = (
  drafts: readonly WeighedSentence[],
  review: AnswerReview,
  sayersOf: (sentence: string) => PassageSource[],
): (WeighedSentence | null)[] => drafts.map((draft) => review.take({ ...draft, sayers: sayersOf(draft.text) }));

/** Who says all of a sentence: a model puts together what several say, and leaves out who says what. */
function sayersAmong(
  retrieved: readonly ScoredPassage[],
  given: readonly Passage[],
): (sentence: string) => PassageSource[] {
  const texts = retrieved.map(({ passage }) => supportingText(passage));
  const seen = texts.filter((_, i) => given.includes(retrieved[i]!.passage));
  return (sentence) => eachOnce(sayingAll(sentence, texts, seen).flatMap((i) => retrieved[i]!.passage.sources));
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
    const quote = passage === undefined ? '' : this.from(text, passage);
    return quote.length <= QUOTE_CHARS ? quote : `${quote.slice(0, QUOTE_CHARS - 1).toWellFormed()}…`;
  }
}
