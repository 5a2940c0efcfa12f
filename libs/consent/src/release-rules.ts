import { appraisalPolicyDigest, LIMITS, type Claims, type LicenceView } from '@usufruct/protocol';
import type { Attested, UseInput } from './decision-input.js';
import { purposesCover } from './purposes.js';
import { isMissing, type Rule } from './rules.js';

/** What must hold besides a grant: the requester's licence, the funded job, and the evidence of who would get the key. */
export const RELEASE_RULES: readonly Rule<UseInput>[] = [
  {
    code: 'LICENCE_REQUIRED',
    name: 'licence',
    holds: (input) =>
      input.licences === undefined ? !isMissing(input, 'licences') : input.licences.some((one) => isFor(one, input)),
    details: ({ use }) => ({ asked: use.purpose, kind: use.kind, protection: use.protection }),
  },
  {
    code: 'LICENCE_EXPIRED',
    name: 'licence.expiry',
    holds: (input) =>
      input.licences === undefined || input.licences.some((one) => isFor(one, input) && input.nowMs < one.expiresAtMs),
    details: (input) => ({
      expiredAtMs: String(Math.max(...licencesFor(input).map(({ expiresAtMs }) => expiresAtMs))),
    }),
  },
  {
    code: 'JOB_STATE',
    name: 'job.state',
    holds: (input) => (input.job === undefined ? !isMissing(input, 'job') : input.job.state === 'funded'),
    details: ({ job }) => ({ state: job?.state ?? 'none' }),
  },
  {
    code: 'JOB_EXPIRED',
    name: 'job.expiry',
    holds: ({ job, nowMs }) => job === undefined || nowMs < job.expiresAtMs,
    details: ({ job }) => ({ expiredAtMs: String(job?.expiresAtMs) }),
  },
  {
    code: 'ATTESTATION_REFUSED',
    name: 'attestation.verdict',
    holds: (input) =>
      input.attestation === undefined
        ? !isMissing(input, 'attestation')
        : input.attestation.ok && input.attestation.claims !== undefined,
    details: () => ({}),
  },
  {
    code: 'ATTESTATION_REFUSED',
    name: 'attestation.debug',
    holds: claimed(({ debug }) => !debug),
    details: () => ({}),
  },
  {
    code: 'ATTESTATION_REFUSED',
    name: 'attestation.profile',
    holds: claimed(({ profile }, { dao }) => dao.policy.appraisal.profiles.includes(profile)),
    details: ({ attestation, dao }) => ({
      asked: attestation?.claims?.profile ?? '',
      allowed: dao.policy.appraisal.profiles.join(', '),
    }),
  },
  {
    // Also where the evidence was appraised a second ago, with the policy of then.
    code: 'ATTESTATION_REFUSED',
    name: 'attestation.measurement',
    holds: claimed(({ measurement }, { dao }) => dao.policy.appraisal.measurements.includes(measurement)),
    details: ({ attestation }) => ({ asked: attestation?.claims?.measurement ?? '' }),
  },
  {
    code: 'ATTESTATION_STALE',
    name: 'attestation.policy',
    holds: ({ attestation, dao }) =>
      attestation === undefined || attestation.policyDigest === appraisalPolicyDigest(dao.policy.appraisal),
    details: ({ dao }) => ({ policyVersion: String(dao.policy.appraisal.version) }),
  },
  {
    code: 'ATTESTATION_STALE',
    name: 'attestation.expiry',
    holds: ({ attestation, nowMs }) => attestation === undefined || nowMs < attestation.expiresAtMs,
    details: ({ attestation }) => ({ expiredAtMs: String(attestation?.expiresAtMs) }),
  },
];

/** As the contract's `licence::assert_covers`, but for its end, which has a rule of its own. */
function isFor({ licensee, daoId, terms, boughtAtMs }: LicenceView, { use, nowMs }: UseInput): boolean {
  return (
    use.requester !== undefined &&
    licensee === use.requester &&
    daoId === use.daoId &&
    terms.datasetId === use.datasetId &&
    terms.computation === use.kind &&
    terms.protection === use.protection &&
    purposesCover([terms.purpose], use.purpose) &&
    boughtAtMs <= nowMs + LIMITS.clockSkewMs
  );
}

const licencesFor = (input: UseInput): LicenceView[] =>
  (input.licences ?? []).filter((licence) => isFor(licence, input));

/** Holds where no attestation is judged; never where one is that claims nothing. */
function claimed(holds: (claims: Claims, input: UseInput) => boolean): (input: UseInput) => boolean {
  return (input) => {
    const attestation: Attested | undefined = input.attestation;
    if (attestation === undefined) return true;
    return attestation.claims !== undefined && holds(attestation.claims, input);
  };
}
