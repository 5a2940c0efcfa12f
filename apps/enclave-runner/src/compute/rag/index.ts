export { answerQuestion, NO_ANSWER, type AnswerOptions, type ExtractedAnswer } from './answer/answer-question.js';
export type { ContributionWeight } from './answer/attribute.js';
export {
  chooseGenerator,
  EXTRACTIVE,
  type AnswerTask,
  type Citation,
  type GeneratedAnswer,
  type Generator,
} from './answer/generator.js';
export { modelGenerator, type ModelWriter } from './generate/model-generator.js';
export { modelServerWriter } from './generate/model-server-writer.js';
export {
  AnswerReview,
  hasRule,
  limitsReach,
  type ReviewOptions,
  type ShownBefore,
  type ShownNow,
} from './guard/review.js';
export type { Span } from './guard/verbatim.js';
export {
  ingestDocument,
  type IngestedChunk,
  type IngestedDocument,
  type IngestOptions,
} from './ingest/ingest-document.js';
export { nearDuplicateGroups } from './ingest/near-duplicates.js';
export type { DocumentFile } from './parse/parse-bytes.js';
export { DOCUMENT_REFUSALS } from './parse/refusal.js';
export { SKETCH_SIZE, Sketcher } from './ingest/sketch.js';
export { zMetadata, zPlace } from './parse/schemas.js';
export { PARSE_LIMITS, type DocumentMetadata, type NotRead, type ParseLimits, type Place } from './parse/types.js';
export {
  Corpus,
  wordsOnly,
  type CorpusDocument,
  type PassageSource,
  type Retrieval,
  type StoredIndex,
} from './retrieve/corpus.js';
export { IndexProcess, startIndexHost, type IndexMaker } from './retrieve/index-process.js';
export type { SourceFilter } from './retrieve/source-filter.js';
