export { answerQuestion, NO_ANSWER, type Citation, type ExtractedAnswer } from './answer/answer-question.js';
export { ATTRIBUTION_METHOD, type ContributionWeight } from './answer/attribute.js';
export { parseDocument, type DocumentFile } from './parse/parse-document.js';
export { indexedChars, PARSE_LIMITS, type ParsedDocument, type ParseLimits } from './parse/types.js';
export { Corpus, type CorpusDocument } from './retrieve/corpus.js';
