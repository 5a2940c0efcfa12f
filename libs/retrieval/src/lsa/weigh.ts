import type { TermMatrix } from '../term-matrix.js';
import type { SparseMatrix } from './sparse.js';

/** What a basis is computed from is bounded by these, and with it time and memory, however large the corpus. */
const MAX_POSTINGS = 1_200_000;
/** Of ordinary passages the postings are used up before; of a letter each they never would be. */
const MAX_PASSAGES = 60_000;
const MAX_TERMS = 40_000;
/** A term in more than this part of the passages tells nothing apart and costs most. */
const COMMON = 0.5;
const COMMON_FROM_PASSAGES = 40;

export const localWeight = (count: number): number => Math.log2(1 + count);

export interface Weighed {
  /** Terms × sampled passages, by log-entropy, each passage of length 1. */
  readonly matrix: SparseMatrix;
  /** Of each row: the term's number in the whole matrix, ascending, and its global weight. */
  readonly terms: Uint32Array;
  readonly weights: Float32Array;
}

/**
 * The matrix whose singular vectors are wanted: a sample of passages spread evenly, their terms without the commonest
 * (and without the rarest where there are too many), weighed by log-entropy (Dumais 1991): log₂(1 + count) · (1 + Σ p·log p / log n).
 */
export function weigh(matrix: TermMatrix): Weighed {
  const { columnOf, columns } = sample(matrix);
  const terms = chooseTerms(matrix, columnOf, columns);
  const weights = new Float32Array(terms.length);
  const starts = new Uint32Array(terms.length + 1);
  const [places, values]: [number[], number[]] = [[], []];
  terms.forEach((term, row) => {
    const first = places.length;
    for (let i = matrix.starts[term]!; i < matrix.starts[term + 1]!; i++) {
      const column = columnOf[matrix.passages[i]!]!;
      if (column < 0) continue;
      places.push(column);
      values.push(matrix.counts[i]!);
    }
    const weight = entropyWeight(values, first, columns);
    weights[row] = weight;
    for (let i = first; i < values.length; i++) values[i] = weights[row]! * localWeight(values[i]!);
    starts[row + 1] = places.length;
  });
  const weighed = {
    rows: terms.length,
    columns,
    starts,
    columnOf: Uint32Array.from(places),
    values: Float64Array.from(values),
  };
  normaliseColumns(weighed);
  return { matrix: weighed, terms, weights };
}

/** The column of each passage; -1: not in the sample. */
function sample({ size, passages }: TermMatrix): { columnOf: Int32Array; columns: number } {
  const part = Math.min(1, MAX_POSTINGS / Math.max(1, passages.length), MAX_PASSAGES / Math.max(1, size));
  let columns = 0;
  const columnOf = new Int32Array(size).map((_, p) => {
    const isTaken = Math.floor((p + 1) * part) > Math.floor(p * part);
    return isTaken ? columns++ : -1;
  });
  return { columnOf, columns };
}

function chooseTerms(matrix: TermMatrix, columnOf: Int32Array, columns: number): Uint32Array {
  const most = columns < COMMON_FROM_PASSAGES ? columns : columns * COMMON;
  const frequency = new Uint32Array(matrix.terms.length);
  for (let t = 0; t < frequency.length; t++) {
    for (let i = matrix.starts[t]!; i < matrix.starts[t + 1]!; i++) {
      if (columnOf[matrix.passages[i]!]! >= 0) frequency[t]! += 1;
    }
  }
  const isBetween = (least: number) => (count: number) => count >= least && count <= most;
  let least = 1;
  while (frequency.filter(isBetween(least)).length > MAX_TERMS) least++;
  const isChosen = isBetween(least);
  return Uint32Array.from(frequency.keys()).filter((term) => isChosen(frequency[term]!));
}

function entropyWeight(counts: readonly number[], first: number, passages: number): number {
  let total = 0;
  for (let i = first; i < counts.length; i++) total += counts[i]!;
  let entropy = 0;
  for (let i = first; i < counts.length; i++) entropy += (counts[i]! / total) * Math.log(counts[i]! / total);
  return Math.max(0, 1 + entropy / Math.log(Math.max(2, passages)));
}

function normaliseColumns({ columns, columnOf, values }: SparseMatrix): void {
  const squares = new Float64Array(columns);
  values.forEach((value, i) => (squares[columnOf[i]!]! += value * value));
  columnOf.forEach((column, i) => (values[i]! /= Math.sqrt(squares[column]!) || 1));
}
