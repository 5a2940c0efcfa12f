import { patchedMatrix, patching, termMatrix, type Plan, type TermMatrix } from './term-matrix.js';
import { termHash } from './term-hash.js';
import { remembered, topOf, type Accepts, type Hit } from './top.js';

/** Okapi BM25 (Robertson and Zaragoza 2009, §3.3) with the usual constants and an idf that is never negative. */
const K1 = 1.2;
const B = 0.75;

/**
 * Passages are numbered in the order given. The same passages give the same scores and the same order, ties by number.
 * Frequencies and the average length are those of all passages, a search's filter notwithstanding.
 */
export class Bm25Index {
  readonly matrix: TermMatrix;
  /** K1 · (1 - B + B · length / average length), by passage. */
  readonly #lengthNorms: Float64Array;

  constructor(matrix: TermMatrix) {
    this.matrix = matrix;
    this.#lengthNorms = lengthNorms(matrix);
  }

  static of(texts: readonly string[]): Bm25Index {
    return new Bm25Index(termMatrix(texts));
  }

  /** Exactly the index of the plan's passages, as if built anew. */
  patched(plan: Plan): Bm25Index {
    return new Bm25Index(patchedMatrix(this.matrix, plan));
  }

  /** The same in steps, of new texts that were read already. */
  *patching(plan: Plan, fresh: TermMatrix): Generator<void, Bm25Index, void> {
    return new Bm25Index(yield* patching(this.matrix, plan, fresh));
  }

  get size(): number {
    return this.matrix.size;
  }

  /** In how many passages the term occurs. */
  passagesWith(term: string): number {
    const id = this.#idOf(term);
    return id === undefined ? 0 : this.matrix.starts[id + 1]! - this.matrix.starts[id]!;
  }

  /** The best `limit` accepted passages that have at least one of the terms; each term counts once. */
  search(terms: Iterable<string>, limit: number, accepts?: Accepts): Hit[] {
    return topOf(this.scores(terms, accepts), limit);
  }

  /** By passage; 0 for one that has none of the terms or is not accepted. */
  scores(terms: Iterable<string>, accepts?: Accepts): Float64Array {
    const scores = new Float64Array(this.size);
    const isAccepted = accepts === undefined ? undefined : remembered(accepts, this.size);
    for (const term of new Set(terms)) this.#addScores(term, scores, isAccepted);
    return scores;
  }

  /** What one posting adds to its passage's score. */
  partOfScore(posting: number, idf: number): number {
    const count = this.matrix.counts[posting]!;
    return (idf * count * (K1 + 1)) / (count + this.#lengthNorms[this.matrix.passages[posting]!]!);
  }

  #idOf(term: string): number | undefined {
    const { terms } = this.matrix;
    const wanted = termHash(term);
    let [from, to] = [0, terms.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (terms[middle]! < wanted) from = middle + 1;
      else to = middle;
    }
    return terms[from] === wanted ? from : undefined;
  }

  #addScores(term: string, scores: Float64Array, isAccepted: Accepts | undefined): void {
    const id = this.#idOf(term);
    if (id === undefined) return;
    const { starts, passages } = this.matrix;
    const [from, to] = [starts[id]!, starts[id + 1]!];
    const idf = Math.log(1 + (this.size - (to - from) + 0.5) / (to - from + 0.5));
    for (let i = from; i < to; i++) {
      const passage = passages[i]!;
      if (isAccepted === undefined || isAccepted(passage)) scores[passage]! += this.partOfScore(i, idf);
    }
  }
}

function lengthNorms({ size, passages, counts }: TermMatrix): Float64Array {
  const lengths = new Float64Array(size);
  let total = 0;
  for (let i = 0; i < passages.length; i++) {
    lengths[passages[i]!]! += counts[i]!;
    total += counts[i]!;
  }
  const average = total / Math.max(1, size) || 1;
  return lengths.map((length) => K1 * (1 - B + (B * length) / average));
}
