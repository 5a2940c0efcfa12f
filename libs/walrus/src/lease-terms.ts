import { refuse } from '@usufruct/kernel';
import type { PutOptions } from './blob-store.js';

/** A year on Walrus's mainnet. */
export const DEFAULT_EPOCHS = 26;
/** Walrus's own limit on how far ahead a lease may be bought. */
export const MOST_EPOCHS = 53;
/** Of Walrus's mainnet. */
export const WALRUS_SHARDS = 1_000;
/** How many files a quilt holds at most there: 1,000 shards have 667 source columns, and the index takes one. */
export const QUILT_FILES = 666;

/** What a lease is asked for with, complete. */
export type LeaseTerms = Required<Pick<PutOptions, 'epochs' | 'deletable'>> & Pick<PutOptions, 'owner' | 'signal'>;

/** Refuses `INVALID_ARGUMENT` for a term that no lease can have. */
export function leaseTerms(put: PutOptions, defaultEpochs: number): LeaseTerms {
  const { epochs = defaultEpochs, deletable = false, owner, signal } = put;
  if (!Number.isInteger(epochs) || epochs < 1 || epochs > MOST_EPOCHS) {
    throw refuse('INVALID_ARGUMENT', { field: 'epochs', expected: `an integer from 1 to ${MOST_EPOCHS}` });
  }
  return { epochs, deletable, ...(owner !== undefined && { owner }), ...(signal !== undefined && { signal }) };
}
