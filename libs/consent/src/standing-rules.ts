import type { DaoView } from '@usufruct/protocol';
import type { DecisionInput, Use } from './decision-input.js';
import { purposesCover, unverifiable } from './purposes.js';
import { isMissing, type Rule } from './rules.js';

/** What the contribution, its dataset and the DAO's policy allow at all, whatever is granted. */

interface PolicyInput {
  readonly dao: Pick<DaoView, 'policy'>;
  readonly use: Pick<Use, 'purpose' | 'kind' | 'protection'>;
}

/**
 * What the policy offers. The chain funds a job only for a purpose that the policy lists, so the hierarchy of purposes
 * counts for nothing here: a DAO lists every purpose that may be asked for.
 */
export const POLICY_RULES: readonly Rule<PolicyInput>[] = [
  {
    code: 'PURPOSE_DENIED',
    name: 'policy.purposes',
    holds: ({ dao: { policy }, use }) =>
      policy.purposes.includes(use.purpose) && purposesCover(policy.purposes, use.purpose),
    details: ({ dao: { policy }, use }) => ({
      asked: use.purpose,
      allowed: policy.purposes.join(', '),
      ...unverifiable(policy.purposes),
    }),
  },
  {
    code: 'SCOPE_MISMATCH',
    name: 'policy.kinds',
    holds: ({ dao, use }) => dao.policy.kinds.includes(use.kind),
    details: ({ dao, use }) => ({ asked: use.kind, allowed: dao.policy.kinds.join(', ') }),
  },
  {
    code: 'SCOPE_MISMATCH',
    name: 'policy.protections',
    holds: ({ dao, use }) => dao.policy.protections.includes(use.protection),
    details: ({ dao, use }) => ({ asked: use.protection, allowed: dao.policy.protections.join(', ') }),
  },
];

const DATASET_TOMBSTONE: Rule<Pick<DecisionInput, 'dataset'>> = {
  code: 'TOMBSTONED',
  name: 'dataset.tombstone',
  holds: ({ dataset }) => dataset.tombstonedAtMs === null,
  details: ({ dataset }) => ({ tombstonedAtMs: String(dataset.tombstonedAtMs) }),
};
const DAO_PAUSE: Rule<Pick<DecisionInput, 'dao'>> = {
  // The chain settles nothing for a paused DAO: what is used now would not be paid for.
  code: 'DAO_PAUSED',
  name: 'dao.pause',
  holds: ({ dao }) => !dao.paused,
  details: ({ dao }) => ({ daoId: dao.id }),
};
/** What must hold of dataset, DAO and policy, whatever contribution it is about. */
export const PLACE_RULES: readonly Rule<PolicyInput & Pick<DecisionInput, 'dataset' | 'dao'>>[] = [
  DATASET_TOMBSTONE,
  DAO_PAUSE,
  ...POLICY_RULES,
];

/** What was retired for good is not used, whatever time a clock shows. */
export const STANDING_RULES: readonly Rule<DecisionInput>[] = [
  {
    code: 'TOMBSTONED',
    name: 'contribution.tombstone',
    holds: ({ contribution }) => contribution.tombstonedAtMs === null,
    details: ({ contribution }) => ({ tombstonedAtMs: String(contribution.tombstonedAtMs) }),
  },
  {
    code: 'CONTRIBUTION_NOT_ACCEPTED',
    name: 'contribution.state',
    holds: ({ contribution }) => contribution.state === 'accepted',
    details: ({ contribution }) => ({ state: contribution.state }),
  },
  {
    code: 'DATASET_MISMATCH',
    name: 'contribution.dataset',
    holds: ({ contribution, dataset, use, dao, manifest }) =>
      contribution.datasetId === use.datasetId &&
      dataset.id === use.datasetId &&
      dao.id === use.daoId &&
      (manifest === undefined || manifest.datasetId === contribution.datasetId),
    details: ({ use }) => ({ datasetId: use.datasetId }),
  },
  DATASET_TOMBSTONE,
  {
    code: 'MANIFEST_MISMATCH',
    name: 'contribution.manifest',
    holds: (input) => {
      const { manifest, contribution } = input;
      if (manifest === undefined) return !isMissing(input, 'manifest');
      return (
        manifest.digest === contribution.manifestDigest &&
        manifest.contributionId === contribution.id &&
        manifest.owner === contribution.owner
      );
    },
    details: () => ({}),
  },
  DAO_PAUSE,
  ...POLICY_RULES,
];
