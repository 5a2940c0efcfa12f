import { Beam, Seen } from './beam.js';
import { BASE_LINKS, Graph, levelOf, LINKS, roomOf, saltOf } from './graph.js';
import { descend, walkLevel, type Walk } from './walk.js';

/** Unit vectors, row-major. */
export interface Rows {
  readonly vectors: Float32Array;
  readonly width: number;
}

/** How many near ones are looked for when a node is tied in: more find better links, and take longer. */
const BUILD_WIDTH = 64;
/** Of narrower vectors a few bytes of a stored graph would ask for many times their memory. */
export const LEAST_WIDTH = 8;
/** When so great a part of it has left, what is left is tied too loosely. */
const MOST_LEFT = 0.1;

/**
 * A graph of all that have a vector: the one that is there with what is new tied in, or one built anew. The same vectors
 * and the same graph give the same one. Null where it cannot be: too narrow, or, which did not come up, no place left where
 * a lost one could be tied in.
 */
export function linked(rows: Rows, known: Graph | null): Graph | null {
  const size = rows.width < LEAST_WIDTH ? 0 : rows.vectors.length / rows.width;
  if (size === 0) return null;
  const salt = saltOf(rows.vectors);
  const levels = Uint8Array.from({ length: size }, (_, node) => {
    const level = known?.levels[node] ?? 0;
    if (level > 0) return level;
    return hasVector(rows, node) ? levelOf(salt, node) : 0;
  });
  const graph = Graph.of(levels, known?.left ?? 0);
  if (known !== null) graph.take(known, (node) => node);
  const builder = new GraphBuilder(rows, graph, known?.entry ?? -1);
  for (let node = 0; node < size; node++) if (levels[node]! > 0 && !known?.levels[node]) builder.insert(node);
  return builder.finished();
}

/**
 * The graph of what stays, at its new numbers: no link, no number and no level of what leaves is in it. Which links the
 * others have was decided while it was there. Null when too much has left since it was built.
 */
export function withoutLeavers(rows: Rows, known: Graph, numbers: Int32Array, size: number): Graph | null {
  const levels = new Uint8Array(size);
  let left = known.left;
  for (let node = 0; node < known.size; node++) {
    if (numbers[node]! >= 0) levels[numbers[node]!] = known.levels[node]!;
    else if (known.levels[node]! > 0) left++;
  }
  const graph = Graph.of(levels, left);
  if (left > MOST_LEFT * (graph.count + left)) return null;
  graph.take(known, (node) => numbers[node]!);
  return new GraphBuilder(rows, graph, graph.entry).finished();
}

/** What has none, all zeros, has no place in a graph. */
export const hasVector = ({ vectors, width }: Rows, node: number): boolean =>
  vectors.subarray(node * width, (node + 1) * width).some((value) => value !== 0);

/** Ties nodes into a graph whose levels are set, those of nodes to come, too. */
class GraphBuilder {
  readonly #rows: Rows;
  readonly #graph: Graph;
  readonly #seen: Seen;
  readonly #beam = new Beam(BUILD_WIDTH);
  #entry: number;

  constructor(rows: Rows, graph: Graph, entry: number) {
    this.#rows = rows;
    this.#graph = graph;
    this.#seen = new Seen(graph.size);
    this.#entry = entry;
  }

  insert(node: number): void {
    const { levels } = this.#graph;
    const own = levels[node]! - 1;
    const highest = this.#entry < 0 ? -1 : levels[this.#entry]! - 1;
    if (highest >= 0) this.#tie(node, Math.min(own, highest));
    if (own > highest) this.#entry = node;
  }

  /** To its nearest, and them to it, on every level up to this one. */
  #tie(node: number, highest: number): void {
    const beam = this.#lookFor(node, highest);
    for (let level = highest; level >= 0; level--) {
      walkLevel(this.#walkTo(node), level, beam);
      const links = this.#chosen(beam.nodes.subarray(0, beam.length), beam.scores, LINKS);
      this.#graph.setLinks(node, level, links);
      for (const other of links) this.#link(other, node, level);
    }
  }

  /** Null where something stays out of reach. */
  finished(): Graph | null {
    const graph = this.#graph;
    const isReached = graph.reached();
    for (let node = 0; node < graph.size; node++) {
      if (graph.levels[node] === 0 || isReached[node] === 1) continue;
      if (!this.#tieIn(node, isReached)) return null;
      graph.reachFrom(node, isReached);
    }
    for (let node = 0; node < graph.size; node++)
      for (let level = 0; level < graph.levels[node]!; level++) graph.links(node, level).sort();
    return graph;
  }

  /** The nearest that is in reach and has room gets a link to it. */
  #tieIn(node: number, isReached: Uint8Array): boolean {
    const beam = this.#lookFor(node, 0);
    if (!beam.has(this.#entry)) beam.offer(this.#entry, this.#near(node, this.#entry));
    walkLevel(this.#walkTo(node), 0, beam);
    const near = [...beam.nodes.subarray(0, beam.length)].find(
      (other) => isReached[other] === 1 && this.#hasRoom(other),
    );
    const other = near ?? isReached.findIndex((reached, one) => reached === 1 && this.#hasRoom(one));
    if (other < 0) return false;
    this.#graph.addLink(other, 0, node);
    return true;
  }

  #hasRoom(node: number): boolean {
    return this.#graph.links(node, 0).length < roomOf(0);
  }

  /** A beam that begins near the node, above the level. */
  #lookFor(node: number, level: number): Beam {
    descend(this.#walkTo(node), this.#entry, level + 1, this.#beam, 1);
    return this.#beam;
  }

  #walkTo(node: number): Walk {
    return { graph: this.#graph, seen: this.#seen, score: (other) => this.#near(node, other) };
  }

  #near(one: number, other: number): number {
    const { vectors, width } = this.#rows;
    return dot(vectors, one * width, vectors, other * width, width);
  }

  #link(from: number, to: number, level: number): void {
    const links = this.#graph.links(from, level);
    if (links.length < roomOf(level)) return this.#graph.addLink(from, level, to);
    const near = [...links, to].map((node) => ({ node, score: this.#near(from, node) }));
    near.sort((a, b) => b.score - a.score || a.node - b.node);
    const most = level === 0 ? BASE_LINKS : LINKS;
    const kept = this.#chosen(near.map(({ node }) => node), near.map(({ score }) => score), most); // prettier-ignore
    this.#graph.setLinks(from, level, kept);
  }

  /**
   * Of candidates, the nearest first, those that no chosen one is nearer to than the node itself, so that links lead in all
   * directions (algorithm 4 of the paper); the rest is filled up with the nearest.
   */
  #chosen(nodes: ArrayLike<number>, scores: ArrayLike<number>, most: number): number[] {
    const chosen: number[] = [];
    const others: number[] = [];
    for (let i = 0; i < nodes.length && chosen.length < most; i++) {
      const node = nodes[i]!;
      const isHidden = chosen.some((other) => this.#near(node, other) >= scores[i]!);
      (isHidden ? others : chosen).push(node);
    }
    return [...chosen, ...others].slice(0, most);
  }
}

/** Four sums, so that one addition need not wait for another. */
export function dot(one: Float32Array, from: number, other: Float32Array, at: number, width: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < width; i += 4) {
    a += one[from + i]! * other[at + i]!;
    b += one[from + i + 1]! * other[at + i + 1]!;
    c += one[from + i + 2]! * other[at + i + 2]!;
    d += one[from + i + 3]! * other[at + i + 3]!;
  }
  for (; i < width; i++) a += one[from + i]! * other[at + i]!;
  return a + b + c + d;
}
