import type { Plan } from './term-matrix.js';
import { Top, type Accepts, type Hit } from './top.js';

/** What makes vectors of texts; a text and a question that mean the same lie close. */
export interface Embedder {
  /** What the vectors are of: only those of one model can be compared. SHA-256 of its file, hex. */
  readonly modelHash: string;
  /** One vector a text, all of one width. Rejects where the model does not answer. */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
}

/**
 * Exact search over vectors of an embedder, by cosine. At 100,000 vectors of 384 numbers that is 38 million products: no
 * index is faster to build, and none finds more.
 */
export class DenseIndex {
  readonly modelHash: string;
  readonly width: number;
  /** Unit vectors, row-major. */
  readonly vectors: Float32Array;

  constructor(modelHash: string, width: number, vectors: Float32Array) {
    this.modelHash = modelHash;
    this.width = width;
    this.vectors = vectors;
  }

  /** Of vectors as they come. Throws `RangeError` where widths differ or a number is none. */
  static of(modelHash: string, rows: readonly Float32Array[]): DenseIndex {
    const width = rows[0]?.length ?? 0;
    const vectors = new Float32Array(rows.length * width);
    rows.forEach((row, i) => vectors.set(normalised(row, width), i * width));
    return new DenseIndex(modelHash, width, vectors);
  }

  get size(): number {
    return this.width === 0 ? 0 : this.vectors.length / this.width;
  }

  /** Of what stays the vectors stay; where a plan brings texts there is none yet (`missing`). */
  patched(plan: Plan): DenseIndex {
    const { width } = this;
    const vectors = new Float32Array(plan.length * width);
    plan.forEach((entry, place) => {
      if (typeof entry === 'number')
        vectors.set(this.vectors.subarray(entry * width, (entry + 1) * width), place * width);
    });
    return new DenseIndex(this.modelHash, width, vectors);
  }

  /** Passages without a vector: no search finds them here. */
  get missing(): number[] {
    const { vectors, width } = this;
    return Array.from({ length: this.size }, (_, passage) => passage).filter((passage) =>
      vectors.subarray(passage * width, (passage + 1) * width).every((value) => value === 0),
    );
  }

  /** With a vector for each of these passages. Throws `RangeError` for other widths. */
  filled(passages: readonly number[], rows: readonly Float32Array[]): DenseIndex {
    const vectors = this.vectors.slice();
    passages.forEach((passage, i) => vectors.set(normalised(rows[i]!, this.width), passage * this.width));
    return new DenseIndex(this.modelHash, this.width, vectors);
  }

  /** The best `limit` accepted passages with a positive cosine. */
  search(query: Float32Array, limit: number, accepts?: Accepts): Hit[] {
    const unit = normalised(query, this.width);
    const top = new Top(limit);
    for (let passage = 0; passage < this.size; passage++) {
      if (accepts !== undefined && !accepts(passage)) continue;
      const score = this.score(passage, unit);
      if (score > 0) top.offer(passage, score);
    }
    return top.hits;
  }

  /** The cosine of a passage with a unit vector. Four sums, so that one addition need not wait for another. */
  score(passage: number, query: Float32Array): number {
    const { vectors, width } = this;
    let [a, b, c, d] = [0, 0, 0, 0];
    let at = passage * width;
    const end = at + width;
    let j = 0;
    for (; at + 3 < end; at += 4, j += 4) {
      a += vectors[at]! * query[j]!;
      b += vectors[at + 1]! * query[j + 1]!;
      c += vectors[at + 2]! * query[j + 2]!;
      d += vectors[at + 3]! * query[j + 3]!;
    }
    for (; at < end; at++, j++) a += vectors[at]! * query[j]!;
    return a + b + c + d;
  }
}

function normalised(row: Float32Array, width: number): Float32Array {
  const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  if (row.length !== width || !Number.isFinite(length)) throw new RangeError(`a vector has ${width} finite numbers`);
  return length === 0 ? row : row.map((value) => value / length);
}
