import { addRowTo, dotRow, quantised, type QuantisedRows } from '../quantised-rows.js';
import { termHash } from '../term-hash.js';
import type { Plan, TermMatrix } from '../term-matrix.js';
import { Top, type Accepts, type Hit } from '../top.js';
import { leftSingularVectors } from './svd.js';
import { localWeight, weigh } from './weigh.js';

export interface LsaOptions {
  /** Of the space; fewer where the passages span fewer. */
  readonly dimensions?: number;
  /** Where the iteration starts from: not secret, and the same gives the same. */
  readonly seed?: number;
}
const DIMENSIONS = 128;
/** With as many dimensions as passages the space would be the words again; measured on 536 passages. */
const PASSAGES_A_DIMENSION = 6;
const SEED = 20_090_109;
/** Below this many passages words that stand together by chance look like meaning. */
const LEAST_PASSAGES = 16;
/** Once so much was folded in since the fit, the basis knows too little of what there is. */
const MOST_FOLDED_PART = 0.25;

export interface LsaBasis {
  /** Their numbers, ascending; each has a row. */
  readonly terms: Float64Array;
  readonly weights: Float32Array;
  readonly rows: QuantisedRows;
  /** Of how many passages it was made. */
  readonly fittedTo: number;
}

/**
 * Latent semantic analysis (Deerwester et al. 1990): passages and questions as vectors in the space of the strongest
 * singular vectors of the term matrix, compared by cosine, so that words count which stand in the same company.
 *
 * The basis is computed from all passages and holds something of each: it is as private as they are, and when one of
 * them may no longer be used, it goes with it (`patched` gives null). Passages that come later are folded in
 * (§ "Folding in" there), which is not what a new fit would give.
 */
export class LsaIndex {
  readonly basis: LsaBasis;
  /** Unit vectors; all zero where no term of the basis stands in the passage. */
  readonly passages: QuantisedRows;
  readonly #rowOf: ReadonlyMap<number, number>;

  constructor(basis: LsaBasis, passages: QuantisedRows) {
    this.basis = basis;
    this.passages = passages;
    this.#rowOf = new Map([...basis.terms].map((term, row) => [term, row]));
  }

  /** Takes seconds at 10,000 passages: not on a thread that answers. Null where there are too few passages, or no words that
   * several of them have. */
  static fit(matrix: TermMatrix, { dimensions = DIMENSIONS, seed = SEED }: LsaOptions = {}): LsaIndex | null {
    if (matrix.size < LEAST_PASSAGES) return null;
    const weighed = weigh(matrix);
    const wanted = Math.min(dimensions, Math.ceil(matrix.size / PASSAGES_A_DIMENSION));
    const { values, vectors } = leftSingularVectors(weighed.matrix, wanted, seed);
    if (values.length === 0) return null;
    const terms = Float64Array.from(weighed.terms, (term) => matrix.terms[term]!);
    const rows = quantised(vectors, values.length);
    const basis = { terms, weights: weighed.weights, rows, fittedTo: matrix.size };
    return new LsaIndex(basis, quantised(folded(matrix, basis, null), values.length));
  }

  get size(): number {
    return this.passages.scales.length;
  }

  /**
   * The index of the plan's passages, whose matrix is given: what is new is folded in. Null where a passage was left
   * out, or too much is new: then it has to be fitted anew.
   */
  patched(plan: Plan, matrix: TermMatrix): LsaIndex | null {
    const kept = plan.filter((entry) => typeof entry === 'number').length;
    if (kept < this.size || matrix.size > this.basis.fittedTo * (1 + MOST_FOLDED_PART)) return null;
    const { width } = this.passages;
    const fresh = quantised(folded(matrix, this.basis, plan), width);
    const passages = { width, values: new Int8Array(plan.length * width), scales: new Float32Array(plan.length) };
    let next = 0;
    plan.forEach((entry, place) => {
      const [from, row] = typeof entry === 'number' ? [this.passages, entry] : [fresh, next++];
      passages.values.set(from.values.subarray(row * width, (row + 1) * width), place * width);
      passages.scales[place] = from.scales[row]!;
    });
    return new LsaIndex(this.basis, passages);
  }

  /** The best `limit` accepted passages with a positive cosine; none where no term is known. */
  search(terms: Iterable<string>, limit: number, accepts?: Accepts): Hit[] {
    const query = this.#vectorOf(terms);
    const top = new Top(limit);
    if (query === null) return top.hits;
    for (let passage = 0; passage < this.size; passage++) {
      if (accepts !== undefined && !accepts(passage)) continue;
      const score = this.score(passage, query);
      if (score > 0) top.offer(passage, score);
    }
    return top.hits;
  }

  /** The cosine of a passage with a unit vector. */
  score(passage: number, query: Float64Array): number {
    return dotRow(this.passages, passage, query);
  }

  #vectorOf(terms: Iterable<string>): Float64Array | null {
    const { rows, weights } = this.basis;
    const vector = new Float64Array(rows.width);
    for (const term of new Set(terms)) {
      const row = this.#rowOf.get(termHash(term));
      if (row !== undefined) addRowTo(vector, rows, row, weights[row]! * localWeight(1));
    }
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return length === 0 ? null : vector.map((value) => value / length);
  }
}

/** Unit vectors of all passages, or of those only that a plan brings as texts, in their order. */
function folded(matrix: TermMatrix, basis: LsaBasis, plan: Plan | null): Float64Array {
  const { width } = basis.rows;
  let count = 0;
  const rowOf = new Int32Array(matrix.size).map((_, p) =>
    plan === null || typeof plan[p] === 'string' ? count++ : -1,
  );
  const vectors = new Float64Array(count * width);
  let row = 0;
  for (let t = 0; t < matrix.terms.length && row < basis.terms.length; t++) {
    // Both ascend, and every term of the basis is one of the matrix.
    if (matrix.terms[t] !== basis.terms[row]) continue;
    for (let i = matrix.starts[t]!; i < matrix.starts[t + 1]!; i++) {
      const at = rowOf[matrix.passages[i]!]!;
      if (at < 0) continue;
      const vector = vectors.subarray(at * width, (at + 1) * width);
      addRowTo(vector, basis.rows, row, basis.weights[row]! * localWeight(matrix.counts[i]!));
    }
    row++;
  }
  for (let at = 0; at < vectors.length; at += width) {
    let squares = 0;
    for (let j = at; j < at + width; j++) squares += vectors[j]! ** 2;
    for (let j = at; j < at + width; j++) vectors[j]! /= Math.sqrt(squares) || 1;
  }
  return vectors;
}
