import { LIMITS, type GrantView } from '@usufruct/protocol';
import type { BudgetView, DecisionInput } from './decision-input.js';
import { purposesCover, unverifiable } from './purposes.js';
import { failuresOf, isMissing, type Failure, type Rule } from './rules.js';

/** What a grant is judged by. */
export type GrantUse = Pick<DecisionInput, 'use' | 'nowMs' | 'budget' | 'mustJudge'>;

interface GrantInput {
  readonly grant: GrantView;
  readonly input: GrantUse;
}

/** Why this grant does not cover the use; empty when it does. */
export const grantRules = (grant: GrantView, input: GrantUse): Failure[] => failuresOf(GRANT_RULES, { grant, input });

const GRANT_RULES: readonly Rule<GrantInput>[] = [
  {
    code: 'GRANT_REVOKED',
    name: 'grant.revocation',
    holds: ({ grant }) => grant.revokedAtMs === null,
    details: ({ grant }) => ({ revokedAtMs: String(grant.revokedAtMs) }),
  },
  {
    code: 'GRANT_EXPIRED',
    name: 'grant.expiry',
    holds: ({ grant, input }) => input.nowMs < grant.terms.expiresAtMs,
    details: ({ grant }) => ({ expiredAtMs: String(grant.terms.expiresAtMs) }),
  },
  {
    // As the contract has it: what is given later than it is used does not cover the use.
    code: 'GRANT_REQUIRED',
    name: 'grant.given',
    holds: ({ grant, input }) => grant.givenAtMs <= input.nowMs + LIMITS.clockSkewMs,
    details: ({ grant }) => ({ givenAtMs: String(grant.givenAtMs) }),
  },
  {
    code: 'PURPOSE_DENIED',
    name: 'grant.purposes',
    holds: ({ grant, input }) => purposesCover(grant.terms.purposes, input.use.purpose),
    details: ({ grant, input }) => ({
      asked: input.use.purpose,
      allowed: grant.terms.purposes.join(', '),
      ...unverifiable(grant.terms.purposes),
    }),
  },
  {
    code: 'SCOPE_MISMATCH',
    name: 'grant.kinds',
    holds: ({ grant, input }) => grant.terms.kinds.includes(input.use.kind),
    details: ({ grant, input }) => ({ asked: input.use.kind, allowed: grant.terms.kinds.join(', ') }),
  },
  {
    code: 'SCOPE_MISMATCH',
    name: 'grant.protections',
    holds: ({ grant, input }) => grant.terms.protections.includes(input.use.protection),
    details: ({ grant, input }) => ({ asked: input.use.protection, allowed: grant.terms.protections.join(', ') }),
  },
  {
    code: 'PRICE_BELOW_FLOOR',
    name: 'grant.priceFloor',
    holds: ({ grant, input }) => input.use.pricePerQuestionUnits >= grant.terms.priceFloorUnits,
    details: ({ grant, input }) => ({
      asked: String(input.use.pricePerQuestionUnits),
      floorUnits: String(grant.terms.priceFloorUnits),
    }),
  },
  {
    code: 'BUDGET_EXHAUSTED',
    name: 'grant.privacyBudget',
    holds: ({ grant, input }) => fitsBudget(input, grant.terms.budgetMicroEpsilon),
    details: ({ grant, input }) => ({
      neededMicroEpsilon: String(input.budget?.neededMicroEpsilon ?? 'not stated'),
      grantedMicroEpsilon: String(grant.terms.budgetMicroEpsilon),
      spentMicroEpsilon: String(input.budget?.spentMicroEpsilon ?? 'not stated'),
    }),
  },
];

const NO_BUDGET: BudgetView = { neededMicroEpsilon: 0n, spentMicroEpsilon: 0n };

function fitsBudget(input: GrantUse, grantedMicroEpsilon: bigint): boolean {
  const { use, budget } = input;
  if (isMissing(input, 'budget')) return false;
  const { neededMicroEpsilon, spentMicroEpsilon } = budget ?? NO_BUDGET;
  // Training and statistics release something about the data: without a stated cost they do not fit any budget.
  if (use.kind !== 'rag' && (budget === undefined || neededMicroEpsilon <= 0n)) return false;
  if (neededMicroEpsilon < 0n || spentMicroEpsilon < 0n) return false;
  return neededMicroEpsilon === 0n || spentMicroEpsilon + neededMicroEpsilon <= grantedMicroEpsilon;
}
