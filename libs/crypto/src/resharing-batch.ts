/**
 * Sub-shares of many secrets from the same dealers, judged together by their receiver (the small exponents test of
 * Bellare, Garay and Rabin, EUROCRYPT 1998): Σ r·g(j)·B = Σ r·D(j) with a fresh random r for each. A wrong one passes
 * with a chance of 2^-64; which one it is has then to be asked of each by itself (`subDealingFlaw`).
 */
import { concatBytes, type RandomSource } from '@usufruct/kernel';
import { combinePoints, decodeAll } from './committed.js';
import { requireInteger } from './guards.js';
import {
  brokenRandom,
  decodeScalar,
  evaluateCommitted,
  Fn,
  MAX_HOLDERS,
  Point,
  pointOf,
  type GroupPoint,
} from './polynomial.js';
import type { SubDealing } from './resharing.js';

/** Of a random exponent. A wrong sub-share cannot be tried out elsewhere: each try is seen, and named. */
const EXPONENT_BYTES = 8;

export interface SubShareBatchParams {
  /** How many commitments a dealing has. */
  readonly threshold: number;
  /** Whose sub-shares they are. */
  readonly receiverIndex: number;
  readonly random: RandomSource;
}

export class SubShareBatch {
  /** Σ r·g(j), and the points of the other side with their r. */
  #sum = 0n;
  readonly #points: GroupPoint[] = [];
  readonly #exponents: bigint[] = [];

  constructor(private readonly params: SubShareBatchParams) {
    requireInteger(params.receiverIndex, 1, MAX_HOLDERS, 'receiverIndex');
  }

  /**
   * What as many dealers as the old threshold dealt for one secret. The commitments to its new polynomial, or null where
   * something is wrong with theirs: not all are points, or together they do not commit to the secret. Dealers that each
   * commit to another value than their share, and together to the secret, do no harm. Good only once `holds` says so.
   * Refuses `SHARE_INVALID` for a dealer named twice.
   */
  add(dealings: readonly SubDealing[], secretCommitment: Uint8Array): readonly Uint8Array[] | null {
    const { threshold, receiverIndex } = this.params;
    const indexes = dealings.map(({ dealerIndex }) => dealerIndex);
    const decoded = dealings.map(({ commitments }) => decodeAll(commitments, threshold));
    const values = dealings.map(({ subShare }) => decodeScalar(subShare));
    const secret = pointOf(secretCommitment);
    if (secret === null || !decoded.every((points) => points !== null)) return null;
    if (!values.every((value) => value !== null)) return null;
    const combined = combinePoints(indexes, decoded, secret);
    if (combined === null) return null;
    for (const [i, points] of decoded.entries()) {
      const exponent = this.#exponent();
      this.#sum = Fn.add(this.#sum, Fn.mul(exponent, values[i]!));
      this.#points.push(evaluateCommitted(points, receiverIndex));
      this.#exponents.push(exponent);
    }
    return [secretCommitment, ...combined.map((point) => point.toBytes())];
  }

  /** Whether every sub-share that was added lies on its dealer's polynomial. */
  holds(): boolean {
    const left = this.#sum === 0n ? Point.ZERO : Point.BASE.multiply(this.#sum);
    return left.equals(sumOfMultiples(this.#points, this.#exponents));
  }

  #exponent(): bigint {
    const bytes = concatBytes(this.params.random(EXPONENT_BYTES));
    if (bytes.length !== EXPONENT_BYTES) throw brokenRandom();
    const exponent = new DataView(bytes.buffer).getBigUint64(0);
    // Once in 2^64; no exponent at all would let anything through.
    return exponent === 0n ? 1n : exponent;
  }
}

const WINDOW_BITS = 6;
const WINDOW = (1n << BigInt(WINDOW_BITS)) - 1n;
/** Fewer are quicker one by one: a window costs two additions for each of its buckets, however few points there are. */
const FEW = 24;

/** Σ exponent·point for exponents of 64 bits, by buckets (Pippenger). Public values: variable time is fine. */
function sumOfMultiples(points: readonly GroupPoint[], exponents: readonly bigint[]): GroupPoint {
  if (points.length < FEW) {
    return points.reduce((sum, point, i) => sum.add(point.multiplyUnsafe(exponents[i]!)), Point.ZERO);
  }
  let total = Point.ZERO;
  for (let shift = WINDOW_BITS * Math.floor((8 * EXPONENT_BYTES) / WINDOW_BITS); shift >= 0; shift -= WINDOW_BITS) {
    for (let i = 0; i < WINDOW_BITS; i++) total = total.double();
    total = total.add(sumOfDigits(points, exponents, BigInt(shift)));
  }
  return total;
}

/** Σ digit·point for the digits at one place: points by digit first, then each bucket as often as it counts. */
function sumOfDigits(points: readonly GroupPoint[], exponents: readonly bigint[], shift: bigint): GroupPoint {
  const buckets: GroupPoint[] = Array.from({ length: Number(WINDOW) }, () => Point.ZERO);
  for (const [i, point] of points.entries()) {
    const digit = Number((exponents[i]! >> shift) & WINDOW);
    if (digit > 0) buckets[digit - 1] = buckets[digit - 1]!.add(point);
  }
  let [sum, running] = [Point.ZERO, Point.ZERO];
  for (const bucket of buckets.toReversed()) {
    running = running.add(bucket);
    sum = sum.add(running);
  }
  return sum;
}
