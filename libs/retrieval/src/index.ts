export { Bm25Index } from './bm25.js';
export { stemEnglish } from './stem.js';
export { termMatrix, type Plan, type TermMatrix } from './term-matrix.js';
export { termsOf } from './terms.js';
export type { Accepts, Hit } from './top.js';
