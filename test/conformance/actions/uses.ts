import { purposesCover } from '@usufruct/consent';
import { asWeight, type ContributionId, type GrantId } from '@usufruct/kernel';
import { LIMITS, type GrantView, type JobView, type Use } from '@usufruct/protocol';
import type { Play } from '../play/actor.js';
import { word } from '../play/cast.js';

/** Ways to name data that the receipt must not be paid for. */
export const USE_TWISTS = [
  'too many uses',
  'order',
  'twice',
  'weights',
  'unknown contribution',
  'other dataset',
  'not accepted',
  'unknown grant',
  'grant of another',
  'revoked',
  'ended',
  'tombstoned',
  'purpose',
  'computation',
  'protection',
  'floor',
  'budget',
];
/** The refusals that are for one twist only. */
export const USE_MEETS: Readonly<Record<string, string>> = {
  'too many uses': 'RECEIPT_INVALID count',
  weights: 'RECEIPT_INVALID weights',
  'unknown contribution': 'NOT_FOUND contribution',
  'other dataset': 'DATASET_MISMATCH',
  'not accepted': 'CONTRIBUTION_NOT_ACCEPTED',
  revoked: 'GRANT_REVOKED',
  ended: 'GRANT_EXPIRED',
  tombstoned: 'TOMBSTONED contribution',
  purpose: 'PURPOSE_DENIED',
  computation: 'SCOPE_MISMATCH kind',
  protection: 'SCOPE_MISMATCH protection',
  floor: 'PRICE_BELOW_FLOOR',
  budget: 'BUDGET_EXHAUSTED',
};
/** Equal ones for ties, zero, the largest that there is, and such as leave remainders. */
const WEIGHTS = [1n, 1n, 1n, 2n, 3n, 0n, 7n, 2n ** 64n - 1n];

interface Asking {
  readonly job: JobView;
  readonly issuedAtMs: number;
}

/** Contributions of the job's dataset with their grants, by whether the grant covers the job. */
function grantedUses({ ledger }: Play, { job, issuedAtMs }: Asking): { covered: Use[]; uncovered: Use[] } {
  const found: { covered: Use[]; uncovered: Use[] } = { covered: [], uncovered: [] };
  for (const grant of ledger.all('grant')) {
    const contribution = ledger.read('contribution', grant.contributionId)!;
    if (contribution.datasetId !== job.datasetId || contribution.state !== 'accepted') continue;
    if (contribution.tombstonedAtMs !== null) continue;
    const use = { contributionId: contribution.id, grantId: grant.id, weight: asWeight(1n) };
    found[lacks(grant, { job, issuedAtMs }).length === 0 ? 'covered' : 'uncovered'].push(use);
  }
  return found;
}

/** What the grant lacks for the job. Only a choice of what to play: what is right is what the ledger says. */
function lacks({ terms, revokedAtMs }: GrantView, { job, issuedAtMs }: Asking): string[] {
  const reasons: readonly (readonly [boolean, string])[] = [
    [revokedAtMs !== null && revokedAtMs <= issuedAtMs, 'revoked'],
    [terms.expiresAtMs <= issuedAtMs, 'ended'],
    [!purposesCover(terms.purposes, job.purpose), 'purpose'],
    [!terms.kinds.includes(job.kind), 'computation'],
    [!terms.protections.includes(job.protection), 'protection'],
    [job.pricePerQuestionUnits < terms.priceFloorUnits, 'floor'],
  ];
  return reasons.flatMap(([isSo, reason]) => (isSo ? [reason] : []));
}

export interface Chosen {
  readonly uses: Use[];
  readonly issuedAtMs: number;
}

/** Mostly covered uses in order, with some weight; null where the twist has nothing to work with. */
export function chooseUses(play: Play, asking: Asking, twist: string | null): Chosen | null {
  if (twist === 'revoked' || twist === 'ended' || twist === 'tombstoned') return atItsEnd(play, asking, twist);
  const uses = usesOf(play, asking, twist);
  return uses && { uses, issuedAtMs: asking.issuedAtMs };
}

function usesOf(play: Play, asking: Asking, twist: string | null): Use[] | null {
  const { random } = play;
  const { covered, uncovered } = grantedUses(play, asking);
  const usable = firstOfEach(covered);
  const chosen = usable.length === 0 || (twist === null && random.chance(0.1)) ? [] : random.some(usable);
  const uses = weighted(play, chosen);
  const [first] = uses;
  const one = (use: Use | undefined): Use[] | null => (use === undefined ? null : [use]);
  switch (twist) {
    case 'too many uses':
      return first === undefined ? null : Array.from({ length: LIMITS.usesPerReceipt + 1 }, () => first);
    case 'order':
      return uses.length < 2 ? null : uses.toReversed();
    case 'twice':
      return first === undefined ? null : [first, ...uses];
    case 'weights':
      return first === undefined ? null : uses.map((use) => ({ ...use, weight: asWeight(0n) }));
    case 'unknown contribution':
      return one(first && { ...first, contributionId: word<ContributionId>('unknown') });
    case 'unknown grant':
      return one(first && { ...first, grantId: word<GrantId>('unknown') });
    case 'grant of another':
      return one(grantOfAnother(first, [...covered, ...uncovered]));
    case 'other dataset':
    case 'not accepted':
      return one(elsewhere(play, asking.job, twist));
    case 'purpose':
    case 'computation':
    case 'protection':
    case 'floor':
      return one(uncovered.find(({ grantId }) => lacks(play.ledger.read('grant', grantId)!, asking)[0] === twist));
    case 'budget':
      // Of one that has spent something before: what is left counts, not what was given.
      return one(usable.find(({ grantId }) => hasSpent(play, grantId)));
    default:
      return uses;
  }
}

/** A use at the very moment at which its grant ends, or it or its contribution was taken back. */
function atItsEnd({ ledger }: Play, { job }: Asking, twist: string): Chosen | null {
  for (const { id: grantId, contributionId, revokedAtMs, terms, givenAtMs } of ledger.all('grant')) {
    const { datasetId, state, tombstonedAtMs } = ledger.read('contribution', contributionId)!;
    const endMs = twist === 'revoked' ? revokedAtMs : twist === 'ended' ? terms.expiresAtMs : tombstonedAtMs;
    if (datasetId !== job.datasetId || state !== 'accepted' || endMs === null) continue;
    if (endMs >= job.expiresAtMs || endMs < Math.max(job.fundedAtMs, givenAtMs)) continue;
    if (ledger.nowMs < endMs) ledger.nowMs = endMs;
    return { uses: [{ contributionId, grantId, weight: asWeight(1n) }], issuedAtMs: endMs };
  }
  return null;
}

function weighted({ random }: Play, uses: readonly Use[]): Use[] {
  const drawn = uses.map((use) => ({ ...use, weight: asWeight(random.pick(WEIGHTS)) }));
  return drawn.every(({ weight }) => weight === 0n) ? drawn.map((use) => ({ ...use, weight: asWeight(1n) })) : drawn;
}

/** One grant of each contribution, in the order that a receipt needs. */
function firstOfEach(uses: readonly Use[]): Use[] {
  const byContribution = new Map(uses.toReversed().map((use) => [use.contributionId, use]));
  return [...byContribution.values()].sort((a, b) => (a.contributionId < b.contributionId ? -1 : 1));
}

const hasSpent = ({ ledger }: Play, grantId: GrantId): boolean =>
  (ledger.read('grant-budget', grantId)?.spentMicroEpsilon ?? 0n) > 0n;

const grantOfAnother = (use: Use | undefined, others: readonly Use[]): Use | undefined => {
  const other = others.find(({ contributionId }) => contributionId !== use?.contributionId);
  return use && other && { ...use, grantId: other.grantId };
};

function elsewhere({ ledger }: Play, job: JobView, twist: string): Use | undefined {
  const grant = ledger.all('grant').find(({ contributionId }) => {
    const { datasetId, state } = ledger.read('contribution', contributionId)!;
    const isHere = datasetId === job.datasetId;
    return twist === 'other dataset' ? !isHere : isHere && state !== 'accepted';
  });
  return grant && { contributionId: grant.contributionId, grantId: grant.id, weight: asWeight(1n) };
}
