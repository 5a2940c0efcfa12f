import { termsOf } from '@usufruct/retrieval';
import { sentenceRanges } from '../chunk/sentences.js';
import type { Passage } from '../retrieve/corpus.js';
import { neutralText } from './neutral-text.js';
import { supportedBy, supportingText, type SupportingText } from './support.js';

export const MAX_MODEL_SENTENCES = 12;
const MAX_SENTENCE_CHARS = 600;
/** Longer runs of letters and digits are no words of people: encoded bytes, keys, tokens. */
const LONGEST_WORD = 40;

export interface JudgedSentence {
  readonly text: string;
  /** Positions among the passages that were given, from 0: those that carry it. Never empty. */
  readonly passages: readonly number[];
}

const THOUGHTS = /<(think|thinking|reasoning|scratchpad)>[^]*?(?:<\/\1>|$)/gi;
const CODE = /(`{3,}|~{3,})[^]*?(?:\1|$)/g;
const CITATIONS = /\[\s*\d{1,4}(?:\s*[,;]\s*\d{1,4})*\s*\]/g;
/** Citations after the full stop belong to the sentence before it. */
const LATE_CITATIONS = /([.!?…。！？][)"'”’]*)(\s*(?:\[\s*\d{1,4}(?:\s*[,;]\s*\d{1,4})*\s*\]\s*)+)/g;
const IMAGE = /!\[[^\]\n]{0,2000}\](?:\([^)\n]{0,4000}\)?|\[[^\]\n]{0,200}\])?/g;
const LINK = /\[([^\]\n]{0,2000})\]\([^)\n]{0,4000}\)?/g;
const REFERENCE = /^[ \t]{0,8}\[[^\]\n]{1,200}\]:[^\n]*$/gm;
const TAG = /<!--[^]*?(?:-->|$)|<[a-z/!?][^<>]{0,4000}(?:>|$)/gi;
/**
 * With a scheme, or what an eager reader makes a link of: hosts, addresses of mail, and either written so as not to look
 * it. Of a name of thousands of parts the last ten are enough: a model's words must not take the square of their length.
 */
const ADDRESS =
  /\b[a-z][a-z0-9+.-]{1,20}:\/{1,2}[^\s]+|\b(?:data|javascript|mailto|tel|sms|file|vbscript|blob|about):[^\s]+|\bhxxps?[^\s]*|\bwww\.[^\s]+|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}|(?<![\w@])(?:[\w-]{1,63}\.){1,10}(?:[a-z]{2,24}|xn--[a-z0-9-]{1,59})(?::\d{1,5})?(?:[/?#][^\s]*)?(?![\w.])|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?:[/?#][^\s]*)?/gi;

/**
 * What a model wrote, as data: sentences that say what passages say which were given, and nothing else of it. Nothing in
 * it is ever called, opened or followed. A sentence is kept when it cites passages that carry it (`supportedBy`); from
 * what is kept, mark-up is taken out, and so are addresses that stand in no passage that it cites: an address that a
 * model makes up can carry the other passages away. All the rest is dropped, the model's thoughts and its own words
 * about itself with it. An empty list means that there is no answer.
 */
export function judgeOutput(
  output: string,
  given: readonly Passage[],
  question: string,
  marker: string,
): JudgedSentence[] {
  const texts = given.map(supportingText);
  const questionTerms = new Set(termsOf(question));
  const written = neutralText(output.replace(THOUGHTS, '\n\n').replace(CODE, '\n\n')).replace(REFERENCE, '');
  const plain = written
    .replace(IMAGE, ' ')
    .replace(LINK, (_link, shown: string) => (/^\s*[\d,; ]+$/.test(shown) ? `[${shown}]` : shown))
    .replace(TAG, ' ')
    .replace(LATE_CITATIONS, (_whole, stop: string, late: string) => ` ${late.trim()}${stop} `);
  const kept: JudgedSentence[] = [];
  const seen = new Set<string>();
  for (const { start, end } of sentenceRanges(plain)) {
    const sentence = judgeSentence(plain.slice(start, end), texts, questionTerms, marker);
    if (sentence === null || seen.has(sentence.text)) continue;
    seen.add(sentence.text);
    kept.push(sentence);
    if (kept.length === MAX_MODEL_SENTENCES) break;
  }
  return kept;
}

function judgeSentence(
  written: string,
  texts: readonly SupportingText[],
  questionTerms: ReadonlySet<string>,
  marker: string,
): JudgedSentence | null {
  const cited = citedIn(written, texts.length);
  if (cited.length === 0 || written.includes(marker)) return null;
  const bare = written.replace(CITATIONS, ' ');
  const text = oneSentence(withoutStrangeWords(bare, cited, texts));
  if (text === '' || text.length > MAX_SENTENCE_CHARS) return null;
  const passages = supportedBy(text, cited, texts, questionTerms);
  if (passages.length === 0) return null;
  // What a dropped citation had is not its own any more.
  const own = oneSentence(withoutStrangeWords(text, passages, texts));
  return own === '' ? null : { text: own, passages };
}

/** Each once, in order, and only of what was given: from 1 on the outside. */
function citedIn(written: string, count: number): number[] {
  const numbers = (written.match(CITATIONS) ?? []).flatMap((group) => (group.match(/\d+/g) ?? []).map(Number));
  return [...new Set(numbers)].filter((number) => number >= 1 && number <= count).map((number) => number - 1);
}

function withoutStrangeWords(text: string, cited: readonly number[], texts: readonly SupportingText[]): string {
  const isQuoted = (word: string): boolean => {
    const trimmed = word.toLowerCase().replace(/[.,;:!?)"'”’\]]+$/, '');
    return trimmed !== '' && cited.some((passage) => texts[passage]!.plain.includes(trimmed));
  };
  return text
    .replace(ADDRESS, (address) => (isQuoted(address) ? address : ' '))
    .replace(new RegExp(`[\\w+/=%_-]{${LONGEST_WORD},}`, 'g'), (word) => (isQuoted(word) ? word : ' '));
}

/** On one line, without the marks of lists, headings, quotations and stress that it was written in. */
const oneSentence = (text: string): string =>
  text
    .replace(/^[\s>#*+|•-]+(?=[^\d\s])|^\s*\d{1,3}[.)]\s+/gu, '')
    .replace(/(?<!\w)[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}(?!\w)/gu, '')
    .replace(/\(\s*\)|\[\s*\]/g, ' ')
    .replace(/\s+/gu, ' ')
    .replace(/\s+([.,;:!?…])/gu, '$1')
    .trim();
