/** A half-open range of UTF-16 code units. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** Full stops after these do not end a sentence (compared in lower case, without the stop). */
const ABBREVIATIONS = new Set(
  (
    'e.g i.e cf vs dr mr mrs ms prof st no nos fig eq sec ch vol pp p approx ca al jr sr inc ltd co dept est etc ' +
    'z.b u.a d.h bzw usw ggf nr str abs vgl bspw hr fr mme av sra núm pág bijv o.a'
  ).split(' '),
);
/** These write ordinal numbers with a full stop: "am 3. Mai". */
const ORDINAL_STOP = new Set(['cs', 'da', 'de', 'fi', 'hu', 'nb', 'no', 'pl', 'sk']);

/**
 * Where a sentence may end: after `.`, `!`, `?` or `…` with closing quotes and white space, after the marks of scripts
 * whose full stop is another (ideographic, danda, Arabic, Armenian, Ethiopic, Khmer, Burmese), at an empty line, before
 * a line that begins a list item or table row, and at a space of Thai or Lao, which have no mark. A single line break
 * is no end: prose is often wrapped by hand. A run of marks is tried from its first one only: a million full stops must
 * not take the square of a million steps.
 */
const BOUNDARY =
  /(?<![.!?…])[.!?…]+["'”’)\]]{0,3}\s+|[。｡！？।॥؟۔։።፧៕។။]+["'”’)\]」』»]{0,3}\s*|\n\s*\n\s*|\n(?=[ \t]{0,8}(?:[-*+•]\s|\d{1,3}[.)]\s|\|))|(?<=[\u0E00-\u0EFF])[ \n]+(?=[\u0E00-\u0EFF])/gu;
/** Thai and Lao put spaces between phrases, too: shorter ones stay together. */
const PHRASE_CHARS = 60;

/**
 * Split text into sentences by rules that are the same on every platform; `language` (BCP 47) settles what differs
 * between languages of one script. The segmenter of the platform (ICU) is not used for it: it ends sentences at "Dr."
 * and "i.e.", and finds none in Thai. Ranges are in order, trimmed of white space, never empty and never overlap.
 */
export function sentenceRanges(text: string, language?: string): TextRange[] {
  const ranges: TextRange[] = [];
  let start = 0;
  const close = (end: number): void => {
    const range = trimmed(text, start, end);
    if (range.start < range.end) ranges.push(range);
    start = end;
  };
  for (const match of text.matchAll(BOUNDARY)) {
    const end = match.index + match[0].length;
    if (match[0].startsWith('.') && !endsSentence(text, match.index, end, language)) continue;
    if (/^[ \n]+$/.test(match[0]) && isThaiOrLao(text[match.index - 1]) && end - start < PHRASE_CHARS) {
      if (!/\n *\n/.test(match[0])) continue;
    }
    close(end);
  }
  close(text.length);
  return ranges;
}

const isThaiOrLao = (character: string | undefined): boolean => /[\u0E00-\u0EFF]/.test(character ?? '');

function endsSentence(text: string, stop: number, next: number, language: string | undefined): boolean {
  if (/^\p{Ll}/u.test(text.slice(next, next + 2))) return false;
  const before = text.slice(Math.max(0, stop - 8), stop);
  if (language !== undefined && ORDINAL_STOP.has(language) && /(?<![\p{N}.,])\d{1,2}$/u.test(before)) return false;
  const word = /[\p{L}.]{1,8}$/u.exec(before)?.[0] ?? '';
  return !ABBREVIATIONS.has(word.toLowerCase()) && !/^\p{Lu}$/u.test(word);
}

/** The range without white space at its ends. */
export function trimmed(text: string, start: number, end: number): TextRange {
  let [from, to] = [start, end];
  while (from < to && /\s/u.test(text[from]!)) from++;
  while (to > from && /\s/u.test(text[to - 1]!)) to--;
  return { start: from, end: to };
}
