import { assertInvariant } from '@usufruct/kernel';

/** Shares as fractions over one denominator, so that they add up exactly. */
export interface ShapleyShares {
  readonly numerators: readonly bigint[];
  readonly denominator: bigint;
}

/**
 * The exact Shapley value of a max-sum game: what a set of players is worth is the sum over points of the best that one
 * of them has for the point. `values[k][i] ≥ 0` is what player i has for point k.
 *
 * Patel, Zhou and Fanti, "MaxShapley" (2025), judge by such games what each source did for an answer. The Shapley value
 * is additive over points, and for one point it has a closed form (Littlechild and Owen 1973): with the values sorted
 * upwards, the step from one value to the next is shared equally by all who reach it. O(k · n log n) instead of 2ⁿ.
 *
 * It says nothing about whether the values are fair: in the paper a language model judges them.
 */
export function maxShapley(values: readonly (readonly bigint[])[], players: number): ShapleyShares {
  const denominator = leastCommonMultipleUpTo(players);
  const numerators = Array.from({ length: players }, () => 0n);
  for (const point of values) {
    assertInvariant(
      point.length === players && point.every((value) => value >= 0n),
      'each player has a value for each point',
    );
    const upwards = point.map((value, player) => ({ value, player })).sort((a, b) => compare(a.value, b.value));
    let reached = 0n;
    let below = 0n;
    upwards.forEach(({ value, player }, rank) => {
      reached += (value - below) * (denominator / BigInt(players - rank));
      below = value;
      numerators[player]! += reached;
    });
  }
  return { numerators, denominator };
}

/** Whole numbers nearest to the shares that add up to their sum: floor, then the largest remainders, ties by number. */
export function wholeShares({ numerators, denominator }: ShapleyShares): bigint[] {
  const whole = numerators.map((numerator) => numerator / denominator);
  const total = numerators.reduce((sum, numerator) => sum + numerator, 0n);
  assertInvariant(total % denominator === 0n, 'the shares add up to what all are worth');
  const left = total / denominator - whole.reduce((sum, share) => sum + share, 0n);
  numerators
    .map((numerator, player) => ({ remainder: numerator % denominator, player }))
    .sort((a, b) => compare(b.remainder, a.remainder) || a.player - b.player)
    .slice(0, Number(left))
    .forEach(({ player }) => (whole[player]! += 1n));
  return whole;
}

function leastCommonMultipleUpTo(n: number): bigint {
  let multiple = 1n;
  for (let i = 2n; i <= BigInt(n); i++) multiple *= i / greatestCommonDivisor(multiple, i);
  return multiple;
}

const greatestCommonDivisor = (a: bigint, b: bigint): bigint => (b === 0n ? a : greatestCommonDivisor(b, a % b));
const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
