import { asWeight, type ContributionId, type Weight } from '@usufruct/kernel';

/**
 * How weights are made: the BM25 scores, in millionths, of the cited passages. A passage's weight is shared equally by
 * its cited sentences, and a sentence's by the contributions that hold it. What is not cited gets nothing.
 */
export const ATTRIBUTION_METHOD = 'cited-bm25/v1';
const MILLION = 1_000_000;

export interface CitedPassage {
  readonly score: number;
  /** One entry for each cited sentence: the contributions that hold it, each once, at least one. */
  readonly holdersBySentence: readonly (readonly ContributionId[])[];
}
export interface ContributionWeight {
  readonly contributionId: ContributionId;
  readonly weight: Weight;
}

export const scaledScore = (score: number): bigint => BigInt(Math.max(1, Math.round(score * MILLION)));

/** Ascending by contribution id, each once, none of weight zero; the weights add up to the scaled scores exactly. */
export function attribute(cited: readonly CitedPassage[]): ContributionWeight[] {
  const totals = new Map<ContributionId, bigint>();
  for (const { score, holdersBySentence } of cited) {
    const perSentence = shareOut(scaledScore(score), holdersBySentence.length);
    holdersBySentence.forEach((holders, i) => {
      const shares = shareOut(perSentence[i]!, holders.length);
      [...holders].sort().forEach((id, j) => totals.set(id, (totals.get(id) ?? 0n) + shares[j]!));
    });
  }
  return [...totals]
    .filter(([, weight]) => weight > 0n)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([contributionId, weight]) => ({ contributionId, weight: asWeight(weight) }));
}

/** Equal integer parts that add up to the whole; the first ones take what does not divide. */
function shareOut(whole: bigint, parts: number): bigint[] {
  const count = BigInt(parts);
  return Array.from({ length: parts }, (_, i) => whole / count + (BigInt(i) < whole % count ? 1n : 0n));
}
