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
import { ristretto255 } from '@noble/curves/ed25519.js';
import { refuse, type RandomSource } from '@usufruct/kernel';
import { requireInteger } from './guards.js';

const { Point } = ristretto255;
const { Fn } = Point;
type GroupPoint = InstanceType<typeof Point>;

export const SCALAR_BYTES = 32;
export const MAX_HOLDERS = 255;

export interface Share {
  /** The holder's position, 1 to `holderCount`. */
  readonly index: number;
  /** A canonical non-zero scalar, 32 bytes little-endian. Secret. */
  readonly value: Uint8Array;
}

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
  const chosen = shares.slice(0, points.length).map((share) => ({ x: share.index, y: decodeScalar(share) }));
  const secret = chosen.every(isDecoded) ? interpolateAtZero(chosen) : 0n;
  if (secret !== 0n && Point.BASE.multiply(secret).equals(points[0]!)) return Fn.toBytes(secret);
  throw blame(shares, points);
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
  const value = decodeScalar(share);
  if (value === null || points.length === 0) return false;
  // Horner's rule on public points with a small public scalar: variable time is fine here.
  const x = BigInt(share.index);
  const expected = points.reduceRight((sum, point) => sum.multiplyUnsafe(x).add(point), Point.ZERO);
  return Point.BASE.multiply(value).equals(expected);
}

/** Coefficients from the constant term up. */
const evaluate = (coefficients: readonly bigint[], x: bigint): bigint =>
  coefficients.reduceRight((sum, a) => Fn.add(Fn.mul(sum, x), a), 0n);

/** f(0) = Σ y_i · Π_{j≠i} x_j / (x_j - x_i) */
function interpolateAtZero(samples: readonly Sample[]): bigint {
  const xs = samples.map(({ x }) => BigInt(x));
  return samples.reduce((sum, { y }, i) => {
    const others = xs.filter((_, j) => j !== i);
    const above = others.reduce((product, x) => Fn.mul(product, x), 1n);
    const below = others.reduce((product, x) => Fn.mul(product, Fn.sub(x, xs[i]!)), 1n);
    return Fn.add(sum, Fn.mul(y, Fn.div(above, below)));
  }, 0n);
}

/** 64 bytes reduced modulo ℓ: the bias is under 2^-252. */
function randomScalar(random: RandomSource): bigint {
  const bytes = random(64);
  if (bytes.length !== 64) throw brokenRandom();
  const scalar = Fn.create(littleEndian(bytes));
  if (scalar === 0n) throw brokenRandom();
  return scalar;
}

const brokenRandom = (): Error => refuse('INVALID_ARGUMENT', { field: 'random', expected: 'a working random source' });

/** `null` for anything but a canonical non-zero scalar at an index from 1 to 255. */
function decodeScalar({ index, value }: Share): bigint | null {
  if (!Number.isInteger(index) || index < 1 || index > MAX_HOLDERS) return null;
  if (!(value instanceof Uint8Array) || value.length !== SCALAR_BYTES) return null;
  const scalar = littleEndian(value);
  return scalar !== 0n && scalar < Fn.ORDER ? scalar : null;
}

function decodePoint(bytes: Uint8Array, position: number): GroupPoint {
  try {
    const point = Point.fromBytes(bytes);
    if (!point.is0()) return point;
  } catch {
    // one refusal for every way of being malformed
  }
  throw refuse('INVALID_ARGUMENT', {
    field: `commitments[${position}]`,
    expected: 'a ristretto255 point, not the identity',
  });
}

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
