import { asWeight, type ContributionId, type Weight } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { maxShapley, wholeShares } from './max-shapley.js';

/*
 * How weights are made, by what the receipt says (`ATTRIBUTION_METHODS` of the protocol). In both, one piece of text has
 * one weight, however many hold it: it is shared equally by the people who do, and what is one person's equally by that
 * person's contributions.
 *
 * `cited-score/v1`: the retrieval scores, in millionths, of the cited passages. A passage's weight is shared equally by
 * its cited sentences, and a sentence's goes to those who hold it or nearly the same passage. What is not cited gets
 * nothing.
 *
 * `max-shapley/v1`: the Shapley value of a max-sum game. Its points are the sentences of the answer, each worth what it
 * weighs above; its players are the passages that were considered, near duplicates as one; a passage is worth to a
 * point the part of its terms that it has, if it is half of them at least. So who could have supported a sentence as
 * well as the one that was cited gets as much.
 */

const MILLION = 1_000_000;

export interface Holder {
  readonly contributionId: ContributionId;
  /** Whoever is one person here: an address. */
  readonly owner: string;
}
export interface CitedPassage {
  readonly score: number;
  /** One entry for each cited sentence: the contributions that hold it, each once, at least one. */
  readonly holdersBySentence: readonly (readonly Holder[])[];
}
export interface ContributionWeight {
  readonly contributionId: ContributionId;
  readonly weight: Weight;
}
/** Passages that say nearly the same, and what they are worth to each point (sentence), between 0 and 1. */
export interface Player {
  readonly holders: readonly Holder[];
  readonly support: readonly number[];
}

export const scaledScore = (score: number): bigint => BigInt(Math.max(1, Math.round(score * MILLION)));

/** By score; the weights add up to the scaled scores exactly, but for what `unpaid` holds and what a receipt has no room for. */
export function attributeByScore(cited: readonly CitedPassage[], unpaid?: string): ContributionWeight[] {
  const totals = new Map<ContributionId, bigint>();
  for (const { score, holdersBySentence } of cited) {
    const perSentence = equalParts(scaledScore(score), holdersBySentence.length);
    holdersBySentence.forEach((holders, i) => shareAmong(totals, perSentence[i]!, paidOf(holders, unpaid)));
  }
  return weightsOf(totals);
}

/**
 * By Shapley value; `pointWeights` says what each sentence is worth. The weights add up to what all players together
 * are worth, with the same two exceptions.
 */
export function attributeByShapley(
  pointWeights: readonly bigint[],
  players: readonly Player[],
  unpaid?: string,
): ContributionWeight[] {
  const paid = players
    .map(({ holders, support }) => ({ holders: paidOf(holders, unpaid), support }))
    .filter(({ holders }) => holders.length > 0);
  const values = pointWeights.map((weight, point) =>
    paid.map(({ support }) => (weight * BigInt(Math.round((support[point] ?? 0) * MILLION))) / BigInt(MILLION)),
  );
  const totals = new Map<ContributionId, bigint>();
  const shares = wholeShares(maxShapley(values, paid.length));
  paid.forEach(({ holders }, i) => shareAmong(totals, shares[i]!, holders));
  return weightsOf(totals);
}

const paidOf = (holders: readonly Holder[], unpaid: string | undefined): Holder[] =>
  holders.filter(({ owner }) => owner !== unpaid);

function shareAmong(totals: Map<ContributionId, bigint>, whole: bigint, holders: readonly Holder[]): void {
  const owners = [...Map.groupBy(holders, ({ owner }) => owner)].sort(([left], [right]) => (left < right ? -1 : 1));
  const perOwner = equalParts(whole, owners.length);
  owners.forEach(([, own], i) => {
    const ids = [...new Set(own.map(({ contributionId }) => contributionId))].sort();
    const parts = equalParts(perOwner[i]!, ids.length);
    ids.forEach((id, j) => totals.set(id, (totals.get(id) ?? 0n) + parts[j]!));
  });
}

/** Ascending by contribution id, each once, none of weight zero; the heaviest where a receipt has no room for all. */
function weightsOf(totals: ReadonlyMap<ContributionId, bigint>): ContributionWeight[] {
  return [...totals]
    .filter(([, weight]) => weight > 0n)
    .sort(([leftId, left], [rightId, right]) => (left === right ? (leftId < rightId ? -1 : 1) : left > right ? -1 : 1))
    .slice(0, LIMITS.usesPerReceipt)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([contributionId, weight]) => ({ contributionId, weight: asWeight(weight) }));
}

/** Equal integer parts that add up to the whole; the first ones take what does not divide. */
function equalParts(whole: bigint, parts: number): bigint[] {
  const count = BigInt(parts);
  return Array.from({ length: parts }, (_, i) => whole / count + (BigInt(i) < whole % count ? 1n : 0n));
}
