/** A half-open range of UTF-16 code units. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** Full stops after these do not end a sentence (compared in lower case, without the stop). */
const ABBREVIATIONS = new Set(
  'e.g i.e cf vs dr mr mrs ms prof st no nos fig eq sec ch vol pp p approx ca al jr sr inc ltd co dept est etc'.split(
    ' ',
  ),
);

/**
 * Where a sentence may end: after `.`, `!`, `?` or `…` with closing quotes and white space, after the full-width marks
 * of Chinese and Japanese, at an empty line, and before a line that begins a list item or table row. A single line
 * break is no end: prose is often wrapped by hand. A run of marks is tried from its first one only: a million full
 * stops must not take the square of a million steps.
 */
const BOUNDARY =
  /(?<![.!?…])[.!?…]+["'”’)\]]{0,3}\s+|[。！？]+["'”’)\]」』]{0,3}\s*|\n\s*\n\s*|\n(?=[ \t]{0,8}(?:[-*+•]\s|\d{1,3}[.)]\s|\|))/gu;

/**
 * Split text into sentences by rules that are the same on every platform (the ICU segmenter changes with its
 * version). Ranges are in order, trimmed of white space, never empty and never overlap.
 */
export function sentenceRanges(text: string): TextRange[] {
  const ranges: TextRange[] = [];
  let start = 0;
  const close = (end: number): void => {
    const range = trimmed(text, start, end);
    if (range.start < range.end) ranges.push(range);
    start = end;
  };
  for (const match of text.matchAll(BOUNDARY)) {
    const end = match.index + match[0].length;
    if (match[0].startsWith('.') && !endsSentence(text, match.index, end)) continue;
    close(end);
  }
  close(text.length);
  return ranges;
}

function endsSentence(text: string, stop: number, next: number): boolean {
  if (/^\p{Ll}/u.test(text.slice(next, next + 2))) return false;
  const word = /[\p{L}.]{1,8}$/u.exec(text.slice(Math.max(0, stop - 8), stop))?.[0] ?? '';
  return !ABBREVIATIONS.has(word.toLowerCase()) && !/^\p{Lu}$/u.test(word);
}

/** The range without white space at its ends. */
export function trimmed(text: string, start: number, end: number): TextRange {
  let [from, to] = [start, end];
  while (from < to && /\s/u.test(text[from]!)) from++;
  while (to > from && /\s/u.test(text[to - 1]!)) to--;
  return { start: from, end: to };
}
