import { purposesCover } from '@usufruct/consent';
import { refuse, type GrantId } from '@usufruct/kernel';
import type { PaidUse } from '@usufruct/ledger';
import {
  LIMITS,
  usesCommitment,
  type ChainActionPayloads,
  type JobView,
  type UsageReceipt,
  type Use,
} from '@usufruct/protocol';
import { CLOCK_SKEW_MS, mustFind, type Room } from './room.js';
import { requireLivingAt } from './tombstone.js';

/**
 * The uses that the receipt commits to, each with the owner to pay: accepted contributions of this job's dataset,
 * each under a grant that covered this job when the receipt was issued.
 */
export function paidUses(
  room: Room,
  job: JobView,
  receipt: UsageReceipt,
  { uses, usesSalt }: ChainActionPayloads['settleReceipt'],
): PaidUse[] {
  if (uses.length > LIMITS.usesPerReceipt) throw refuse('RECEIPT_INVALID', { check: 'count' });
  if (usesCommitment(usesSalt, uses) !== receipt.usesCommitment) throw refuse('RECEIPT_INVALID', { check: 'uses' });
  // Ids are lower-case hex of one length, so text order is byte order.
  if (uses.some((use, i) => i > 0 && uses[i - 1]!.contributionId >= use.contributionId)) {
    throw refuse('RECEIPT_INVALID', { check: 'order' });
  }
  if (uses.length > 0 && uses.every((use) => use.weight === 0n)) throw refuse('RECEIPT_INVALID', { check: 'weights' });
  return uses.map((use) => paidUse(room, job, receipt, use));
}

function paidUse(room: Room, job: JobView, receipt: UsageReceipt, use: Use): PaidUse {
  const { contributionId, weight } = use;
  const contribution = mustFind(room, 'contribution', contributionId);
  if (contribution.datasetId !== job.datasetId) throw refuse('DATASET_MISMATCH', { contributionId });
  if (contribution.state !== 'accepted') throw refuse('CONTRIBUTION_NOT_ACCEPTED', { contributionId });
  requireLivingAt(contribution, receipt.issuedAtMs);
  requireGrant(room, job, receipt, use);
  return { contributionId, weight, owner: contribution.owner };
}

/**
 * The grant is judged at the time that the receipt was issued: revoking it (or its expiry) stops every later use, and
 * does not take the pay for an earlier one.
 */
function requireGrant(room: Room, job: JobView, receipt: UsageReceipt, { contributionId, grantId }: Use): void {
  const grant = room.draft.read('grant', grantId);
  const { issuedAtMs } = receipt;
  const about = { contributionId };
  if (grant?.contributionId !== contributionId) throw refuse('GRANT_REQUIRED', about);
  if (grant.givenAtMs > issuedAtMs + CLOCK_SKEW_MS) throw refuse('GRANT_REQUIRED', about);
  if (grant.revokedAtMs !== null && grant.revokedAtMs <= issuedAtMs) throw refuse('GRANT_REVOKED', about);
  const { terms } = grant;
  if (terms.expiresAtMs <= issuedAtMs) throw refuse('GRANT_EXPIRED', about);
  // As the holders decide: what they release for must be paid for.
  if (!purposesCover(terms.purposes, job.purpose)) throw refuse('PURPOSE_DENIED', about);
  if (!terms.kinds.includes(job.kind)) throw refuse('SCOPE_MISMATCH', { ...about, field: 'kind' });
  if (!terms.protections.includes(job.protection)) throw refuse('SCOPE_MISMATCH', { ...about, field: 'protection' });
  if (job.pricePerQuestionUnits < terms.priceFloorUnits) throw refuse('PRICE_BELOW_FLOOR', about);
  spendBudget(room, grant.id, receipt.budgetSpentMicroEpsilon, terms.budgetMicroEpsilon);
}

function spendBudget(room: Room, grantId: GrantId, spent: bigint, budget: bigint): void {
  if (spent === 0n) return;
  const total = (room.draft.read('grant-budget', grantId)?.spentMicroEpsilon ?? 0n) + spent;
  if (total > budget) throw refuse('BUDGET_EXHAUSTED', { grantId });
  room.draft.write('grant-budget', grantId, { spentMicroEpsilon: total });
}
