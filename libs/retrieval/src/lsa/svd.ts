import { symmetricEigen } from './eigen.js';
import { gram, times, timesDense, transposeTimes, type SparseMatrix } from './sparse.js';

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
  let width = Math.min(wanted + OVERSAMPLING, a.columns, a.rows);
  let x = randomSigns(a.columns * width, seed);
  for (let pass = 0; pass < PASSES && width > 0; pass++) {
    const image = transposeTimes(a, times(a, x, width), width);
    const turned = orthonormal(image, width, width);
    width = turned.values.length;
    x = turned.vectors;
  }
  return width === 0
    ? { values: new Float64Array(0), vectors: new Float64Array(0) }
    : orthonormal(times(a, x, width), width, wanted);
}

/** The columns' strongest orthonormal directions, and how strong they are: X · W · Λ^(-1/2) of XᵀX = W Λ Wᵀ. */
function orthonormal(x: Float64Array, width: number, wanted: number): LeftVectors {
  const { values, vectors } = symmetricEigen(gram(x, width), width);
  const sound = values.findIndex((value) => !(value > NEGLIGIBLE * values[0]!));
  const kept = Math.min(wanted, sound === -1 ? width : sound);
  const strengths = values.subarray(0, kept).map((value) => Math.sqrt(value));
  const turned = timesDense(x, vectors, width, kept);
  for (let at = 0; at < turned.length; at += kept) {
    for (let j = 0; j < kept; j++) turned[at + j]! /= strengths[j]!;
  }
  return { values: strengths, vectors: turned };
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
