import { Beam, Seen } from './hnsw/beam.js';
import { dot, hasVector, LEAST_WIDTH, linked, withoutLeavers } from './hnsw/build.js';
import { Graph, type GraphLinks } from './hnsw/graph.js';
import { descend, walkLevel } from './hnsw/walk.js';
import type { Plan } from './term-matrix.js';
import { remembered, Top, type Accepts, type Hit } from './top.js';

/** So many are scored exactly, one by one, within the time that a question may take. */
export const MOST_EXACT = 100_000;
/** Passages that came after the graph was made are scored one by one, until there are so many. */
const MOST_LOOSE = 10_000;
/** Where fewer than one of so many passages are accepted, these are scored one by one. */
const FEW_ACCEPTED = 8;
/** At least so many near ones are kept on the way to the nearest. */
const SEARCH_WIDTH = 200;
/** On the way down so many: where passages have left, or are not accepted, one alone ends in another heap more often. */
const DESCENT_WIDTH = 8;

/**
 * Search over vectors of an embedder, by cosine. Exact up to `MOST_EXACT`: at 100,000 vectors of 384 numbers that is 38
 * million products, no index is faster to build and none finds more. Above it, as soon as the graph is there, by walking
 * along its links: most of what is nearest is found, in a small part of the time.
 */
export class DenseIndex {
  readonly modelHash: string;
  readonly width: number;
  /** Unit vectors, row-major. */
  readonly vectors: Float32Array;
  readonly graph: Graph | null;
  /** Passages that are not in the graph. */
  readonly #loose: Uint32Array;
  #seen: Seen | undefined;

  /** Throws `RangeError` where the graph is of other passages. */
  constructor(modelHash: string, width: number, vectors: Float32Array, graph: Graph | null = null) {
    this.modelHash = modelHash;
    this.width = width;
    this.vectors = vectors;
    this.graph = graph;
    if (graph !== null && graph.size !== this.size) throw new RangeError('a graph of other passages');
    const isLoose = (passage: number): boolean => graph === null || graph.levels[passage] === 0;
    this.#loose = Uint32Array.from({ length: this.size }, (_, passage) => passage).filter(isLoose);
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

  /** Whether so much is scored one by one that a graph, or a graph of more of it, is worth its making. */
  get wantsGraph(): boolean {
    return this.width >= LEAST_WIDTH && this.#loose.length > (this.graph === null ? MOST_EXACT : MOST_LOOSE);
  }

  /**
   * With everything in its graph: minutes for hundreds of thousands, so it is for a process of its own. The same index gives
   * the same one. Without a graph where none can be made.
   */
  linked(): DenseIndex {
    return new DenseIndex(this.modelHash, this.width, this.vectors, linked(this, this.graph));
  }

  /** With the graph that `linked` has made of it elsewhere. Throws `RangeError` where it is of other passages. */
  withGraph(links: GraphLinks | null): DenseIndex {
    return new DenseIndex(this.modelHash, this.width, this.vectors, links && new Graph(links));
  }

  /**
   * Of what stays the vectors stay; where a plan brings texts there is none yet (`missing`). The graph stays for what stays,
   * and is dropped where there is little enough for exact search, or too much of it has left since it was made.
   */
  patched(plan: Plan): DenseIndex {
    const { width } = this;
    const vectors = new Float32Array(plan.length * width);
    const numbers = new Int32Array(this.size).fill(-1);
    plan.forEach((entry, place) => {
      if (typeof entry !== 'number') return;
      vectors.set(this.vectors.subarray(entry * width, (entry + 1) * width), place * width);
      numbers[entry] = place;
    });
    const isExactAgain = this.size > MOST_EXACT && plan.length <= MOST_EXACT;
    const known = isExactAgain ? null : this.graph;
    const graph = known && withoutLeavers({ vectors, width }, known, numbers, plan.length);
    return new DenseIndex(this.modelHash, width, vectors, graph);
  }

  /** Passages without a vector: no search finds them here. */
  get missing(): number[] {
    return [...this.#loose].filter((passage) => !hasVector(this, passage));
  }

  /** With a vector for each of these passages, that had none. Throws `RangeError` for other widths. */
  filled(passages: readonly number[], rows: readonly Float32Array[]): DenseIndex {
    const vectors = this.vectors.slice();
    passages.forEach((passage, i) => vectors.set(normalised(rows[i]!, this.width), passage * this.width));
    return new DenseIndex(this.modelHash, this.width, vectors, this.graph);
  }

  /** The best `limit` accepted passages with a positive cosine; of what is not accepted no score is computed. */
  search(query: Float32Array, limit: number, accepts?: Accepts): Hit[] {
    const unit = normalised(query, this.width);
    const accepted = accepts && remembered(accepts, this.size);
    const near = this.graph && this.#walked(this.graph, unit, limit, accepted);
    if (near === null) return this.searchExactly(query, limit, accepted);
    const top = new Top(limit);
    this.#offerEach(this.#loose, unit, top, accepted);
    for (let i = 0; i < near.length; i++) if (near.scores[i]! > 0) top.offer(near.nodes[i]!, near.scores[i]!);
    return top.hits;
  }

  /** The same, with every accepted passage scored. */
  searchExactly(query: Float32Array, limit: number, accepts?: Accepts): Hit[] {
    const top = new Top(limit);
    this.#offerEach({ length: this.size }, normalised(query, this.width), top, accepts);
    return top.hits;
  }

  /** The cosine of a passage with a unit vector. */
  score(passage: number, query: Float32Array): number {
    return dot(this.vectors, passage * this.width, query, 0, this.width);
  }

  /** Of all passages, or of those that are named. */
  #offerEach(
    passages: Uint32Array | { readonly length: number },
    unit: Float32Array,
    top: Top,
    accepts?: Accepts,
  ): void {
    for (let i = 0; i < passages.length; i++) {
      const passage = passages instanceof Uint32Array ? passages[i]! : i;
      if (accepts !== undefined && !accepts(passage)) continue;
      const score = this.score(passage, unit);
      if (score > 0) top.offer(passage, score);
    }
  }

  /** Null where exact search is the better one: few are accepted, or the walk has not found so many. */
  #walked(graph: Graph, unit: Float32Array, limit: number, accepts: Accepts | undefined): Beam | null {
    const start = accepts === undefined ? graph.entry : highestOf(graph, accepts);
    if (start < 0) return null;
    this.#seen ??= new Seen(this.size);
    const walk = { graph, seen: this.#seen, score: (passage: number) => this.score(passage, unit), accepts };
    const beam = new Beam(Math.max(SEARCH_WIDTH, 2 * limit));
    descend(walk, start, 1, beam, DESCENT_WIDTH);
    // From there everything is reached.
    if (!beam.has(start)) beam.offer(start, walk.score(start));
    walkLevel(walk, 0, beam);
    return beam.length < Math.min(limit, graph.size - this.#loose.length) ? null : beam;
  }
}

/** Of what is accepted the first one on the highest level; -1 where too little is accepted. */
function highestOf({ levels }: Graph, accepts: Accepts): number {
  let [accepted, best, highest] = [0, -1, 0];
  for (let passage = 0; passage < levels.length; passage++) {
    if (levels[passage] === 0 || !accepts(passage)) continue;
    accepted++;
    if (levels[passage]! > highest) [best, highest] = [passage, levels[passage]!];
  }
  return accepted * FEW_ACCEPTED < levels.length ? -1 : best;
}

function normalised(row: Float32Array, width: number): Float32Array {
  const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  if (row.length !== width || !Number.isFinite(length)) throw new RangeError(`a vector has ${width} finite numbers`);
  return length === 0 ? row : row.map((value) => value / length);
}
