import { symmetricEigen } from './eigen.js';
import { innerProducts, times, timesDense, transposeTimes, type SparseMatrix } from './sparse.js';

/** Columns beyond those that are wanted, and passes over the matrix: what the paper found to be enough (§1.3, §4.5). */
const OVERSAMPLING = 16;
const PASSES = 2;
/** A direction that carries less than this part of the strongest one's energy is rounding. */
const NEGLIGIBLE = 1e-10;

export interface LeftVectors {
  /** Singular values, descending, all positive; possibly fewer than asked for. */
  readonly values: Float64Array;
  /** The matrix's rows × `values.length`, row-major, orthonormal columns. */
  readonly vectors: Float64Array;
}

/**
 * The strongest `wanted` left singular vectors by randomised subspace iteration (Halko, Martinsson and Tropp 2011,
 * algorithms 4.4 and 5.1). The start is drawn from the seed; the same matrix and seed give the same result.
 */
export function leftSingularVectors(a: SparseMatrix, wanted: number, seed: number): LeftVectors {
  const most = Math.min(wanted + OVERSAMPLING, a.columns, a.rows);
  let basis: Basis = { width: most, x: randomSigns(a.columns * most, seed) };
  for (let pass = 0; pass < PASSES && basis.width > 0; pass++) basis = orthonormal(squared(a, basis), basis.width);
  const { width, x } = basis;
  // Rayleigh and Ritz: XᵀAᵀAX = W Λ Wᵀ. Then V = XW are the right vectors, and U = AV Λ^(-1/2) the left ones: what is
  // dense is as high as there are columns, and the many rows are gone through by their entries only.
  const { values, vectors } = symmetricEigen(innerProducts(x, squared(a, basis), width), width);
  const kept = Math.min(wanted, soundOnes(values));
  const strengths = values.slice(0, kept).map((value) => Math.sqrt(value));
  const left = times(a, timesDense(x, vectors, width, kept), kept);
  divideColumns(left, strengths);
  return { values: strengths, vectors: left };
}

interface Basis {
  readonly width: number;
  readonly x: Float64Array;
}

/** AᵀA · X */
const squared = (a: SparseMatrix, { x, width }: Basis): Float64Array => transposeTimes(a, times(a, x, width), width);

/** The columns' orthonormal directions: X · W · Λ^(-1/2) of XᵀX = W Λ Wᵀ; fewer where they depend on one another. */
function orthonormal(x: Float64Array, width: number): Basis {
  const { values, vectors } = symmetricEigen(innerProducts(x, x, width), width);
  const kept = soundOnes(values);
  const turned = timesDense(x, vectors, width, kept);
  divideColumns(
    turned,
    values.slice(0, kept).map((value) => Math.sqrt(value)),
  );
  return { width: kept, x: turned };
}

function soundOnes(values: Float64Array): number {
  const first = values.findIndex((value) => !(value > NEGLIGIBLE * values[0]!));
  return first === -1 ? values.length : first;
}

function divideColumns(rows: Float64Array, by: Float64Array): void {
  const width = by.length;
  for (let at = 0; at < rows.length; at += width) for (let j = 0; j < width; j++) rows[at + j]! /= by[j]!;
}

/** ±1 by a xorshift generator (Marsaglia 2003): exact on every machine, and as good a sketch as Gaussian numbers. */
function randomSigns(length: number, seed: number): Float64Array {
  let state = seed | 0 || 1;
  return new Float64Array(length).map(() => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state < 0 ? -1 : 1;
  });
}
