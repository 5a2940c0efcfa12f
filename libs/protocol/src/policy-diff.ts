import type { DaoPolicy } from './policy-types.js';
import type { ProposalEffect } from './governance-types.js';
import type { ProposalView } from './governance-views.js';

/** What of a policy is one value, by the name under which a change of it is reported. */
const VALUES = {
  pricePerQuestionUnits: (policy: DaoPolicy) => policy.pricePerQuestionUnits,
  contributorsBps: ({ split }: DaoPolicy) => split.contributorsBps,
  treasuryBps: ({ split }: DaoPolicy) => split.treasuryBps,
  runnerBps: ({ split }: DaoPolicy) => split.runnerBps,
  protocolBps: ({ split }: DaoPolicy) => split.protocolBps,
  holderSetId: (policy: DaoPolicy) => policy.holderSetId,
  verifierThreshold: (policy: DaoPolicy) => policy.verifierThreshold,
  maxJobTermMs: (policy: DaoPolicy) => policy.maxJobTermMs,
  onRevocation: (policy: DaoPolicy) => policy.onRevocation,
  blobs: (policy: DaoPolicy) => policy.blobs,
  selfQueriesPay: (policy: DaoPolicy) => policy.selfQueriesPay,
  resultTermMs: ({ appraisal }: DaoPolicy) => appraisal.resultTermMs,
  appraisalVersion: ({ appraisal }: DaoPolicy) => appraisal.version,
} as const;
/** What of a policy is a list of different values. */
const LISTS = {
  purposes: (policy: DaoPolicy): readonly string[] => policy.purposes,
  kinds: (policy: DaoPolicy): readonly string[] => policy.kinds,
  protections: (policy: DaoPolicy): readonly string[] => policy.protections,
  profiles: ({ appraisal }: DaoPolicy): readonly string[] => appraisal.profiles,
  measurements: ({ appraisal }: DaoPolicy): readonly string[] => appraisal.measurements,
} as const;

export type PolicyValueField = keyof typeof VALUES;
export type PolicyListField = keyof typeof LISTS;
type ValueChange = {
  [F in PolicyValueField]: {
    readonly field: F;
    readonly before: ReturnType<(typeof VALUES)[F]>;
    readonly after: ReturnType<(typeof VALUES)[F]>;
  };
}[PolicyValueField];
interface ListChange {
  readonly field: PolicyListField;
  /** In the order of the new list; with nothing added and nothing removed, only the order is another. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}
export type PolicyChange = ValueChange | ListChange;

/**
 * Every difference between two policies, in the order of the policy's fields; empty for equal ones and only for them,
 * so a policy that shows no change has the same digest.
 */
export function policyDiff(before: DaoPolicy, after: DaoPolicy): PolicyChange[] {
  const changes: PolicyChange[] = [];
  for (const field of Object.keys(VALUES) as PolicyValueField[]) {
    const [was, is] = [VALUES[field](before), VALUES[field](after)];
    // the two reads are of the same field, which the type of a union cannot say
    if (was !== is) changes.push({ field, before: was, after: is } as ValueChange);
  }
  for (const field of Object.keys(LISTS) as PolicyListField[]) {
    const [was, is] = [LISTS[field](before), LISTS[field](after)];
    if (was.length === is.length && was.every((value, i) => value === is[i])) continue;
    changes.push({
      field,
      added: is.filter((value) => !was.includes(value)),
      removed: was.filter((value) => !is.includes(value)),
    });
  }
  return changes;
}

export const isListChange = (change: PolicyChange): change is ListChange => 'added' in change;

/**
 * The policy that executing an effect would make of this one; null for an effect that leaves the policy alone.
 * Nothing is checked here: whether the result is a policy at all is the chain's decision.
 */
export function policyAfter(policy: DaoPolicy, effect: ProposalEffect | ProposalView['effect']): DaoPolicy | null {
  const { appraisal } = policy;
  switch (effect.kind) {
    case 'setPrice':
      return { ...policy, pricePerQuestionUnits: effect.pricePerQuestionUnits };
    case 'setPurposes':
      return { ...policy, purposes: effect.purposes };
    case 'setSplit':
      return { ...policy, split: effect.split };
    case 'setVerifiers':
      return { ...policy, holderSetId: effect.holderSetId, verifierThreshold: effect.verifierThreshold };
    case 'approveMeasurement':
      return withAppraisal(policy, { measurements: [...appraisal.measurements, effect.measurement] });
    case 'withdrawMeasurement':
      return withAppraisal(policy, {
        measurements: appraisal.measurements.filter((measurement) => measurement !== effect.measurement),
      });
    case 'setTerms': {
      const { kinds, protections, profiles, resultTermMs, maxJobTermMs } = effect;
      return { ...withAppraisal(policy, { profiles, resultTermMs }), kinds, protections, maxJobTermMs };
    }
    case 'setDataRules': {
      const { onRevocation, blobs, selfQueriesPay } = effect;
      return { ...policy, onRevocation, blobs, selfQueriesPay };
    }
    default:
      return null;
  }
}

/** Each change of what is appraised has a version of its own: what was signed for an earlier one never counts again. */
export const withAppraisal = (policy: DaoPolicy, changes: Partial<DaoPolicy['appraisal']>): DaoPolicy => ({
  ...policy,
  appraisal: { ...policy.appraisal, ...changes, version: policy.appraisal.version + 1 },
});
