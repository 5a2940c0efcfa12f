import { assertInvariant, refuse, type DaoId } from '@usufruct/kernel';
import { requireWholeSplit } from '@usufruct/ledger';
import { policyAfter } from '@usufruct/protocol';
import type { DaoRecord } from './collections.js';
import type { EffectRule, EffectView } from './effect-rule.js';
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

/** The next version of the policy: the one of this moment with one thing changed, checked as a whole. */
function change(room: Room, daoId: DaoId, effect: EffectView): void {
  const next = policyAfter(policyOf(room, daoId), effect);
  assertInvariant(next !== null, 'the effect is one on the policy');
  // A change of the appraisal policy counts its version up, which is a u32.
  requireInteger(next.appraisal.version, 0, 2 ** 32 - 1, 'appraisal.version');
  requirePolicy(room, next);
  adoptPolicy(room, daoId, next);
}

const policyOf = (room: Room, daoId: DaoId): DaoRecord['policy'] => mustFind(room, 'dao', daoId).policy;
const isApproved = (room: Room, daoId: DaoId, measurement: string): boolean =>
  policyOf(room, daoId).appraisal.measurements.includes(measurement);

export const setPrice: EffectRule<'setPrice'> = {
  check: () => undefined,
  apply: (room, { daoId }, effect) => change(room, daoId, effect),
};

export const setPurposes: EffectRule<'setPurposes'> = {
  check: ({ purposes }) => requirePurposes(purposes),
  apply: (room, { daoId }, effect) => change(room, daoId, effect),
};

export const setSplit: EffectRule<'setSplit'> = {
  check: ({ split }) => requireWholeSplit(splitParts(split)),
  apply: (room, { daoId }, effect) => change(room, daoId, effect),
};

export const approveMeasurement: EffectRule<'approveMeasurement'> = {
  check: ({ measurement }) => requireMeasurement(measurement, 'measurement'),
  apply: (room, { daoId }, effect) => {
    if (isApproved(room, daoId, effect.measurement)) {
      throw refuse('INVALID_ARGUMENT', { field: 'measurement', expected: 'one that is not approved yet' });
    }
    change(room, daoId, effect);
  },
};

/** The last one stays: no runner could be appraised without one. */
export const withdrawMeasurement: EffectRule<'withdrawMeasurement'> = {
  check: ({ measurement }) => requireMeasurement(measurement, 'measurement'),
  apply: (room, { daoId }, effect) => {
    if (!isApproved(room, daoId, effect.measurement)) {
      throw refuse('INVALID_ARGUMENT', { field: 'measurement', expected: 'one that is approved' });
    }
    change(room, daoId, effect);
  },
};

export const setVerifiers: EffectRule<'setVerifiers'> = {
  check: ({ verifierThreshold }) => requireInteger(verifierThreshold, 1, 255, 'verifierThreshold'),
  apply: (room, { daoId }, effect) => change(room, daoId, effect),
};

export const setTerms: EffectRule<'setTerms'> = {
  check: ({ kinds, protections, profiles, resultTermMs, maxJobTermMs }) => {
    requireSet(kinds, 'kinds');
    requireSet(protections, 'protections');
    requireProfiles(profiles);
    requireResultTerm(resultTermMs);
    requireJobTerm(maxJobTermMs);
  },
  apply: (room, { daoId }, effect) => change(room, daoId, effect),
};

/** Each of them is one of two. */
export const setDataRules: EffectRule<'setDataRules'> = {
  check: () => undefined,
  apply: (room, { daoId }, effect) => change(room, daoId, effect),
};
