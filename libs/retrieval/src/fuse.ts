/** The constant of the paper: how much less a second place is worth than a first. */
const K = 60;

export interface Ranking<T> {
  /** Best first, each once. */
  readonly ranked: readonly T[];
  /** 1 unless said; 0 leaves it out. */
  readonly weight?: number;
}
export interface Fused<T> {
  readonly item: T;
  readonly score: number;
}

/**
 * Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): the sum of weight / (60 + rank), ranks from 1. Only
 * places count, so lists whose scores cannot be compared can be fused: of several ways to search, or of several
 * datasets. Ties in the order in which the items first appear.
 */
export function fuse<T>(rankings: readonly Ranking<T>[], limit: number): Fused<T>[] {
  const scores = new Map<T, number>();
  for (const { ranked, weight = 1 } of rankings) {
    if (weight <= 0) continue;
    ranked.forEach((item, i) => scores.set(item, (scores.get(item) ?? 0) + weight / (K + i + 1)));
  }
  return [...scores]
    .map(([item, score]) => ({ item, score }))
    .sort((a, b) => b.score - a.score)
    .slice(0, limit);
}
