/**
 * Feldman verifiable secret sharing (FOCS 1987) over ristretto255 (RFC 9496), a group of prime order ℓ.
 *
 * The dealer draws a polynomial f of degree t-1 with f(0) = secret, gives holder i the share f(i) and publishes the
 * commitments C_j = a_j·B to its coefficients. Anyone can check a share: f(i)·B = Σ i^j·C_j. Any t shares give f(0) by
 * Lagrange interpolation; t-1 say nothing about it beyond C_0 = secret·B, from which a uniformly random scalar cannot
 * be computed. So the secret must be random, as `deal` makes it, and is used only through `deriveSessionKey`.
 *
 * Scalars and points are 32 bytes, little-endian, canonical.
 */
import { refuse, type RandomSource } from '@usufruct/kernel';
import { requireInteger } from './guards.js';
import {
  brokenRandom,
  decodePoint,
  decodeShare,
  evaluate,
  evaluateCommitted,
  Fn,
  MAX_HOLDERS,
  Point,
  randomScalar,
  weightsAtZero,
  type GroupPoint,
  type Share,
} from './polynomial.js';

export { MAX_HOLDERS, SCALAR_BYTES, type Share } from './polynomial.js';

export interface DealParams {
  readonly threshold: number;
  readonly holderCount: number;
  readonly random: RandomSource;
}

export interface Deal {
  /** 32 bytes. Feed it to `deriveSessionKey`, then forget it. */
  readonly secret: Uint8Array;
  readonly shares: readonly Share[];
  /** `threshold` points. Public. */
  readonly commitments: readonly Uint8Array[];
}

/**
 * Make a fresh secret and its shares, 1 ≤ threshold ≤ holderCount ≤ 255.
 * Refuses `INVALID_ARGUMENT` for other numbers and for a random source that yields zeros.
 */
export function deal({ threshold, holderCount, random }: DealParams): Deal {
  requireInteger(holderCount, 1, MAX_HOLDERS, 'holderCount');
  requireInteger(threshold, 1, holderCount, 'threshold');
  const coefficients = Array.from({ length: threshold }, () => randomScalar(random));
  const shares = Array.from({ length: holderCount }, (_, i) => {
    const value = evaluate(coefficients, BigInt(i + 1));
    // Chance 2^-252 with a working source; the holder's decoder would refuse it, so the dealer must not make it.
    if (value === 0n) throw brokenRandom();
    return { index: i + 1, value: Fn.toBytes(value) };
  });
  return {
    secret: Fn.toBytes(coefficients[0]!),
    shares,
    commitments: coefficients.map((a) => Point.BASE.multiply(a).toBytes()),
  };
}

/**
 * Does the share lie on the committed polynomial? Says nothing about who dealt it. A malformed share is `false`;
 * malformed commitments are refused with `INVALID_ARGUMENT`.
 */
export function verifyShare(share: Share, commitments: readonly Uint8Array[]): boolean {
  return liesOnPolynomial(share, commitments.map(decodePoint));
}

/**
 * Combine at least `commitments.length` shares into the secret, and prove it against the first commitment. Only when
 * that fails is each share checked on its own. Shares beyond the threshold are not needed and not looked at unless
 * something is wrong.
 *
 * Refuses `SHARES_INSUFFICIENT` (how many are needed), `SHARE_INVALID` (naming every bad index: drop those and try
 * again), `INVALID_ARGUMENT` (malformed commitments).
 */
export function combine(shares: readonly Share[], commitments: readonly Uint8Array[]): Uint8Array {
  const points = commitments.map(decodePoint);
  if (points.length === 0 || points.length > MAX_HOLDERS) {
    throw refuse('INVALID_ARGUMENT', { field: 'commitments', expected: `1 to ${MAX_HOLDERS} points` });
  }
  refuseDuplicates(shares);
  if (shares.length < points.length) {
    throw refuse('SHARES_INSUFFICIENT', { needed: String(points.length), given: String(shares.length) });
  }
  const chosen = shares.slice(0, points.length).map((share) => ({ x: share.index, y: decodeShare(share) }));
  const secret = chosen.every(isDecoded) ? interpolateAtZero(chosen) : 0n;
  if (secret !== 0n && Point.BASE.multiply(secret).equals(points[0]!)) return Fn.toBytes(secret);
  throw blame(shares, points);
}

/**
 * What the first `threshold` of these shares combine to, or null when there are fewer, one is malformed or two have one
 * index. Nothing is proven: with a wrong share it is another secret. For callers that hold it against something that
 * binds them, as a commitment to the key does, and that turn to `combine` when it does not hold.
 */
export function combineUnproven(shares: readonly Share[], threshold: number): Uint8Array | null {
  const chosen = shares.slice(0, threshold).map((share) => ({ x: share.index, y: decodeShare(share) }));
  if (threshold < 1 || chosen.length < threshold || new Set(chosen.map(({ x }) => x)).size < threshold) return null;
  const secret = chosen.every(isDecoded) ? interpolateAtZero(chosen) : 0n;
  return secret === 0n ? null : Fn.toBytes(secret);
}

interface Sample {
  readonly x: number;
  readonly y: bigint;
}
const isDecoded = (sample: { x: number; y: bigint | null }): sample is Sample => sample.y !== null;

function blame(shares: readonly Share[], points: readonly GroupPoint[]): Error {
  const bad = shares.filter((share) => !liesOnPolynomial(share, points)).map((share) => share.index);
  return refuse('SHARE_INVALID', { index: bad.join(',') });
}

function refuseDuplicates(shares: readonly Share[]): void {
  const seen = new Set<number>();
  for (const { index } of shares) {
    if (seen.has(index)) throw refuse('SHARE_INVALID', { index: String(index), reason: 'given twice' });
    seen.add(index);
  }
}

function liesOnPolynomial(share: Share, points: readonly GroupPoint[]): boolean {
  const value = decodeShare(share);
  if (value === null || points.length === 0) return false;
  return Point.BASE.multiply(value).equals(evaluateCommitted(points, share.index));
}

/** f(0) = Σ λ_i · y_i */
function interpolateAtZero(samples: readonly Sample[]): bigint {
  const weights = weightsAtZero(samples.map(({ x }) => x));
  return samples.reduce((sum, { y }, i) => Fn.add(sum, Fn.mul(y, weights[i]!)), 0n);
}
