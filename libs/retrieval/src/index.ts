export { Bm25Index } from './bm25.js';
export { decodeIndex, encodeIndex } from './codec/index-codec.js';
export { DenseIndex, type Embedder } from './dense.js';
export { embeddingsRequest, readEmbeddings } from './embeddings.js';
export { evaluate, WAYS, type Collection, type Quality } from './eval/evaluate.js';
export { ndcgAt, recallAt, reciprocalRankAt, type Judgements } from './eval/metrics.js';
export { fuse, type Fused, type Ranking } from './fuse.js';
export { LsaIndex, type LsaBasis, type LsaOptions } from './lsa/lsa-index.js';
export type { QuantisedRows } from './quantised-rows.js';
export { readRerank, rerankRequest, type Reranker } from './rerank.js';
export {
  FUSION_WEIGHTS,
  RetrievalIndex,
  type FusedHit,
  type FusionWeights,
  type Query,
  type SearchOptions,
} from './retrieval-index.js';
export { stemEnglish } from './stem.js';
export { termMatrix, type Plan, type TermMatrix } from './term-matrix.js';
export { termsOf } from './terms.js';
export type { Accepts, Hit } from './top.js';
