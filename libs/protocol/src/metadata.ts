import { utf8, type Digest } from '@usufruct/kernel';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';

/**
 * What a DAO or a dataset says about itself. Only its digest is on the chain (`metadataHash`), so the words can be
 * served by anyone and checked by everyone.
 */
export interface Metadata {
  readonly title: string;
  readonly description: string;
}

/** The exact UTF-8 bytes of both texts, as given: nothing is trimmed or normalised. */
export const metadataDigest = ({ title, description }: Metadata): Digest =>
  taggedDigest(TAGS.metadata, utf8(title), utf8(description));
