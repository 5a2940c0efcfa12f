export { appraiseEvidence, failedChecks, supportedProfiles, verifierOf } from './appraise.js';
export { eventDigest, replayEventLog, REGISTER_BYTES } from './event-log.js';
export { makeEvidence } from './evidence.js';
export type { EvidenceRequest } from './evidence.js';
export { productionRoots, rootSetWithDevRoot } from './roots.js';
export type { RootSet } from './roots.js';
export {
  encodeSoftwareQuote,
  softwareQuoteMessage,
  MEASUREMENT_BYTES,
  SOFTWARE_QUOTE_TAG,
} from './software/quote-format.js';
export type { SoftwareQuote, SoftwareQuoteBody } from './software/quote-format.js';
export type { TeeDevice } from './tee-device.js';
export type * from './types.js';
