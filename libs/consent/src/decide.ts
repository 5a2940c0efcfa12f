import { granted, refused, type ErrorCode, type Result, type UsufructError } from '@usufruct/kernel';
import type { ContributionView, GrantView } from '@usufruct/protocol';
import { DECISION_PARTS, type DecisionInput, type DecisionPart } from './decision-input.js';
import { grantRules } from './grant-rules.js';
import { RELEASE_RULES } from './release-rules.js';
import { firstFailure, type Failure } from './rules.js';
import { POLICY_RULES, STANDING_RULES } from './standing-rules.js';

export interface Permission {
  readonly grant: GrantView;
  /** What was left out and therefore not judged: none of it is part of this yes. */
  readonly unjudged: readonly DecisionPart[];
}

/**
 * The one decision: may this use have this contribution now? Yes only with a grant that covers all of it by itself;
 * two grants never add up. The first rule that refuses, in this order, is the answer:
 *
 *   TOMBSTONED (the contribution) → CONTRIBUTION_NOT_ACCEPTED → DATASET_MISMATCH → TOMBSTONED (the dataset) →
 *   MANIFEST_MISMATCH → DAO_PAUSED → PURPOSE_DENIED, SCOPE_MISMATCH (the DAO's policy) → GRANT_REQUIRED (none
 *   of the owner) → GRANT_REVOKED → GRANT_EXPIRED → GRANT_REQUIRED (given later than now) → PURPOSE_DENIED →
 *   SCOPE_MISMATCH → PRICE_BELOW_FLOOR → BUDGET_EXHAUSTED → LICENCE_REQUIRED → LICENCE_EXPIRED → JOB_STATE →
 *   JOB_EXPIRED → ATTESTATION_REFUSED → ATTESTATION_STALE
 *
 * With several grants it is that of the grant closest to yes: fewest rules failed, then the latest first failure, then
 * the older grant. `details` of the refusal name the rule, what was asked and what would do.
 *
 * Pure, so that API, portal and key holders say the same; only the holders' word has force. It trusts that its input
 * is what the chain says, and that whoever gives an attestation appraised that evidence for this job and challenge.
 */
export function decide(input: DecisionInput): Result<Permission> {
  const before = firstFailure(STANDING_RULES, input);
  if (before !== null) return refusal(input, before);
  const own = input.grants.filter((grant) => isOfOwner(grant, input.contribution)).sort(byAge);
  const candidates = own.map((grant) => ({ grant, failures: grantRules(grant, input) }));
  const covering = candidates.find(({ failures }) => failures.length === 0);
  if (covering === undefined) {
    const closest = [...candidates].sort(byCloseness)[0];
    return refusal(input, closest?.failures[0] ?? NO_GRANT, closest?.grant);
  }
  const after = firstFailure(RELEASE_RULES, input);
  if (after !== null) return refusal(input, after);
  return granted({
    grant: covering.grant,
    unjudged: DECISION_PARTS.filter((part) => input[part] === undefined),
  });
}

/** Does the DAO's policy offer this use at all? The first rule of `decide` that says no, or null. */
export function policyRefusal(
  dao: Pick<DecisionInput['dao'], 'policy'>,
  use: Pick<DecisionInput['use'], 'purpose' | 'kind' | 'protection'>,
): UsufructError | null {
  const failure = firstFailure(POLICY_RULES, { dao, use });
  if (failure === null) return null;
  return refused(failure.code, failure.details).refusal;
}

/** Every refusal that `decide` may give, in the order of its rules. */
export const DECISION_CODES: readonly ErrorCode[] = [
  'TOMBSTONED',
  'CONTRIBUTION_NOT_ACCEPTED',
  'DATASET_MISMATCH',
  'MANIFEST_MISMATCH',
  'DAO_PAUSED',
  'GRANT_REQUIRED',
  'GRANT_REVOKED',
  'GRANT_EXPIRED',
  'PURPOSE_DENIED',
  'SCOPE_MISMATCH',
  'PRICE_BELOW_FLOOR',
  'BUDGET_EXHAUSTED',
  'LICENCE_REQUIRED',
  'LICENCE_EXPIRED',
  'JOB_STATE',
  'JOB_EXPIRED',
  'ATTESTATION_REFUSED',
  'ATTESTATION_STALE',
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
