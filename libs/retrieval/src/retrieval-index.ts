import { Bm25Index } from './bm25.js';
import type { DenseIndex } from './dense.js';
import { fuse } from './fuse.js';
import type { LsaIndex } from './lsa/lsa-index.js';
import { atOnce, termMatrix, textsOf, type Plan, type TermMatrix } from './term-matrix.js';
import { remembered, topOf, type Accepts, type Hit } from './top.js';

/** Of each ranking only so many places have a part in the fused one. */
const DEPTH = 100;

/** How much each ranking counts where they are fused; 0 leaves it out. */
export interface FusionWeights {
  readonly bm25: number;
  readonly lsa: number;
  readonly dense: number;
}
/** As measured (docs/measurements/retrieval.json): LSA brings what BM25 cannot find, and must not upset what it can. */
export const FUSION_WEIGHTS: FusionWeights = { bm25: 1, lsa: 0.2, dense: 1 };

export interface Query {
  readonly terms: readonly string[];
  /** Of the embedder that made the index's vectors. */
  readonly vector?: Float32Array | undefined;
}
export interface SearchOptions {
  readonly accepts?: Accepts | undefined;
  readonly weights?: FusionWeights | undefined;
}
export interface FusedHit extends Hit {
  /** BM25; 0 where the passage has none of the terms. */
  readonly lexicalScore: number;
}

/** Everything that is known of some passages by which they can be found; the parts agree on their numbers. */
export class RetrievalIndex {
  readonly bm25: Bm25Index;
  readonly lsa: LsaIndex | null;
  readonly dense: DenseIndex | null;

  /** Throws `RangeError` where the parts are of different passages. */
  constructor(bm25: Bm25Index, lsa: LsaIndex | null = null, dense: DenseIndex | null = null) {
    if ([lsa, dense].some((part) => part !== null && part.size !== bm25.size)) {
      throw new RangeError('the parts of an index are of the same passages');
    }
    this.bm25 = bm25;
    this.lsa = lsa;
    this.dense = dense;
  }

  static of(texts: readonly string[]): RetrievalIndex {
    return new RetrievalIndex(Bm25Index.of(texts));
  }

  get size(): number {
    return this.bm25.size;
  }

  with(parts: { readonly lsa?: LsaIndex | null; readonly dense?: DenseIndex | null }): RetrievalIndex {
    const { lsa = this.lsa, dense = this.dense } = parts;
    return new RetrievalIndex(this.bm25, lsa, dense);
  }

  /**
   * The index of the plan's passages, in milliseconds: BM25 exactly as if built anew; LSA with new passages folded in,
   * or without LSA where a passage was left out, for its basis holds something of that passage, too, and has to be fitted
   * anew. Vectors of what is left stay as they are; new texts have none before their embedder has read them.
   */
  patched(plan: Plan): RetrievalIndex {
    return atOnce(this.patching(plan, termMatrix(textsOf(plan))));
  }

  /** The same in steps, most of them of some milliseconds, for whoever answers meanwhile. `fresh` is of the plan's texts (`textsOf`). */
  *patching(plan: Plan, fresh: TermMatrix): Generator<void, RetrievalIndex, void> {
    const bm25 = yield* this.bm25.patching(plan, fresh);
    yield;
    const lsa = this.lsa?.patched(plan, bm25.matrix) ?? null;
    yield;
    // Of nothing there are no vectors, and no width that those of what comes later would have to have.
    const dense = plan.length === 0 ? null : (this.dense?.patched(plan) ?? null);
    return new RetrievalIndex(bm25, lsa, dense);
  }

  /** Fused by the places in each ranking. Of a passage that is not accepted no score is computed. */
  search({ terms, vector }: Query, limit: number, options: SearchOptions = {}): FusedHit[] {
    const { weights = FUSION_WEIGHTS } = options;
    const accepts = options.accepts && remembered(options.accepts, this.size);
    const depth = Math.max(limit, DEPTH);
    const scores = this.bm25.scores(terms, accepts);
    const rankings = [
      { hits: topOf(scores, depth), weight: weights.bm25 },
      { hits: weights.lsa > 0 ? (this.lsa?.search(terms, depth, accepts) ?? []) : [], weight: weights.lsa },
      {
        hits: vector && weights.dense > 0 ? (this.dense?.search(vector, depth, accepts) ?? []) : [],
        weight: weights.dense,
      },
    ];
    return fuse(
      rankings.map(({ hits, weight }) => ({ ranked: hits.map(({ passage }) => passage), weight })),
      limit,
    ).map(({ item, score }) => ({ passage: item, score, lexicalScore: scores[item]! }));
  }
}
