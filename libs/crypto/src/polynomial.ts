/**
 * Polynomials over the scalars of ristretto255 (RFC 9496) and Feldman commitments to them: what dealing and re-sharing
 * have in common. Not exported by the package.
 */
import { ristretto255 } from '@noble/curves/ed25519.js';
import { refuse, type RandomSource } from '@usufruct/kernel';

export const { Point } = ristretto255;
export const { Fn } = Point;
export type GroupPoint = InstanceType<typeof Point>;

export const SCALAR_BYTES = 32;
export const MAX_HOLDERS = 255;

export interface Share {
  /** The holder's position, 1 to `holderCount`. */
  readonly index: number;
  /** A canonical non-zero scalar, 32 bytes little-endian. Secret. */
  readonly value: Uint8Array;
}

/** Coefficients from the constant term up. */
export const evaluate = (coefficients: readonly bigint[], x: bigint): bigint =>
  coefficients.reduceRight((sum, a) => Fn.add(Fn.mul(sum, x), a), 0n);

/** f(x)·B from the commitments to f. Horner's rule on public points with a small public scalar: variable time is fine. */
export function evaluateCommitted(points: readonly GroupPoint[], index: number): GroupPoint {
  const x = BigInt(index);
  return points.reduceRight((sum, point) => sum.multiplyUnsafe(x).add(point), Point.ZERO);
}

/** 64 bytes reduced modulo ℓ: the bias is under 2^-252. */
export function randomScalar(random: RandomSource): bigint {
  const bytes = random(64);
  if (bytes.length !== 64) throw brokenRandom();
  const scalar = Fn.create(littleEndian(bytes));
  if (scalar === 0n) throw brokenRandom();
  return scalar;
}

export const brokenRandom = (): Error =>
  refuse('INVALID_ARGUMENT', { field: 'random', expected: 'a working random source' });

/** `null` for anything but a canonical non-zero scalar at an index from 1 to 255. */
export function decodeShare({ index, value }: Share): bigint | null {
  return isIndex(index) ? decodeScalar(value) : null;
}

export const isIndex = (index: number): boolean => Number.isInteger(index) && index >= 1 && index <= MAX_HOLDERS;

/** `null` for anything but a canonical non-zero scalar. */
export function decodeScalar(value: Uint8Array): bigint | null {
  if (!(value instanceof Uint8Array) || value.length !== SCALAR_BYTES) return null;
  const scalar = littleEndian(value);
  return scalar !== 0n && scalar < Fn.ORDER ? scalar : null;
}

/** `null` for anything but a canonical point that is not the identity. */
export function pointOf(bytes: Uint8Array): GroupPoint | null {
  try {
    const point = Point.fromBytes(bytes);
    return point.is0() ? null : point;
  } catch {
    return null; // every way of being malformed is the same
  }
}

export function decodePoint(bytes: Uint8Array, position: number): GroupPoint {
  const point = pointOf(bytes);
  if (point !== null) return point;
  throw refuse('INVALID_ARGUMENT', {
    field: `commitments[${position}]`,
    expected: 'a ristretto255 point, not the identity',
  });
}

export interface Lagrange {
  /** λ_i · divisor, as integers that may be negative. */
  readonly coefficients: readonly bigint[];
  readonly divisor: bigint;
}

/** λ_i = Π_{j≠i} x_j / (x_j - x_i), over a common denominator. Refuses `SHARE_INVALID` for an index named twice. */
export function lagrangeAtZero(indexes: readonly number[]): Lagrange {
  if (new Set(indexes).size !== indexes.length || !indexes.every(isIndex)) {
    throw refuse('SHARE_INVALID', { index: indexes.join(','), reason: 'not each a position, once' });
  }
  const xs = indexes.map(BigInt);
  const fractions = xs.map((own) => {
    const others = xs.filter((x) => x !== own);
    return {
      above: others.reduce((product, x) => product * x, 1n),
      below: others.reduce((product, x) => product * (x - own), 1n),
    };
  });
  const divisor = fractions.reduce((common, { above, below }) => {
    const needed = absolute(below) / greatestDivisor(above, below);
    return (common * needed) / greatestDivisor(common, needed);
  }, 1n);
  return { coefficients: fractions.map(({ above, below }) => (above * divisor) / below), divisor };
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);
function greatestDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [absolute(a), absolute(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** The last ones: all contributions of a release, or of a re-sharing, come from the same holders. Public numbers. */
let known: { readonly of: string; readonly weights: readonly bigint[] } = { of: '', weights: [] };

/** λ_i modulo ℓ: f(0) = Σ λ_i·f(x_i) for the values at as many indexes as f has coefficients. Refuses as `lagrangeAtZero`. */
export function weightsAtZero(indexes: readonly number[]): readonly bigint[] {
  const of = indexes.join();
  if (known.of === of) return known.weights;
  const { coefficients, divisor } = lagrangeAtZero(indexes);
  const inverse = Fn.inv(divisor);
  const weights = coefficients.map((coefficient) => Fn.mul(Fn.create(coefficient), inverse));
  known = { of, weights };
  return weights;
}

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
