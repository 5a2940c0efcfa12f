import { granted, refused, type AmountUnits, type ErrorCode, type Result, type UsufructError } from '@usufruct/kernel';
import type {
  ComputationKind,
  ContributionView,
  DaoView,
  DatasetView,
  GrantView,
  JobView,
  Manifest,
  ProtectionKind,
} from '@usufruct/protocol';
import { grantRules } from './grant-rules.js';
import { firstFailure, type Failure, type Rule } from './rules.js';
import { purposesCover } from './purposes.js';

/** What somebody wants to do. A `JobView` is one. */
export interface Use {
  readonly datasetId: JobView['datasetId'];
  readonly daoId: JobView['daoId'];
  readonly purpose: string;
  readonly kind: ComputationKind;
  readonly protection: ProtectionKind;
  readonly pricePerQuestionUnits: AmountUnits;
}

/** Privacy budget of this contribution, in millionths of ε. */
export interface BudgetView {
  readonly neededMicroEpsilon: bigint;
  readonly spentMicroEpsilon: bigint;
}

export interface DecisionInput {
  readonly contribution: ContributionView;
  /** That the contribution is part of. */
  readonly dataset: Pick<DatasetView, 'id' | 'tombstonedAtMs'>;
  /** Every grant of the contribution, in any order, revoked and expired ones included. */
  readonly grants: readonly GrantView[];
  readonly dao: Omit<DaoView, 'members'>;
  readonly use: Use;
  /** The funded job; leave it out only for advice before there is one. */
  readonly job?: Pick<JobView, 'state' | 'expiresAtMs'>;
  /** The manifest that the caller holds; left out where only the chain is known (advice). */
  readonly manifest?: Pick<Manifest, 'datasetId' | 'contributionId' | 'owner'> & {
    readonly digest: ContributionView['manifestDigest'];
  };
  /** Must be given for training and statistics; a question by RAG spends none. */
  readonly budget?: BudgetView;
  readonly nowMs: number;
}

export interface Permission {
  readonly grant: GrantView;
}

/**
 * The one decision: may this use have this contribution now? Yes only with a grant that covers all of it by itself;
 * two grants never add up. The first rule that refuses, in this order, is the answer:
 *
 *   TOMBSTONED (the contribution) → CONTRIBUTION_NOT_ACCEPTED → DATASET_MISMATCH → TOMBSTONED (the dataset) →
 *   MANIFEST_MISMATCH → PURPOSE_DENIED, SCOPE_MISMATCH (the DAO's policy) → GRANT_REQUIRED → GRANT_REVOKED →
 *   GRANT_EXPIRED → PURPOSE_DENIED → SCOPE_MISMATCH → PRICE_BELOW_FLOOR → BUDGET_EXHAUSTED → JOB_STATE → JOB_EXPIRED
 *
 * With several grants it is that of the grant closest to yes: fewest rules failed, then the latest first failure, then
 * the older grant. `details` of the refusal name the rule, what was asked and what would do.
 *
 * Pure, so that API, portal and key holders say the same; only the holders' word has force. It trusts that its input
 * is what the chain says and that evidence was appraised elsewhere.
 */
export function decide(input: DecisionInput): Result<Permission> {
  const before = firstFailure(CONTRIBUTION_RULES, input);
  if (before !== null) return refusal(input, before);
  const own = input.grants.filter((grant) => isOfOwner(grant, input.contribution)).sort(byAge);
  const candidates = own.map((grant) => ({ grant, failures: grantRules(grant, input) }));
  const covering = candidates.find(({ failures }) => failures.length === 0);
  if (covering === undefined) {
    const closest = [...candidates].sort(byCloseness)[0];
    return refusal(input, closest?.failures[0] ?? NO_GRANT, closest?.grant);
  }
  const after = firstFailure(JOB_RULES, input);
  return after === null ? granted({ grant: covering.grant }) : refusal(input, after);
}

/** Every refusal that `decide` may give, in the order of its rules. */
export const DECISION_CODES: readonly ErrorCode[] = [
  'TOMBSTONED',
  'CONTRIBUTION_NOT_ACCEPTED',
  'DATASET_MISMATCH',
  'MANIFEST_MISMATCH',
  'GRANT_REQUIRED',
  'GRANT_REVOKED',
  'GRANT_EXPIRED',
  'PURPOSE_DENIED',
  'SCOPE_MISMATCH',
  'PRICE_BELOW_FLOOR',
  'BUDGET_EXHAUSTED',
  'JOB_STATE',
  'JOB_EXPIRED',
];

/** What was retired for good is not used, whatever time a clock shows. */
const CONTRIBUTION_RULES: readonly Rule<DecisionInput>[] = [
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
  {
    code: 'TOMBSTONED',
    name: 'dataset.tombstone',
    holds: ({ dataset }) => dataset.tombstonedAtMs === null,
    details: ({ dataset }) => ({ tombstonedAtMs: String(dataset.tombstonedAtMs) }),
  },
  {
    code: 'MANIFEST_MISMATCH',
    name: 'contribution.manifest',
    holds: ({ contribution, manifest }) =>
      manifest === undefined ||
      (manifest.digest === contribution.manifestDigest &&
        manifest.contributionId === contribution.id &&
        manifest.owner === contribution.owner),
    details: () => ({}),
  },
  {
    code: 'PURPOSE_DENIED',
    name: 'policy.purposes',
    holds: ({ dao, use }) => purposesCover(dao.policy.purposes, use.purpose),
    details: ({ dao, use }) => ({ asked: use.purpose, allowed: dao.policy.purposes.join(', ') }),
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

const JOB_RULES: readonly Rule<DecisionInput>[] = [
  {
    code: 'JOB_STATE',
    name: 'job.state',
    holds: ({ job }) => job === undefined || job.state === 'funded',
    details: ({ job }) => ({ state: job?.state ?? '' }),
  },
  {
    code: 'JOB_EXPIRED',
    name: 'job.expiry',
    holds: ({ job, nowMs }) => job === undefined || nowMs < job.expiresAtMs,
    details: ({ job }) => ({ expiredAtMs: String(job?.expiresAtMs) }),
  },
];

const NO_GRANT: Failure = { code: 'GRANT_REQUIRED', order: 0, details: { rule: 'grant' } };

/** A grant counts only if the owner gave it, and for this contribution. */
const isOfOwner = (grant: GrantView, contribution: ContributionView): boolean =>
  grant.contributionId === contribution.id && grant.grantor === contribution.owner;

const byAge = (a: GrantView, b: GrantView): number => a.givenAtMs - b.givenAtMs || (a.id < b.id ? -1 : 1);

interface Candidate {
  readonly grant: GrantView;
  readonly failures: readonly Failure[];
}
const byCloseness = (a: Candidate, b: Candidate): number =>
  a.failures.length - b.failures.length ||
  (b.failures[0]?.order ?? 0) - (a.failures[0]?.order ?? 0) ||
  byAge(a.grant, b.grant);

function refusal(
  { contribution }: DecisionInput,
  failure: Failure,
  grant?: GrantView,
): { ok: false; refusal: UsufructError } {
  const about = { contributionId: contribution.id, ...(grant && { grantId: grant.id }) };
  return refused(failure.code, { ...failure.details, ...about });
}
