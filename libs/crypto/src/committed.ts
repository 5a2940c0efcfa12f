/** Commitments of several dealers, decoded and put together. Not exported by the package. */
import { Fn, lagrangeAtZero, MAX_HOLDERS, Point, pointOf, type GroupPoint } from './polynomial.js';

/** Null where they are not `count` points. */
export function decodeAll(commitments: readonly Uint8Array[], count: number): GroupPoint[] | null {
  if (commitments.length !== count || count < 1 || count > MAX_HOLDERS) return null;
  const points = commitments.map(pointOf);
  return points.every((point) => point !== null) ? points : null;
}

/**
 * All but the first of the commitments that dealers at these positions make together; null where they do not commit to
 * the secret, or one would be the identity. Small integers first and one division at the end: the dealers 1 to t need
 * none. Refuses `SHARE_INVALID` for a position that is none, or is there twice.
 */
export function combinePoints(
  indexes: readonly number[],
  dealings: readonly (readonly GroupPoint[])[],
  secret: GroupPoint,
): GroupPoint[] | null {
  const { coefficients, divisor } = lagrangeAtZero(indexes);
  const [constant, ...others] = (dealings[0] ?? []).map((_, k) =>
    dealings.reduce((sum, points, i) => sum.add(timesInteger(points[k]!, coefficients[i]!)), Point.ZERO),
  );
  if (!constant?.equals(timesInteger(secret, divisor)) || others.some((sum) => sum.is0())) return null;
  if (divisor === 1n) return others;
  const inverse = Fn.inv(divisor);
  return others.map((sum) => sum.multiplyUnsafe(inverse));
}

/** Public values: variable time is fine. */
const timesInteger = (point: GroupPoint, factor: bigint): GroupPoint =>
  factor < 0n ? point.multiplyUnsafe(-factor).negate() : point.multiplyUnsafe(factor);
