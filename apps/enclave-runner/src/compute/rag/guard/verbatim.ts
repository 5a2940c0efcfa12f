import type { Folded } from './folded.js';
import { scatteredIn, type Scattered } from './scattered.js';

/** From `start` up to `end`, in characters of a document's text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Shorter runs of letters that two texts share say nothing; where less than twice as much may be quoted, fewer do. */
const MOST_SEED_LETTERS = 12;
const FEWEST_SEED_LETTERS = 4;
/** A word that is changed, left out or put in between does not end a run. */
const JOIN_CHARS = 20;

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

/** For each source. More are taken by what is the same few letters again and again, and nobody is to wait for that. */
const MOST_STEPS = 100_000;
/** A step with scattered words takes longer; a page of a table, all of it shown, takes a few thousand. */
const MOST_SCATTERED_STEPS = 20_000;

/**
 * The spans of each of these sources, places of one contribution, that stand in `shown` word for word. Each letter that
 * is shown is taken from where the longest run is that it is in (greedy tiling; Wise 1993), from all such places where
 * several are as long: what a row of a table has in common with every other row does not show those. A run whose words
 * stand there in order, with others put between them, is one too, unless its letters stand there in a longer piece. Null
 * where comparing takes too long.
 */
export function verbatimSpans(sources: readonly Folded[], shown: Folded, seed: number): Span[][] | null {
  const matches = matchesOf(sources, shown.letters, seed);
  const scattered = scatteredOf(sources, shown);
  if (matches === null || scattered === null) return null;
  matches.sort((left, right) => right.length - left.length);
  /** Of each letter that is shown, how long the run is that it was taken from. */
  const takenFrom = new Uint32Array(shown.letters.length);
  const spans: Span[][] = sources.map(() => []);
  const take = (source: number, at: number, from: number, to: number): void => {
    const { starts, ends } = sources[source]!;
    spans[source]!.push({ start: starts[at + from]!, end: ends[at + to - 1]! });
  };
  for (const { source, at, shownAt, length } of matches) {
    const isFree = (i: number): boolean => takenFrom[shownAt + i] === 0 || takenFrom[shownAt + i] === length;
    for (const [from, to] of piecesOf(length, seed, isFree)) {
      takenFrom.fill(length, shownAt + from, shownAt + to);
      take(source, at, from, to);
    }
  }
  const scatteredFrom = new Uint32Array(shown.letters.length);
  for (const { source, at, shownAt } of scattered) {
    const { length } = shownAt;
    const isFree = (i: number): boolean => {
      const place = shownAt[i]!;
      return takenFrom[place]! <= length && (scatteredFrom[place] === 0 || scatteredFrom[place] === length);
    };
    for (const [from, to] of piecesOf(length, seed, isFree)) {
      for (const place of shownAt.slice(from, to)) scatteredFrom[place] = length;
      take(source, at, from, to);
    }
  }
  return spans;
}

/** What is free of so many letters: each piece that is long enough, from its first letter to the one after its last. */
function* piecesOf(length: number, seed: number, isFree: (i: number) => boolean): Generator<[number, number]> {
  for (let from = 0, to = 0; from < length; from = to + 1) {
    for (to = from; to < length && isFree(to);) to++;
    if (to - from >= seed) yield [from, to];
  }
}

/** All of it, if there is any. */
export function wholeOf({ starts, ends }: Folded): Span[] {
  const [start, end] = [starts[0], ends.at(-1)];
  return start === undefined || end === undefined ? [] : [{ start, end }];
}

/** The longest first. Null where it would take too many steps. */
function scatteredOf(sources: readonly Folded[], shown: Folded): (Scattered & { readonly source: number })[] | null {
  let left = MOST_SCATTERED_STEPS * sources.length;
  const spend = (steps: number): boolean => (left -= steps) >= 0;
  const found: (Scattered & { readonly source: number })[] = [];
  for (const [source, text] of sources.entries()) {
    const runs = scatteredIn(text, shown, spend);
    if (runs === null) return null;
    found.push(...runs.map((run) => ({ ...run, source })));
  }
  return found.sort((left, right) => right.shownAt.length - left.shownAt.length);
}

/** Null where it would take too many steps. */
function matchesOf(sources: readonly Folded[], shown: string, seed: number): Match[] | null {
  const places = placesOf(shown, seed);
  const matches: Match[] = [];
  const mostSteps = MOST_STEPS * sources.length;
  let steps = 0;
  for (const [source, { letters }] of sources.entries()) {
    for (let at = 0; at + seed <= letters.length; at++) {
      const found = places.get(letters.slice(at, at + seed)) ?? [];
      if ((steps += found.length) > mostSteps) return null;
      for (const shownAt of found) {
        // It began before, and was found there.
        if (at > 0 && shownAt > 0 && letters[at - 1] === shown[shownAt - 1]) continue;
        let length = seed;
        while (at + length < letters.length && letters[at + length] === shown[shownAt + length]) length++;
        if ((steps += length) > mostSteps) return null;
        matches.push({ source, at, shownAt, length });
      }
    }
  }
  return matches;
}

/** Where each run of so many letters stands. */
function placesOf(shown: string, seed: number): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (let i = 0; i + seed <= shown.length; i++) {
    const text = shown.slice(i, i + seed);
    const known = places.get(text);
    if (known === undefined) places.set(text, [i]);
    else known.push(i);
  }
  return places;
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
