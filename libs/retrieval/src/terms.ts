import { stemEnglish } from './stem.js';

/** Words that say nothing about what a text is about, question words and fillers of questions among them. */
const STOP_WORDS = new Set(
  (
    'a about above after again all also am an and any are as at be because been before being below between both but by ' +
    'can could did do does doing done during each else etc ever few for from further get gets give given gave had has ' +
    'have having he her here hers him his how however i if in into is it its itself just know let like made make many ' +
    'may me might more most much must my no nor not now of off on once only or other our out over own per please said ' +
    'same say says shall she should so some such tell than that the their them then there these they this those ' +
    'through to too under until up upon us use used using very was we were what when where which while who whom whose ' +
    'why will with within without would yes yet you your explain describe list show find'
  ).split(' '),
);

/** Letters, marks and digits of any script, or a number with separators inside. */
const WORD = /\p{N}+(?:[.,]\p{N}+)+|[\p{L}\p{M}\p{N}]+(?:['’]\p{L}{1,3}(?![\p{L}\p{M}\p{N}]))?/gu;
/** Scripts that are written without spaces between words: indexed by overlapping pairs of characters. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const MAX_WORD_CHARS = 64;

/** Made-up words are all different, and would be remembered until memory ends. */
const MOST_KNOWN = 1 << 17;

/**
 * The index terms of a text in order, repetitions kept, each as what `of` makes of it: case and compatibility forms
 * folded, accents of Latin letters taken off, English stemmed, stop words and words of more than 64 characters left out.
 * In scripts without spaces between words a run of letters is no word, and is indexed however long it is.
 */
export class TermReader<T> {
  /** Most words of a corpus are seen many times; folding and stemming is done once for each. */
  readonly #known = new Map<string, readonly T[]>();
  readonly #of: (term: string) => T;

  constructor(of: (term: string) => T) {
    this.#of = of;
  }

  terms(text: string): T[] {
    const terms: T[] = [];
    for (const word of text.match(WORD) ?? []) {
      let folded = this.#known.get(word);
      if (folded === undefined) {
        folded = termsOfWord(word).map(this.#of);
        if (this.#known.size >= MOST_KNOWN) this.#known.clear();
        if (word.length <= MAX_WORD_CHARS) this.#known.set(word, folded);
      }
      for (const term of folded) terms.push(term);
    }
    return terms;
  }
}

export const termsOf = (text: string): string[] => new TermReader((term) => term).terms(text);

function termsOfWord(word: string): readonly string[] {
  const isLong = word.length > MAX_WORD_CHARS;
  if (isLong && !UNSPACED.test(word)) return [];
  const folded = word
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]\p{L}{1,3}$/u, '');
  if (/^\p{N}/u.test(folded) && /[.,]/.test(folded)) return [folded.replace(/,(?=\p{N}{3}(?!\p{N}))/gu, '')];
  if (UNSPACED.test(folded)) return pairs([...folded]);
  const plain = /\p{Script=Latin}/u.test(folded) ? folded.normalize('NFKD').replace(/\p{M}/gu, '') : folded;
  return plain === '' || STOP_WORDS.has(plain) || /^[a-z]$/.test(plain) ? [] : [stemEnglish(plain)];
}

const pairs = (characters: readonly string[]): string[] =>
  characters.length === 1 ? [...characters] : characters.slice(1).map((character, i) => characters[i]! + character);
