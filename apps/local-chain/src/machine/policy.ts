import { refuse, type DaoId } from '@usufruct/kernel';
import { requireWholeSplit } from '@usufruct/ledger';
import { daoPolicyDigest, LIMITS, type DaoPolicy, type RevenueSplit } from '@usufruct/protocol';
import type { DaoRecord } from './collections.js';
import { requireInteger, requirePurposes, requireSet } from './guards.js';
import { mustFind, type Room } from './room.js';

/** 32 to 64 bytes, lower-case hex. */
const MEASUREMENT = /^([0-9a-f]{2}){32,64}$/;

/** Refuse a policy that no job could run under, or that would affirm what nobody measured. */
export function requirePolicy(room: Room, policy: DaoPolicy): void {
  requirePolicyAlone(policy);
  requireVerifiers(room, policy);
}

/** What can be said of a policy without looking at the chain. */
export function requirePolicyAlone(policy: DaoPolicy): void {
  const { split, appraisal } = policy;
  requireWholeSplit(splitParts(split));
  requireProfiles(appraisal.profiles);
  requireSet(appraisal.measurements, 'appraisal.measurements', 64);
  for (const measurement of appraisal.measurements) requireMeasurement(measurement, 'appraisal.measurements');
  requireResultTerm(appraisal.resultTermMs);
  requirePurposes(policy.purposes);
  requireSet(policy.kinds, 'kinds');
  requireSet(policy.protections, 'protections');
  requireJobTerm(policy.maxJobTermMs);
}

/** The holder set that it names exists and has as many members as must sign. */
export function requireVerifiers(room: Room, { holderSetId, verifierThreshold }: DaoPolicy): void {
  const holderSet = mustFind(room, 'holder-set', holderSetId);
  requireInteger(verifierThreshold, 1, holderSet.members.length, 'verifierThreshold');
}

export const splitParts = (split: RevenueSplit): number[] => [
  split.contributorsBps,
  split.treasuryBps,
  split.runnerBps,
  split.protocolBps,
];

export const requireProfiles = (profiles: readonly string[]): void => requireSet(profiles, 'appraisal.profiles');

export function requireMeasurement(measurement: string, field: string): void {
  if (!MEASUREMENT.test(measurement) || !/[^0]/.test(measurement)) {
    throw refuse('INVALID_ARGUMENT', { field, expected: 'lower-case hex, not all zero' });
  }
}

export const requireResultTerm = (termMs: number): void =>
  requireInteger(termMs, 1, LIMITS.runnerRegistrationTermMs, 'appraisal.resultTermMs');
export const requireJobTerm = (termMs: number): void => requireInteger(termMs, 1, LIMITS.jobTermMs, 'maxJobTermMs');

/** The DAO's next version of its policy, which the caller has checked. */
export function adoptPolicy(room: Room, daoId: DaoId, policy: DaoPolicy): void {
  const dao = mustFind(room, 'dao', daoId);
  const next = { policy: policyView(policy), policyDigest: daoPolicyDigest(policy) };
  const version = dao.policyVersion + 1;
  room.draft.write('dao', daoId, { ...dao, ...next, policyVersion: version });
  room.emit({ type: 'PolicySet', daoId, version, ...next });
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
