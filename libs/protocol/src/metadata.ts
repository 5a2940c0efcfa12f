import { refuse, utf8, type Digest } from '@usufruct/kernel';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { LIMITS } from './limits.js';

/**
 * What a DAO or a dataset says about itself, or a proposer about a proposal. Only its digest is on the chain, so the
 * words can be served by anyone and checked by everyone.
 */
export interface Metadata {
  readonly title: string;
  readonly description: string;
}

/** The exact UTF-8 bytes of both texts, as given: nothing is trimmed or normalised. */
export const metadataDigest = ({ title, description }: Metadata): Digest =>
  taggedDigest(TAGS.metadata, utf8(title), utf8(description));

/** What an applicant for membership says about itself: hashed as a description under this title. */
export const statementDigest = (statement: string): Digest =>
  metadataDigest({ title: 'membership', description: statement });

/** Refuses `INVALID_ARGUMENT` for words that no API keeps: a blank title, or a text that is too long. */
export function requireMetadata({ title, description }: Metadata): void {
  if (title.trim() === '' || title.length > LIMITS.titleChars) {
    throw refuse('INVALID_ARGUMENT', { field: 'title', expected: `1 to ${LIMITS.titleChars} characters` });
  }
  if (description.length > LIMITS.descriptionChars) {
    const expected = `at most ${LIMITS.descriptionChars} characters`;
    throw refuse('INVALID_ARGUMENT', { field: 'description', expected });
  }
}

/** Refuses `INVALID_ARGUMENT` for a statement that is blank or too long. */
export function requireStatement(statement: string): void {
  if (statement.trim() === '' || statement.length > LIMITS.descriptionChars) {
    throw refuse('INVALID_ARGUMENT', { field: 'statement', expected: `1 to ${LIMITS.descriptionChars} characters` });
  }
}
