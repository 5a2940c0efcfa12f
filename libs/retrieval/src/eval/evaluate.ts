import type { FusionWeights, RetrievalIndex } from '../retrieval-index.js';
import { FUSION_WEIGHTS } from '../retrieval-index.js';
import { termsOf } from '../terms.js';
import { ndcgAt, recallAt, reciprocalRankAt, type Judgements } from './metrics.js';

/** A test collection: what is searched, what is asked, and which passages answer it. */
export interface Collection {
  readonly passages: readonly { readonly id: string; readonly text: string }[];
  /** Those without a judgement have no part. */
  readonly queries: readonly { readonly id: string; readonly text: string }[];
  /** By the query's id. */
  readonly judgements: ReadonlyMap<string, Judgements>;
}

/** Means over the judged queries. */
export interface Quality {
  readonly ndcgAt10: number;
  readonly mrrAt10: number;
  readonly recallAt100: number;
}

/** Each kind of search alone, and all fused as the runner fuses them. */
export const WAYS: Readonly<Record<'bm25' | 'lsa' | 'dense' | 'fused', FusionWeights>> = {
  bm25: { bm25: 1, lsa: 0, dense: 0 },
  lsa: { bm25: 0, lsa: 1, dense: 0 },
  dense: { bm25: 0, lsa: 0, dense: 1 },
  fused: FUSION_WEIGHTS,
};

/** Passages by their numbers, best first, for each judged query by its id. */
export type Rankings = ReadonlyMap<string, readonly number[]>;

/**
 * How well an index of the collection's passages, in their order, finds what is judged relevant. `vectors`: of the
 * queries, by id, for `dense`.
 */
export const evaluate = (
  collection: Collection,
  index: RetrievalIndex,
  weights: FusionWeights,
  vectors?: ReadonlyMap<string, Float32Array>,
): Quality => qualityOf(collection, rankingsOf(collection, index, weights, vectors));

/** What such an index finds for each query: as many as are judged, and one that may be the query itself. */
export function rankingsOf(
  { queries, judgements }: Collection,
  index: RetrievalIndex,
  weights: FusionWeights,
  vectors?: ReadonlyMap<string, Float32Array>,
): Rankings {
  const judged = queries.filter(({ id }) => judgements.has(id));
  return new Map(
    judged.map(({ id, text }) => {
      const hits = index.search({ terms: termsOf(text), vector: vectors?.get(id) }, 101, { weights });
      return [id, hits.map(({ passage }) => passage)];
    }),
  );
}

/**
 * How good rankings of a collection's passages are. A passage with the query's own id is left out, as BEIR does (Thakur
 * et al. 2021).
 */
export function qualityOf({ passages, judgements }: Collection, rankings: Rankings): Quality {
  const sums = { ndcgAt10: 0, mrrAt10: 0, recallAt100: 0 };
  let count = 0;
  for (const [id, found] of rankings) {
    const judged = judgements.get(id);
    if (judged === undefined) continue;
    count += 1;
    const ranked = found.map((passage) => passages[passage]!.id).filter((one) => one !== id);
    sums.ndcgAt10 += ndcgAt(10, ranked, judged);
    sums.mrrAt10 += reciprocalRankAt(10, ranked, judged);
    sums.recallAt100 += recallAt(100, ranked, judged);
  }
  const mean = (sum: number): number => sum / Math.max(1, count);
  return { ndcgAt10: mean(sums.ndcgAt10), mrrAt10: mean(sums.mrrAt10), recallAt100: mean(sums.recallAt100) };
}
