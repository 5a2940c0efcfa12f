export { Bm25Index } from './bm25.js';
export { decodeIndex, decodingIndex, encodeIndex, encodingIndex } from './codec/index-codec.js';
export { DenseIndex } from './dense.js';
export { embedWhole, isInputRefused, type Embedder, type TextRole } from './embedder.js';
export { embeddingsRequest, readEmbeddings } from './embeddings.js';
export {
  evaluate,
  qualityOf,
  rankingsOf,
  WAYS,
  type Collection,
  type Quality,
  type Rankings,
} from './eval/evaluate.js';
export { ndcgAt, recallAt, reciprocalRankAt, type Judgements } from './eval/metrics.js';
export type { GraphLinks } from './hnsw/graph.js';
export { fuse, type Fused, type Ranking } from './fuse.js';
export { LsaIndex, type LsaBasis, type LsaOptions } from './lsa/lsa-index.js';
export type { QuantisedRows } from './quantised-rows.js';
export { readRerank, RERANKED, rerankedPlaces, rerankRequest, rerankWhole, type Reranker } from './rerank.js';
export {
  FUSION_WEIGHTS,
  RetrievalIndex,
  type FusedHit,
  type FusionWeights,
  type Query,
  type SearchOptions,
} from './retrieval-index.js';
export { isGraph, isLsa, isTermMatrix } from './sound.js';
export { stemEnglish } from './stem.js';
export { termHash } from './term-hash.js';
export { atOnce, termMatrix, textsOf, type Plan, type TermMatrix } from './term-matrix.js';
export { termsOf } from './terms.js';
export type { Accepts, Hit } from './top.js';
