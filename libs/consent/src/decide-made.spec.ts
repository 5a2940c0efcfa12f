import { describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs, type ContributionId, type DatasetId } from '@usufruct/kernel';
import { aContribution, aDao, aDataset, aGrant, aJob, idOf, someTerms, TEST_NOW_MS } from '@usufruct/testing';
import { decideMade, type MadeUse } from './decide-made.js';

const SKEW_MS = 60_000;
const at = (ms: number) => asTimestampMs(TEST_NOW_MS + ms);
const made = (changes: Partial<MadeUse> = {}): MadeUse => ({
  contribution: aContribution(),
  dataset: aDataset(),
  grant: aGrant(),
  job: aJob(),
  dao: aDao(),
  atMs: TEST_NOW_MS,
  clockSkewMs: SKEW_MS,
  ...changes,
});
const codeOf = (use: MadeUse): string => {
  const decision = decideMade(use);
  return decision.ok ? 'covered' : decision.refusal.code;
};

describe('a use that was made', () => {
  it.each<[string, Partial<MadeUse>, string]>([
    ['under a grant that covers it', {}, 'covered'],
    ['before the grant was revoked', { grant: aGrant({ revokedAtMs: at(1) }) }, 'covered'],
    ['at the moment of the revocation', { grant: aGrant({ revokedAtMs: at(0) }) }, 'GRANT_REVOKED'],
    ['after it was revoked', { grant: aGrant({ revokedAtMs: at(-1) }) }, 'GRANT_REVOKED'],
    ['before it expired', { grant: aGrant({ terms: someTerms({ expiresAtMs: at(1) }) }) }, 'covered'],
    ['when it expired', { grant: aGrant({ terms: someTerms({ expiresAtMs: at(0) }) }) }, 'GRANT_EXPIRED'],
    ['just before it was given, by another clock', { grant: aGrant({ givenAtMs: at(SKEW_MS) }) }, 'covered'],
    ['long before it was given', { grant: aGrant({ givenAtMs: at(SKEW_MS + 1) }) }, 'GRANT_REQUIRED'],
    ['under a grant of another', { grant: aGrant({ contributionId: idOf<ContributionId>('x') }) }, 'GRANT_REQUIRED'],
    ['under a grant of a stranger', { grant: aGrant({ grantor: idOf('stranger') }) }, 'GRANT_REQUIRED'],
    ['for another purpose', { grant: aGrant({ terms: someTerms({ purposes: ['dpv:Marketing'] }) }) }, 'PURPOSE_DENIED'],
    ['of another kind', { grant: aGrant({ terms: someTerms({ kinds: ['stats'] }) }) }, 'SCOPE_MISMATCH'],
    ['under another protection', { grant: aGrant({ terms: someTerms({ protections: ['mpc'] }) }) }, 'SCOPE_MISMATCH'],
    [
      'below the floor',
      { grant: aGrant({ terms: someTerms({ priceFloorUnits: asAmount(1_000_001n) }) }) },
      'PRICE_BELOW_FLOOR',
    ],
    ['before the contribution was retired', { contribution: aContribution({ tombstonedAtMs: at(1) }) }, 'covered'],
    ['when it was retired', { contribution: aContribution({ tombstonedAtMs: at(0) }) }, 'TOMBSTONED'],
    ['before the dataset was retired', { dataset: aDataset({ tombstonedAtMs: at(1) }) }, 'covered'],
    ['when that was retired', { dataset: aDataset({ tombstonedAtMs: at(0) }) }, 'TOMBSTONED'],
    ['of what was not accepted', { contribution: aContribution({ state: 'proposed' }) }, 'CONTRIBUTION_NOT_ACCEPTED'],
    [
      'of another dataset',
      { contribution: aContribution({ datasetId: idOf<DatasetId>('other') }) },
      'DATASET_MISMATCH',
    ],
    ['for a job that is over by now', { job: aJob({ state: 'succeeded', expiresAtMs: at(1) }) }, 'covered'],
  ])('%s', (_name, changes, expected) => {
    expect(codeOf(made(changes))).toBe(expected);
  });
});
