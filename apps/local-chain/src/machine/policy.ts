import { refuse } from '@usufruct/kernel';
import { requireWholeSplit } from '@usufruct/ledger';
import { LIMITS, type DaoPolicy } from '@usufruct/protocol';
import type { DaoRecord } from './collections.js';
import { requireInteger, requirePurposes, requireSet } from './guards.js';
import { mustFind, type Room } from './room.js';

/** 32 to 64 bytes, lower-case hex. */
const MEASUREMENT = /^([0-9a-f]{2}){32,64}$/;

/** Refuse a policy that no job could run under, or that would affirm what nobody measured. */
export function requirePolicy(room: Room, policy: DaoPolicy): void {
  const { split, appraisal } = policy;
  requireWholeSplit([split.contributorsBps, split.treasuryBps, split.runnerBps, split.protocolBps]);
  requirePurposes(policy.purposes);
  requireSet(policy.kinds, 'kinds');
  requireSet(policy.protections, 'protections');
  const holderSet = mustFind(room, 'holder-set', policy.holderSetId);
  requireInteger(policy.verifierThreshold, 1, holderSet.members.length, 'verifierThreshold');
  requireInteger(policy.maxJobTermMs, 1, LIMITS.jobTermMs, 'maxJobTermMs');
  requireSet(appraisal.profiles, 'appraisal.profiles');
  requireSet(appraisal.measurements, 'appraisal.measurements', 64);
  if (!appraisal.measurements.every((m) => MEASUREMENT.test(m) && /[^0]/.test(m))) {
    throw refuse('INVALID_ARGUMENT', { field: 'appraisal.measurements', expected: 'lower-case hex, not all zero' });
  }
  requireInteger(appraisal.resultTermMs, 1, LIMITS.runnerRegistrationTermMs, 'appraisal.resultTermMs');
}

/** The policy as the view writes it. */
export const policyView = (policy: DaoPolicy): DaoRecord['policy'] => ({
  ...policy,
  purposes: [...policy.purposes],
  kinds: [...policy.kinds],
  protections: [...policy.protections],
  split: { ...policy.split },
  appraisal: {
    ...policy.appraisal,
    profiles: [...policy.appraisal.profiles],
    measurements: [...policy.appraisal.measurements],
  },
});
