/** One answer, as far as it shows how somebody goes through a dataset. */
export interface Look {
  /** Passages that it showed, and how many of them were new to the asker. */
  readonly shown: number;
  readonly fresh: number;
  /** Of the question. */
  readonly terms: ReadonlySet<string>;
}

/** So many answers in a row are looked at. */
export const LOOKS = 24;
const FEWEST_LOOKS = 16;
/** Of the dataset: below this nobody has walked anywhere. */
const LEAST_COVERED = 0.1;
/** Who wants to know something is shown the same passages again, and asks about the same things. */
const MOSTLY_FRESH = 0.8;
const UNRELATED = 0.1;

/**
 * Whether somebody seems to walk through a dataset: nearly every answer shows what was not shown before, the questions
 * have next to nothing in common, and a good part has been covered. A sign for people to look at, and no proof: a
 * curious reader of a small dataset looks the same, and a careful thief does not.
 */
export function looksLikeWalking(looks: readonly Look[], covered: number): boolean {
  if (looks.length < FEWEST_LOOKS || covered < LEAST_COVERED) return false;
  const shown = looks.reduce((sum, look) => sum + look.shown, 0);
  const fresh = looks.reduce((sum, look) => sum + look.fresh, 0);
  const alike = looks.slice(1).map((look, i) => overlap(look.terms, looks[i]!.terms));
  const likeness = alike.reduce((sum, value) => sum + value, 0) / alike.length;
  return fresh >= MOSTLY_FRESH * shown && likeness <= UNRELATED;
}

/** Jaccard index; of two empty sets 1. */
function overlap(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const common = [...left].filter((term) => right.has(term)).length;
  const all = left.size + right.size - common;
  return all === 0 ? 1 : common / all;
}
