import { termsOf } from '@usufruct/retrieval';
import { sentenceRanges } from '../chunk/sentences.js';
import type { Passage } from '../retrieve/corpus.js';

/** So much of what a sentence says beyond the question may stand in nothing that it cites; one word may in any case. */
const MOST_UNSAID = 0.3;
/** A citation counts when its passage has at least this part of the sentence by itself. */
const LEAST_SHARE = 0.35;
/** Numbers, with their separators inside. */
const NUMBER = /\p{N}+(?:[.,:]\p{N}+)*/gu;

/** A passage as sentences are held against it. */
export interface SupportingText {
  readonly terms: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
  /** White space collapsed, lower case. */
  readonly plain: string;
  readonly sentences: readonly { readonly text: string; readonly terms: ReadonlySet<string> }[];
}

export function supportingText({ text, headings, language }: Passage): SupportingText {
  const whole = `${headings.join('\n')}\n${text}`;
  return {
    terms: new Set(termsOf(whole)),
    numbers: new Set(numbersOf(whole)),
    plain: whole.replace(/\s+/gu, ' ').toLowerCase(),
    sentences: sentenceRanges(text, language).map(({ start, end }) => {
      const sentence = text.slice(start, end).replace(/\s+/gu, ' ');
      return { text: sentence, terms: new Set(termsOf(sentence)) };
    }),
  };
}

/**
 * Which of the cited passages carry a sentence, judged by its words alone: stemmed, stop words aside, those of the
 * question for free, and every number must stand in one of them. Empty where they do not carry it. That what it says
 * follows from what they say is not judged: "was not" has the words of "was".
 */
export function supportedBy(
  sentence: string,
  cited: readonly number[],
  texts: readonly SupportingText[],
  questionTerms: ReadonlySet<string>,
): number[] {
  const terms = [...new Set(termsOf(sentence))];
  if (terms.length === 0) return [];
  const own = terms.filter((term) => !questionTerms.has(term));
  const shareOf = (passage: number, of: readonly string[]): number =>
    of.length === 0 ? 1 : of.filter((term) => texts[passage]!.terms.has(term)).length / of.length;
  const carrying = cited.filter((passage) => Math.min(shareOf(passage, terms), shareOf(passage, own)) >= LEAST_SHARE);
  if (carrying.length === 0) return [];
  const isSaid = (term: string): boolean => carrying.some((passage) => texts[passage]!.terms.has(term));
  const said = own.filter(isSaid).length;
  const isCounted = numbersOf(sentence).every((number) =>
    carrying.some((passage) => texts[passage]!.numbers.has(number)),
  );
  const isCarried =
    own.length === 0 ? terms.some(isSaid) : said >= 1 && own.length - said <= Math.max(1, MOST_UNSAID * own.length);
  return isCarried && isCounted ? carrying : [];
}

/**
 * Which of these texts say all of a sentence that was written from those that were `given`: every word of it that one of
 * them has, those of the question too, and every number. Words that none of them has are the writer's own.
 */
export function sayingAll(
  sentence: string,
  texts: readonly SupportingText[],
  given: readonly SupportingText[],
): number[] {
  const terms = termsOf(sentence).filter((term) => given.some((text) => text.terms.has(term)));
  const numbers = numbersOf(sentence).filter((number) => given.some((text) => text.numbers.has(number)));
  if (terms.length === 0) return [];
  const saysAll = (text: SupportingText): boolean =>
    terms.every((term) => text.terms.has(term)) && numbers.every((number) => text.numbers.has(number));
  return [...texts.keys()].filter((i) => saysAll(texts[i]!));
}

/** The sentence of a passage that has most of it: what is quoted. */
export function quoteFor(sentence: string, { sentences }: SupportingText): string {
  const terms = [...new Set(termsOf(sentence))];
  let best = { text: '', hits: -1 };
  for (const candidate of sentences) {
    const hits = terms.filter((term) => candidate.terms.has(term)).length;
    if (hits > best.hits) best = { text: candidate.text, hits };
  }
  return best.text;
}

/** As written, but for the separators of thousands. */
const numbersOf = (text: string): string[] =>
  (text.match(NUMBER) ?? []).map((number) => number.normalize('NFKC').replace(/,(?=\p{N}{3}(?!\p{N}))/gu, ''));
