export { answerQuestion, NO_ANSWER, type Citation, type ExtractedAnswer } from './answer/answer-question.js';
export { ATTRIBUTION_METHOD, type ContributionWeight } from './answer/attribute.js';
export {
  ingestDocument,
  type IngestedChunk,
  type IngestedDocument,
  type IngestOptions,
} from './ingest/ingest-document.js';
export { nearDuplicateGroups } from './ingest/near-duplicates.js';
export type { DocumentFile } from './parse/parse-bytes.js';
export { PARSE_LIMITS, type DocumentMetadata, type NotRead, type ParseLimits, type Place } from './parse/types.js';
export { Corpus, type CorpusDocument } from './retrieve/corpus.js';
export type { SourceFilter } from './retrieve/source-filter.js';
