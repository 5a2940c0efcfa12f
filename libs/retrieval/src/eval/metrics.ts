/** What a judged query expects: the grade of each document, by id; 0 or absent: not relevant. */
export type Judgements = ReadonlyMap<string, number>;

/**
 * Normalised discounted cumulative gain of the first k (Järvelin and Kekäläinen 2002, as trec_eval's `ndcg_cut`): gain
 * is the grade, discounted by log₂(rank + 1), over that of the best order of all judged documents. 0 where nothing is
 * relevant.
 */
export function ndcgAt(k: number, ranked: readonly string[], judged: Judgements): number {
  const ideal = [...judged.values()].filter((grade) => grade > 0).sort((a, b) => b - a);
  const best = discounted(ideal.slice(0, k));
  return best === 0 ? 0 : discounted(ranked.slice(0, k).map((id) => Math.max(0, judged.get(id) ?? 0))) / best;
}

/** One over the rank of the first relevant document, 0 where none is among the first k (`recip_rank`, cut). */
export function reciprocalRankAt(k: number, ranked: readonly string[], judged: Judgements): number {
  const first = ranked.slice(0, k).findIndex((id) => (judged.get(id) ?? 0) > 0);
  return first === -1 ? 0 : 1 / (first + 1);
}

/** Which part of the relevant documents is among the first k (`recall`). 0 where nothing is relevant. */
export function recallAt(k: number, ranked: readonly string[], judged: Judgements): number {
  const relevant = [...judged].filter(([, grade]) => grade > 0);
  const found = new Set(ranked.slice(0, k));
  return relevant.length === 0 ? 0 : relevant.filter(([id]) => found.has(id)).length / relevant.length;
}

const discounted = (grades: readonly number[]): number =>
  grades.reduce((sum, grade, i) => sum + grade / Math.log2(i + 2), 0);
