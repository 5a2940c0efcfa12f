/** Links that a new node is given on a level, and those that a list is cut to when its room is used up. */
export const LINKS = 12;
export const BASE_LINKS = 2 * LINKS;
/** The most links of a node: more than it is given, so that a list is cut seldom and what is lost can be tied in again. */
export const ROOM = 16;
export const BASE_ROOM = 32;
export const MOST_LEVEL = 6;

/** The arrays that a graph is; they can be given from process to process. */
export interface GraphLinks {
  /** For each passage the highest level that it is on, plus one; 0 for one that is not in the graph. */
  readonly levels: Uint8Array;
  /** For each passage a block of `1 + BASE_ROOM`: how many links it has on level 0, then whereto. */
  readonly base: Uint32Array;
  /** For each passage a block of `1 + ROOM` for each of its levels above. */
  readonly upper: Uint32Array;
  /** How many passages have left since it was built. */
  readonly left: number;
}

/**
 * Links between passages that lie close, on a few levels (HNSW: Malkov and Yashunin 2018, arXiv 1603.09320): all are on
 * level 0, one of twelve on the next, and so on. From the entry every passage of the graph is reached on level 0.
 */
export class Graph implements GraphLinks {
  readonly levels: Uint8Array;
  readonly base: Uint32Array;
  readonly upper: Uint32Array;
  readonly left: number;
  /** Where each passage's blocks begin in `upper`. */
  readonly #starts: Uint32Array;

  constructor({ levels, base, upper, left }: GraphLinks) {
    this.levels = levels;
    this.base = base;
    this.upper = upper;
    this.left = left;
    this.#starts = new Uint32Array(levels.length);
    let start = 0;
    for (let node = 0; node < levels.length; node++) {
      this.#starts[node] = start;
      start += blocksAbove(levels[node]!) * (ROOM + 1);
    }
  }

  /** Without links. */
  static of(levels: Uint8Array, left = 0): Graph {
    const blocks = levels.reduce((sum, level) => sum + blocksAbove(level), 0);
    return new Graph({
      levels,
      base: new Uint32Array(levels.length * (BASE_ROOM + 1)),
      upper: new Uint32Array(blocks * (ROOM + 1)),
      left,
    });
  }

  get size(): number {
    return this.levels.length;
  }

  /** How many passages are in it. */
  get count(): number {
    return this.levels.reduce((sum, level) => sum + (level > 0 ? 1 : 0), 0);
  }

  /** Of those on the highest level the first; -1 where there is none. */
  get entry(): number {
    let entry = -1;
    let highest = 0;
    for (let node = 0; node < this.size; node++) {
      if (this.levels[node]! > highest) [entry, highest] = [node, this.levels[node]!];
    }
    return entry;
  }

  /** The array that has the links of a level, */
  array(level: number): Uint32Array {
    return level === 0 ? this.base : this.upper;
  }

  /** and where in it those of a passage begin: their number, then they. */
  at(node: number, level: number): number {
    return level === 0 ? node * (BASE_ROOM + 1) : this.#starts[node]! + (level - 1) * (ROOM + 1);
  }

  links(node: number, level: number): Uint32Array {
    const [array, at] = [this.array(level), this.at(node, level)];
    return array.subarray(at + 1, at + 1 + array[at]!);
  }

  setLinks(node: number, level: number, links: ArrayLike<number>): void {
    const [array, at] = [this.array(level), this.at(node, level)];
    array[at] = links.length;
    array.set(links, at + 1);
    array.fill(0, at + 1 + links.length, at + 1 + roomOf(level));
  }

  addLink(node: number, level: number, to: number): void {
    const [array, at] = [this.array(level), this.at(node, level)];
    const count = array[at]! + 1;
    array[at] = count;
    array[at + count] = to;
  }

  /** The links of another graph, at the numbers that its passages have here; those to what is not here (-1) are left out. */
  take(other: Graph, numberOf: (node: number) => number): void {
    for (let node = 0; node < other.size; node++) {
      const number = numberOf(node);
      if (number < 0) continue;
      for (let level = 0; level < other.levels[node]!; level++) {
        for (const to of other.links(node, level)) if (numberOf(to) >= 0) this.addLink(number, level, numberOf(to));
      }
    }
  }

  /** Which passages are reached from the entry. */
  reached(): Uint8Array {
    const isReached = new Uint8Array(this.size);
    if (this.entry >= 0) this.reachFrom(this.entry, isReached);
    return isReached;
  }

  /** Marks what is reached from a passage and was not yet. */
  reachFrom(node: number, isReached: Uint8Array): void {
    const open = [node];
    isReached[node] = 1;
    for (let from = open.pop(); from !== undefined; from = open.pop()) {
      for (const to of this.links(from, 0)) {
        if (isReached[to] === 1) continue;
        isReached[to] = 1;
        open.push(to);
      }
    }
  }
}

const blocksAbove = (level: number): number => Math.max(0, level - 1);

export const roomOf = (level: number): number => (level === 0 ? BASE_ROOM : ROOM);

/** Of all vectors together: whoever knows only some of them cannot tell what it is. */
export function saltOf(vectors: Float32Array): number {
  let hash = 0x811c9dc5;
  for (const word of new Uint32Array(vectors.buffer, vectors.byteOffset, vectors.length)) {
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

/**
 * One of twelve is on each next level, which of them nobody can choose: by their vectors alone, those that are the same
 * would all be on one level, and somebody who looks for a text whose vector is on a high one could fill it with copies, from
 * which no link leads to anybody else.
 */
export function levelOf(salt: number, node: number): number {
  let hash = Math.imul(salt ^ Math.imul(node + 1, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  const even = (hash ^ (hash >>> 16)) >>> 0;
  let level = 0;
  for (let limit = 2 ** 32 / LINKS; even < limit && level < MOST_LEVEL; limit /= LINKS) level++;
  return level + 1;
}
