import type { Folded } from './folded.js';

/** So many strange words may stand between two words of a quotation, and it is one all the same. */
export const STRANGE_WORDS = 8;
/** Fewer words that follow one another in a source stand in this order in other texts, too. */
const FEWEST_WORDS = 4;

/** A run of a source's letters, from `at` on, whose words stand in a text in their order, with others between them. */
export interface Scattered {
  readonly at: number;
  /** Of each letter of the run: where it is shown. */
  readonly shownAt: readonly number[];
}

/** A word of the source in its place in what is shown, and the one before it. */
interface Step {
  readonly word: number;
  readonly shown: number;
  readonly before: Step | null;
  readonly count: number;
  isEnd: boolean;
}

/**
 * Quotations with words put between theirs, which need share no run of letters with their source. Every word of a run has
 * to be there, in order: that is what a quotation is, and what is said in other words is not. The longest ones, exactly:
 * each word that is shown is looked at in each of its places in the source, with the words shown shortly before it.
 * `spend` is told how much that is, and says false when it is enough: null then.
 */
export function scatteredIn(source: Folded, shown: Folded, spend: (steps: number) => boolean): Scattered[] | null {
  const places = placesOf(source);
  /** Of each word of the source: where it was shown not long ago, with the longest run that ends there. */
  const recent = new Map<number, Step[]>();
  const steps: Step[] = [];
  for (let at = 0; at < shown.words.length; at++) {
    // The last one first: what is shown once is not followed by itself.
    for (const word of (places.get(wordAt(shown, at)) ?? []).toReversed()) {
      const near = (recent.get(word - 1) ?? []).filter((step) => at - step.shown <= STRANGE_WORDS + 1);
      if (!spend(1 + near.length)) return null;
      const before = near.reduce<Step | null>(
        (best, step) => (best !== null && best.count >= step.count ? best : step),
        null,
      );
      if (before !== null) before.isEnd = false;
      const step = { word, shown: at, before, count: (before?.count ?? 0) + 1, isEnd: true };
      recent.set(word, [...(recent.get(word) ?? []).filter((other) => at - other.shown <= STRANGE_WORDS), step]);
      steps.push(step);
    }
  }
  const found: Scattered[] = [];
  for (const step of steps) {
    if (!step.isEnd || step.count < FEWEST_WORDS) continue;
    const run = runOf(step, source, shown);
    if (isInOnePiece(run)) continue; // is found by its letters
    if (!spend(run.shownAt.length)) return null;
    found.push(run);
  }
  return found;
}

/** A passage is compared with many sentences. */
const known = new WeakMap<Folded, ReadonlyMap<string, readonly number[]>>();

/** Where each word stands. */
function placesOf(text: Folded): ReadonlyMap<string, readonly number[]> {
  const before = known.get(text);
  if (before !== undefined) return before;
  const places = new Map<string, number[]>();
  for (let word = 0; word < text.words.length; word++) {
    const letters = wordAt(text, word);
    const others = places.get(letters);
    if (others === undefined) places.set(letters, [word]);
    else others.push(word);
  }
  known.set(text, places);
  return places;
}

function runOf(last: Step, source: Folded, shown: Folded): Scattered {
  const words: Step[] = [];
  for (let step: Step | null = last; step !== null; step = step.before) words.push(step);
  words.reverse();
  const shownAt = words.flatMap((step) => {
    const from = shown.words[step.shown]!;
    return Array.from({ length: endOf(source, step.word) - source.words[step.word]! }, (_, i) => from + i);
  });
  return { at: source.words[words[0]!.word]!, shownAt };
}

const isInOnePiece = ({ shownAt }: Scattered): boolean => shownAt.at(-1) === shownAt[0]! + shownAt.length - 1;

const endOf = ({ words, letters }: Folded, word: number): number => words[word + 1] ?? letters.length;
const wordAt = (text: Folded, word: number): string => text.letters.slice(text.words[word], endOf(text, word));
