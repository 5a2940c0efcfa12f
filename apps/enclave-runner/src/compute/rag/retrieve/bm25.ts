import { TermReader } from './terms.js';

/** Okapi BM25 (Robertson and Zaragoza 2009, §3.3) with the usual constants and an idf that is never negative. */
const K1 = 1.2;
const B = 0.75;

export interface Hit {
  readonly passage: number;
  readonly score: number;
}

/**
 * An inverted index in compressed sparse rows over typed arrays. Passages are numbered in the order given. The same
 * passages give the same scores and the same order, ties by number.
 */
export class Bm25Index {
  readonly #terms = new Map<string, number>();
  readonly #reader = new TermReader();
  /** Postings of term t: positions `#starts[t]` to `#starts[t + 1]` of the two arrays below. */
  readonly #starts: Uint32Array;
  readonly #passages: Uint32Array;
  readonly #counts: Uint32Array;
  /** K1 · (1 - B + B · length / average length), by passage. */
  readonly #lengthNorms: Float64Array;
  readonly size: number;

  constructor(passages: readonly string[]) {
    this.size = passages.length;
    const lengths = new Float64Array(passages.length);
    const postings: { passages: number[]; counts: number[] }[] = [];
    passages.forEach((text, passage) => {
      const counts = this.#countTerms(text);
      for (const [term, count] of counts) {
        const list = (postings[term] ??= { passages: [], counts: [] });
        list.passages.push(passage);
        list.counts.push(count);
        lengths[passage]! += count;
      }
    });
    this.#starts = new Uint32Array(postings.length + 1);
    postings.forEach((list, term) => (this.#starts[term + 1] = this.#starts[term]! + list.passages.length));
    this.#passages = new Uint32Array(this.#starts[postings.length]!);
    this.#counts = new Uint32Array(this.#passages.length);
    postings.forEach((list, term) => {
      this.#passages.set(list.passages, this.#starts[term]!);
      this.#counts.set(list.counts, this.#starts[term]!);
    });
    const average = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, passages.length) || 1;
    this.#lengthNorms = lengths.map((length) => K1 * (1 - B + (B * length) / average));
  }

  /** In how many passages the term occurs. */
  passagesWith(term: string): number {
    const id = this.#terms.get(term);
    return id === undefined ? 0 : this.#starts[id + 1]! - this.#starts[id]!;
  }

  /** The best `limit` accepted passages that have at least one of the terms; each term counts once. */
  search(terms: Iterable<string>, limit: number, accepts: (passage: number) => boolean = () => true): Hit[] {
    const scores = new Float64Array(this.size);
    for (const term of new Set(terms)) this.#addScores(term, scores);
    return best(scores, limit, accepts);
  }

  #addScores(term: string, scores: Float64Array): void {
    const id = this.#terms.get(term);
    if (id === undefined) return;
    const [from, to] = [this.#starts[id]!, this.#starts[id + 1]!];
    const idf = Math.log(1 + (this.size - (to - from) + 0.5) / (to - from + 0.5));
    for (let i = from; i < to; i++) {
      const passage = this.#passages[i]!;
      const count = this.#counts[i]!;
      scores[passage]! += (idf * count * (K1 + 1)) / (count + this.#lengthNorms[passage]!);
    }
  }

  #countTerms(text: string): Map<number, number> {
    const counts = new Map<number, number>();
    for (const term of this.#reader.terms(text)) {
      let id = this.#terms.get(term);
      if (id === undefined) {
        id = this.#terms.size;
        this.#terms.set(term, id);
      }
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }
}

/** The highest positive scores in descending order. `limit` is small, so a sorted list beats a heap. */
function best(scores: Float64Array, limit: number, accepts: (passage: number) => boolean): Hit[] {
  const top: Hit[] = [];
  scores.forEach((score, passage) => {
    if (score <= 0 || (top.length === limit && score <= (top.at(-1)?.score ?? Infinity)) || !accepts(passage)) return;
    let place = top.length;
    while (place > 0 && top[place - 1]!.score < score) place--;
    top.splice(place, 0, { passage, score });
    if (top.length > limit) top.pop();
  });
  return top;
}
