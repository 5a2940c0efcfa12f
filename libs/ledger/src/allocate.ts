import {
  asAmount,
  assertInvariant,
  BASIS_POINTS_WHOLE,
  refuse,
  sumUnits,
  toHex,
  type AmountUnits,
  type Weight,
} from '@usufruct/kernel';

/** One claim on a total. */
export interface Share {
  readonly weight: Weight;
  /** Decides between equal remainders: the smaller bytes get the unit. Address bytes first; unique in one call. */
  readonly tieKey: Uint8Array;
}

/**
 * Divide `totalUnits` in proportion to the weights: floor, then one unit each to the largest remainders, ties by
 * `tieKey` bytes ascending. Returns one amount per share, in the order given; they add up to the total exactly, and
 * each is less than one unit away from its exact quota. A zero weight gets nothing. The result does not depend on the
 * order of the shares.
 *
 * Refuses `INVALID_ARGUMENT`: a positive total and no positive weight; a tie key used twice.
 */
export function allocate(totalUnits: AmountUnits, shares: readonly Share[]): AmountUnits[] {
  const total = asAmount(totalUnits, 'totalUnits');
  requireDistinctKeys(shares);
  const weightSum = shares.reduce<bigint>((sum, { weight }) => sum + requireWeight(weight), 0n);
  if (total === 0n) return shares.map(() => asAmount(0n));
  if (weightSum === 0n) throw refuse('INVALID_ARGUMENT', { field: 'weights', expected: 'a weight above zero' });

  const quotas = shares.map(({ weight, tieKey }, index) => {
    const product = total * weight;
    return { index, units: product / weightSum, remainder: product % weightSum, tieKey };
  });
  const leftover = total - quotas.reduce((sum, quota) => sum + quota.units, 0n);
  // The remainders add up to leftover × weightSum and each is below weightSum, so more than `leftover` of them are
  // positive or all are zero: a zero weight, whose remainder is zero, never gets a unit.
  assertInvariant(
    leftover >= 0n && leftover < BigInt(Math.max(quotas.length, 1)),
    'less than one unit a share is left',
  );

  const ranked = [...quotas].sort(
    (a, b) => compareBigints(b.remainder, a.remainder) || compareBytes(a.tieKey, b.tieKey),
  );
  const rounded = new Set(ranked.slice(0, Number(leftover)).map((quota) => quota.index));
  const amounts = quotas.map(({ index, units }) => asAmount(units + (rounded.has(index) ? 1n : 0n)));
  assertInvariant(sumUnits(amounts) === total, 'the parts add up to the total');
  return amounts;
}

/**
 * Divide by parts of ten thousand with the same rule; between equal remainders the earlier part gets the unit.
 * Refuses `SPLIT_INVALID` unless the parts are integers from 0 that add up to 10,000.
 */
export function splitByBasisPoints(totalUnits: AmountUnits, partsBps: readonly number[]): AmountUnits[] {
  requireWholeSplit(partsBps);
  return allocate(
    totalUnits,
    partsBps.map((bps, index) => ({ weight: BigInt(bps) as Weight, tieKey: Uint8Array.of(index >> 8, index & 0xff) })),
  );
}

/** Refuses `SPLIT_INVALID` unless the parts are integers from 0 that add up to 10,000. */
export function requireWholeSplit(partsBps: readonly number[]): void {
  const valid = partsBps.every((bps) => Number.isInteger(bps) && bps >= 0);
  if (!valid || partsBps.reduce((sum, bps) => sum + bps, 0) !== BASIS_POINTS_WHOLE) throw refuse('SPLIT_INVALID');
}

function requireDistinctKeys(shares: readonly Share[]): void {
  if (new Set(shares.map(({ tieKey }) => toHex(tieKey))).size !== shares.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'tieKey', expected: 'a key used once' });
  }
}

function requireWeight(weight: Weight): bigint {
  if (weight < 0n) throw refuse('INVALID_ARGUMENT', { field: 'weight', expected: 'zero or more' });
  return weight;
}

const compareBigints = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0);

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i]! - right[i]!;
  }
  return left.length - right.length;
}
