export { decide, DECISION_CODES } from './decide.js';
export type { BudgetView, DecisionInput, Permission, Use } from './decide.js';
export { explainRefusal, explainTerms } from './explain.js';
export type { ExplainOptions } from './explain.js';
export { PURPOSES, purposeCovers, purposeLabel, purposesCover, unverifiableCodes } from './purposes.js';
export type { Purpose } from './purposes.js';
