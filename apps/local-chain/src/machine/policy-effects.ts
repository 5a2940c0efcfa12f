import { refuse, type DaoId } from '@usufruct/kernel';
import { requireWholeSplit } from '@usufruct/ledger';
import type { DaoRecord } from './collections.js';
import type { EffectRule } from './effect-rule.js';
import { requireInteger, requirePurposes, requireSet } from './guards.js';
import {
  adoptPolicy,
  requireJobTerm,
  requireMeasurement,
  requirePolicy,
  requireProfiles,
  requireResultTerm,
  splitParts,
} from './policy.js';
import { mustFind, type Room } from './room.js';

type Policy = DaoRecord['policy'];
type Appraisal = Policy['appraisal'];

/** The policy of this moment with one thing changed, checked as a whole: its next version. */
function change(room: Room, daoId: DaoId, how: (policy: Policy) => Partial<Policy>): void {
  const { policy } = mustFind(room, 'dao', daoId);
  const next = { ...policy, ...how(policy) };
  requirePolicy(room, next);
  adoptPolicy(room, daoId, next);
}

/** Each change has a version of its own, so that what was signed for an earlier one never counts again. */
function appraisalOf({ appraisal }: Policy, changes: Partial<Appraisal>): { appraisal: Appraisal } {
  requireInteger(appraisal.version + 1, 1, 2 ** 32 - 1, 'appraisal.version');
  return { appraisal: { ...appraisal, ...changes, version: appraisal.version + 1 } };
}

export const setPrice: EffectRule<'setPrice'> = {
  check: () => undefined,
  apply: (room, { daoId }, { pricePerQuestionUnits }) => change(room, daoId, () => ({ pricePerQuestionUnits })),
};

export const setPurposes: EffectRule<'setPurposes'> = {
  check: ({ purposes }) => requirePurposes(purposes),
  apply: (room, { daoId }, { purposes }) => change(room, daoId, () => ({ purposes })),
};

export const setSplit: EffectRule<'setSplit'> = {
  check: ({ split }) => requireWholeSplit(splitParts(split)),
  apply: (room, { daoId }, { split }) => change(room, daoId, () => ({ split })),
};

export const approveMeasurement: EffectRule<'approveMeasurement'> = {
  check: ({ measurement }) => requireMeasurement(measurement, 'measurement'),
  apply: (room, { daoId }, { measurement }) =>
    change(room, daoId, (policy) => {
      const { measurements } = policy.appraisal;
      if (measurements.includes(measurement)) {
        throw refuse('INVALID_ARGUMENT', { field: 'measurement', expected: 'one that is not approved yet' });
      }
      return appraisalOf(policy, { measurements: [...measurements, measurement] });
    }),
};

/** The last one stays: no runner could be appraised without one. */
export const withdrawMeasurement: EffectRule<'withdrawMeasurement'> = {
  check: ({ measurement }) => requireMeasurement(measurement, 'measurement'),
  apply: (room, { daoId }, { measurement }) =>
    change(room, daoId, (policy) => {
      const { measurements } = policy.appraisal;
      if (!measurements.includes(measurement)) {
        throw refuse('INVALID_ARGUMENT', { field: 'measurement', expected: 'one that is approved' });
      }
      return appraisalOf(policy, { measurements: measurements.filter((one) => one !== measurement) });
    }),
};

export const setVerifiers: EffectRule<'setVerifiers'> = {
  check: ({ verifierThreshold }) => requireInteger(verifierThreshold, 1, 255, 'verifierThreshold'),
  apply: (room, { daoId }, { holderSetId, verifierThreshold }) =>
    change(room, daoId, () => ({ holderSetId, verifierThreshold })),
};

export const setTerms: EffectRule<'setTerms'> = {
  check: ({ kinds, protections, profiles, resultTermMs, maxJobTermMs }) => {
    requireSet(kinds, 'kinds');
    requireSet(protections, 'protections');
    requireProfiles(profiles);
    requireResultTerm(resultTermMs);
    requireJobTerm(maxJobTermMs);
  },
  apply: (room, { daoId }, { kinds, protections, profiles, resultTermMs, maxJobTermMs }) =>
    change(room, daoId, (policy) => ({
      kinds,
      protections,
      maxJobTermMs,
      ...appraisalOf(policy, { profiles, resultTermMs }),
    })),
};
