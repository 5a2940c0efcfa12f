/** From `start` up to `end`, in characters of a document's text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A text as it is compared: letters and digits alone, folded, each with where it stands. */
export interface Folded {
  readonly letters: string;
  /** Of each letter: where it starts and ends in the text. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Shorter runs of letters that two texts share say nothing; where less than twice as much may be quoted, fewer do. */
const MOST_SEED_LETTERS = 12;
const FEWEST_SEED_LETTERS = 4;
/** A word that is changed, left out or put in between does not end a run. */
const JOIN_CHARS = 20;

/** Case, accents, compatibility forms, spacing and punctuation do not count: what differs in them alone is the same. */
export function fold(text: string): Folded {
  let letters = '';
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const character of text) {
    const end = at + character.length;
    for (const letter of foldedOf(character)) {
      letters += letter;
      // One for each UTF-16 unit of the letter: positions in `letters` are positions in these lists.
      for (let unit = 0; unit < letter.length; unit++) {
        starts.push(at);
        ends.push(end);
      }
    }
    at = end;
  }
  return { letters, starts, ends };
}

function foldedOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 128) return /[a-z0-9]/i.test(character) ? character.toLowerCase() : '';
  return character
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

/** How many letters in a row make a match, where so many characters may be quoted. */
export const seedLetters = (maxQuoteChars: number): number =>
  Math.min(MOST_SEED_LETTERS, Math.max(FEWEST_SEED_LETTERS, Math.floor(maxQuoteChars / 2)));

/** The spans of `source` that stand in `shown` word for word, ascending, those that touch as one. */
export function verbatimSpans(source: Folded, shown: Folded, seed: number): Span[] {
  const seeds = new Set<string>();
  for (let i = 0; i + seed <= shown.letters.length; i++) seeds.add(shown.letters.slice(i, i + seed));
  const spans: { start: number; end: number }[] = [];
  let coveredTo = -1;
  for (let i = 0; i + seed <= source.letters.length; i++) {
    if (!seeds.has(source.letters.slice(i, i + seed))) continue;
    const end = source.ends[i + seed - 1]!;
    if (i <= coveredTo) spans.at(-1)!.end = end;
    else spans.push({ start: source.starts[i]!, end });
    coveredTo = i + seed;
  }
  return spans;
}

export const shifted = (spans: readonly Span[], by: number): Span[] =>
  spans.map(({ start, end }) => ({ start: start + by, end: end + by }));

/** Ascending; spans with no more than a word between them are one. */
export function joined(spans: readonly Span[]): Span[] {
  const runs: { start: number; end: number }[] = [];
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    const last = runs.at(-1);
    if (last !== undefined && start - last.end <= JOIN_CHARS) last.end = Math.max(last.end, end);
    else runs.push({ start, end });
  }
  return runs;
}

/** The longest run, in characters, that one of the fresh spans is a part of; what was shown before makes it longer. */
export function longestRun(fresh: readonly Span[], before: readonly Span[]): number {
  const runs = joined([...before, ...fresh]);
  const touched = runs.filter(({ start, end }) => fresh.some((span) => span.start < end && span.end > start));
  return touched.reduce((longest, { start, end }) => Math.max(longest, end - start), 0);
}
