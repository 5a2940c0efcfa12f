import type { TextRange } from './sentences.js';

/** Scripts that are written without spaces between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** A quick look: none of them stands below Thai. */
const MAYBE_UNSPACED = /[\u0e00-\uffff]/;

/** A word that goes on and on is cut. */
const MAX_WORD_CHARS = 2_000;

const segmenters = new Map<string, Intl.Segmenter>();
/** The dictionaries are ICU's, which comes with Node: the same runner image cuts the same text alike. */
function segmenterOf(language: string | undefined): Intl.Segmenter {
  const key = language ?? 'und';
  let segmenter = segmenters.get(key);
  if (segmenter === undefined) {
    segmenter = new Intl.Segmenter(key, { granularity: 'word' });
    segmenters.set(key, segmenter);
  }
  return segmenter;
}

/** Between white space; where a script has none between words, the words of its dictionary. */
export const countWords = (text: string, language?: string): number => {
  if (!MAYBE_UNSPACED.test(text) || !UNSPACED.test(text)) return countSpaced(text);
  let count = 0;
  for (const { isWordLike } of segmenterOf(language).segment(text)) if (isWordLike) count++;
  return Math.max(1, count);
};

function countSpaced(text: string): number {
  let count = 0;
  let wasSpace = true;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const isSpace = unit <= 0x20 || (unit >= 0xa0 && /\s/.test(text[i]!));
    if (wasSpace && !isSpace) count++;
    wasSpace = isSpace;
  }
  return count;
}

/** The places where a text that has no sentences may be cut: around its words, marks with the word before them. */
export function* wordRanges(text: string, language?: string): Generator<TextRange> {
  for (const match of text.matchAll(/\S+/gu)) {
    const run = { start: match.index, end: match.index + match[0].length };
    for (const { start, end } of cut(text, run)) {
      const part = text.slice(start, end);
      if (UNSPACED.test(part)) yield* segmentsOf(part, start, language);
      else yield { start, end };
    }
  }
}

/** The segmenter, too, is given pieces: for a run of Chinese it takes memory outside the heap by its length. */
function* cut(text: string, { start, end }: TextRange): Generator<TextRange> {
  let from = start;
  while (from < end) {
    let to = Math.min(end, from + MAX_WORD_CHARS);
    // Never between the two halves of a character beyond the basic plane.
    if (to < end && /[\uD800-\uDBFF]/.test(text[to - 1]!)) to--;
    yield { start: from, end: to };
    from = to;
  }
}

function* segmentsOf(run: string, offset: number, language: string | undefined): Generator<TextRange> {
  let open: { start: number; end: number } | null = null;
  for (const { segment, index, isWordLike } of segmenterOf(language).segment(run)) {
    const end = offset + index + segment.length;
    if (open !== null && !isWordLike) {
      open.end = end;
    } else {
      if (open !== null) yield open;
      open = { start: offset + index, end };
    }
  }
  if (open !== null) yield open;
}
