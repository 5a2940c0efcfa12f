export { fixedEndorsements } from './source.js';
export type { EndorsementSource, FoundEndorsements, MissingEndorsement } from './source.js';
