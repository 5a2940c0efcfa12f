export { decide, DECISION_CODES, policyRefusal } from './decide.js';
export type { Permission } from './decide.js';
export { DECISION_PARTS } from './decision-input.js';
export type { Attested, BudgetView, DecisionInput, DecisionPart, Use } from './decision-input.js';
export { explainRefusal, explainTerms } from './explain.js';
export type { ExplainOptions } from './explain.js';
export { PURPOSES, purposeCovers, purposesCover, unverifiableCodes } from './purposes.js';
export type { Purpose } from './purposes.js';
export { signable } from './signable.js';
export type { Chosen, Signable } from './signable.js';
export {
  askablePurposes,
  DUO_MODIFIERS,
  duoModifier,
  MORE_PURPOSES,
  purposeIri,
  purposeLabel,
  VOCABULARY,
} from './vocabulary.js';
export type { Keeping, Modifier } from './vocabulary.js';
