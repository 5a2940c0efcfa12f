import {
  asAmount,
  asTimestampMs,
  type ContributionId,
  type DatasetId,
  type Digest,
  type Address,
} from '@usufruct/kernel';
import { appraisalPolicyDigest, type AttestationResult, type Claims, type LicenceView } from '@usufruct/protocol';
import { aContribution, aDao, aDataset, aGrant, aJob, anAppraisalPolicy, TEST_MEASUREMENT } from './builders.js';
import { idOf, TEST_NOW_MS } from './values.js';

/** The requester's licence for the job of `aJob`. */
export function aLicence(changes: Partial<LicenceView> = {}): LicenceView {
  const job = aJob();
  return {
    id: idOf('licence'),
    offerId: idOf('offer'),
    daoId: job.daoId,
    licensee: job.requester,
    terms: {
      datasetId: job.datasetId,
      purpose: job.purpose,
      computation: job.kind,
      protection: job.protection,
      priceUnits: asAmount(1n),
      termMs: 1_000,
    },
    boughtAtMs: asTimestampMs(TEST_NOW_MS - 500),
    expiresAtMs: asTimestampMs(TEST_NOW_MS + 500),
    ...changes,
  };
}

export const someClaims = (changes: Partial<Claims> = {}): Claims => ({
  profile: 'software-dev',
  measurement: TEST_MEASUREMENT,
  debug: false,
  hpkePublicKey: new Uint8Array(32),
  signingPublicKey: new Uint8Array(32),
  evidenceDigest: idOf('evidence'),
  standIn: true,
  ...changes,
});

/** What a verifier makes of good evidence under `anAppraisalPolicy`. */
export const anAttestation = (changes: Partial<AttestationResult> = {}): AttestationResult => ({
  ok: true,
  checks: [],
  claims: someClaims(),
  policyDigest: appraisalPolicyDigest(anAppraisalPolicy()),
  expiresAtMs: asTimestampMs(TEST_NOW_MS + 1_000),
  ...changes,
});

/** All that the consent decision can be asked to judge, all of it good. */
export function aDecision() {
  const job = aJob();
  return {
    contribution: aContribution(),
    dataset: aDataset(),
    grants: [aGrant()],
    dao: aDao(),
    use: job,
    job,
    manifest: {
      datasetId: idOf<DatasetId>('dataset'),
      contributionId: idOf<ContributionId>('contribution'),
      owner: idOf<Address>('contributor'),
      digest: idOf<Digest>('manifest'),
    },
    budget: { neededMicroEpsilon: 0n, spentMicroEpsilon: 0n },
    licences: [aLicence()],
    attestation: anAttestation(),
    nowMs: TEST_NOW_MS as number,
  };
}
