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

/** A run of letters that a source and a text have in common, and that is no longer on either side. */
interface Match {
  readonly source: number;
  readonly at: number;
  readonly shownAt: number;
  readonly length: number;
}

/**
 * The spans of each of these sources, places of one contribution, that stand in `shown` word for word. Each letter that
 * is shown is taken from where the longest run is that it is in (greedy tiling; Wise 1993), from all such places where
 * several are as long: what a row of a table has in common with every other row does not show those.
 */
export function verbatimSpans(sources: readonly Folded[], shown: Folded, seed: number): Span[][] {
  const matches = sources.flatMap((one, source) => matchesOf(one.letters, shown.letters, seed, source));
  matches.sort((left, right) => right.length - left.length);
  /** Of each letter that is shown, how long the run is that it was taken from. */
  const takenFrom = new Uint32Array(shown.letters.length);
  const spans: Span[][] = sources.map(() => []);
  for (const { source, at, shownAt, length } of matches) {
    const isFree = (i: number): boolean => takenFrom[shownAt + i] === 0 || takenFrom[shownAt + i] === length;
    for (let from = 0, to = 0; from < length; from = to + 1) {
      for (to = from; to < length && isFree(to);) to++;
      if (to - from < seed) continue;
      takenFrom.fill(length, shownAt + from, shownAt + to);
      const { starts, ends } = sources[source]!;
      spans[source]!.push({ start: starts[at + from]!, end: ends[at + to - 1]! });
    }
  }
  return spans;
}

function matchesOf(letters: string, shown: string, seed: number, source: number): Match[] {
  const places = new Map<string, number[]>();
  for (let i = 0; i + seed <= shown.length; i++) {
    const seedText = shown.slice(i, i + seed);
    const known = places.get(seedText);
    if (known === undefined) places.set(seedText, [i]);
    else known.push(i);
  }
  const matches: Match[] = [];
  for (let at = 0; at + seed <= letters.length; at++) {
    for (const shownAt of places.get(letters.slice(at, at + seed)) ?? []) {
      // It began before, and was found there.
      if (at > 0 && shownAt > 0 && letters[at - 1] === shown[shownAt - 1]) continue;
      let length = seed;
      while (at + length < letters.length && letters[at + length] === shown[shownAt + length]) length++;
      matches.push({ source, at, shownAt, length });
    }
  }
  return matches;
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
