import { similarity } from './sketch.js';

/** From here on two passages say the same; with runs of three words that is about one word in fifteen changed. */
export const NEAR_DUPLICATE_SIMILARITY = 0.7;
/** 16 bands of 4 numbers: two passages of similarity s share one with probability 1 − (1 − s⁴)¹⁶, 0.99 at 0.7. */
const BANDS = 16;
const ROWS = 4;
/** Of one bucket: passages that all begin alike must not take the square of their number. */
const MAX_COMPARED = 32;

/**
 * Which passages say the same as an earlier one: for each the number of the first of its group, its own where it is
 * the first or alone. Every member resembles the first by at least 0.7 (estimated from the sketches, so some close to
 * that are missed or taken); resemblance is not passed on from member to member. What is grouped depends on the order.
 */
export function nearDuplicateGroups(sketches: readonly Uint32Array[]): Uint32Array {
  const groups = new Uint32Array(sketches.length);
  const buckets = new Map<string, number[]>();
  sketches.forEach((sketch, i) => {
    const keys = bandKeys(sketch);
    const first = mostSimilar(sketch, sketches, new Set(keys.flatMap((key) => buckets.get(key) ?? [])));
    groups[i] = first ?? i;
    if (first !== undefined) return;
    for (const key of keys) {
      const bucket = buckets.get(key);
      if (bucket === undefined) buckets.set(key, [i]);
      else if (bucket.length < MAX_COMPARED) bucket.push(i);
    }
  });
  return groups;
}

const bandKeys = (sketch: Uint32Array): string[] =>
  Array.from({ length: BANDS }, (_, band) => `${band}:${sketch.subarray(band * ROWS, (band + 1) * ROWS).join()}`);

/** The first of the most similar, undefined when none is similar enough. */
function mostSimilar(
  sketch: Uint32Array,
  sketches: readonly Uint32Array[],
  candidates: ReadonlySet<number>,
): number | undefined {
  let best: { passage: number; value: number } | undefined;
  for (const passage of [...candidates].sort((left, right) => left - right)) {
    const value = similarity(sketch, sketches[passage]!);
    if (value >= NEAR_DUPLICATE_SIMILARITY && value > (best?.value ?? 0)) best = { passage, value };
  }
  return best?.passage;
}
