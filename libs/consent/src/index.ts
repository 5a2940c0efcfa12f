export { decide, DECISION_CODES, policyRefusal } from './decide.js';
export type { Permission } from './decide.js';
export { decideMade, type MadeUse } from './decide-made.js';
export { DECISION_PARTS } from './decision-input.js';
export type { Attested, BudgetView, DecisionInput, DecisionPart, Use, UseInput } from './decision-input.js';
export { zConsentFacts, zStated } from './documents/consent-facts.js';
export type { ConsentFacts, ConsentProof, Stated } from './documents/consent-facts.js';
export {
  consentReceipt,
  consentReceiptDigest,
  consentReceiptStatement,
  consentReceiptText,
  parseConsentReceipt,
  signedConsentReceipt,
} from './documents/consent-receipt.js';
export { croissant } from './documents/croissant.js';
export type { CroissantParams } from './documents/croissant.js';
export { datasetOffer, grantOffer } from './documents/odrl-offer.js';
export type { DatasetOfferParams, GrantOfferParams } from './documents/odrl-offer.js';
export { canonicalJson } from './documents/json.js';
export type { Json, JsonObject } from './documents/json.js';
export { CONSENT_RECEIPT_CHECKS, consentFactsOf, verifyConsentReceipt } from './documents/verify-consent-receipt.js';
export type { VerifyConsentReceiptOptions } from './documents/verify-consent-receipt.js';
export { GRANT_SET_RULES, grantSetOf, useRefusal } from './grant-set.js';
export type { GrantSet, GrantSetInput } from './grant-set.js';
export { explainRefusal, explainTerms } from './explain.js';
export type { ExplainOptions } from './explain.js';
export { PURPOSES, purposeCovers, purposesCover, unverifiableCodes } from './purposes.js';
export type { Purpose } from './purposes.js';
export { allowsAnyOf, withoutPurpose } from './narrow.js';
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
