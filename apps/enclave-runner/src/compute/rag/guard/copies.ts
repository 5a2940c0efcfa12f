import type { PassageSource } from '../retrieve/corpus.js';

/** Three words in a row. */
const RUN_WORDS = 3;
/** From this part of its runs on, a passage stands in another place too. */
const CONTAINED = 0.5;
/** Fewer runs say nothing about where they come from. */
const FEWEST_RUNS = 5;

/** What is compared of a place in a document: its passage, and those around it. */
interface Surroundings {
  readonly own: ReadonlySet<string>;
  readonly around: ReadonlySet<string>;
}

/**
 * Which of these places are copies of one another: for each the number of the first of its group, its own where it is
 * the first or alone. Two are copies when half of what stands in the passage of one stands in or beside that of the
 * other, wherever each was cut into passages. `except` is not counted: that two say it is known, the question is whether
 * they are two. Where nothing else stands there, they are taken for copies.
 *
 * Somebody who writes other words around a sentence that he has copied is not noticed.
 */
export function copyGroups(sources: readonly PassageSource[], except = ''): number[] {
  const said = runsOf(wordsOf(except));
  const places = sources.map((source) => surroundingsOf(source, said));
  const groups = places.map((_, i) => i);
  places.forEach((place, i) => {
    for (let j = 0; j < i; j++) {
      if (groups[i] === groups[j] || !areCopies(place, places[j]!)) continue;
      // A place that is a copy of two makes these one group.
      const [kept, gone] = [Math.min(groups[i]!, groups[j]!), Math.max(groups[i]!, groups[j]!)];
      groups.forEach((group, k) => (groups[k] = group === gone ? kept : group));
    }
  });
  return groups;
}

function surroundingsOf({ chunk, document }: PassageSource, except: ReadonlySet<string>): Surroundings {
  const beside = [chunk.ordinal - 1, chunk.ordinal + 1].flatMap((ordinal) => {
    const text = document.chunks[ordinal]?.text;
    return text === undefined ? [] : [runsOf(wordsOf(text))];
  });
  const own = runsOf(wordsOf(chunk.text));
  const counted = new Set([...own].filter((run) => !except.has(run)));
  const around = new Set([own, ...beside].flatMap((runs) => [...runs]));
  return { own: counted, around };
}

const areCopies = (left: Surroundings, right: Surroundings): boolean =>
  isContained(left.own, right.around) || isContained(right.own, left.around);

function isContained(own: ReadonlySet<string>, around: ReadonlySet<string>): boolean {
  if (own.size < FEWEST_RUNS) return true;
  let shared = 0;
  for (const run of own) if (around.has(run)) shared += 1;
  return shared >= CONTAINED * own.size;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

function runsOf(words: readonly string[]): ReadonlySet<string> {
  const runs = new Set<string>();
  for (let i = 0; i + RUN_WORDS <= words.length; i++) runs.add(words.slice(i, i + RUN_WORDS).join(' '));
  return runs;
}
