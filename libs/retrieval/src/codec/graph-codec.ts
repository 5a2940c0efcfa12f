import { Graph, MOST_LEVEL, roomOf } from '../hnsw/graph.js';
import { LEAST_WIDTH } from '../hnsw/build.js';
import { BrokenBytes, type ByteReader, type ByteWriter } from './bytes.js';

/** Levels first, so that whoever reads knows what a link may lead to; links ascend, each by how far it is from the last. */
export function writeGraph(writer: ByteWriter, graph: Graph): void {
  writer.number(graph.left);
  writer.raw(graph.levels);
  for (let node = 0; node < graph.size; node++) {
    for (let level = 0; level < graph.levels[node]!; level++) {
      const links = graph.links(node, level);
      writer.number(links.length);
      let next = 0;
      for (const to of links) {
        writer.number(to - next);
        next = to + 1;
      }
    }
  }
}

/** A graph in which every link leads to a passage of its level and every passage is reached. */
export function readGraph(reader: ByteReader, size: number, width: number): Graph {
  // Where vectors take less than links, few bytes would ask for much memory.
  if (width < LEAST_WIDTH) throw new BrokenBytes();
  const left = reader.number(0, 2 ** 32 - 1);
  const levels = reader.raw(size).slice();
  if (levels.some((level) => level > MOST_LEVEL + 1)) throw new BrokenBytes();
  const graph = Graph.of(levels, left);
  for (let node = 0; node < size; node++) {
    for (let level = 0; level < levels[node]!; level++) readLinks(reader, graph, node, level);
  }
  const isReached = graph.reached();
  if (levels.some((level, node) => level > 0 && isReached[node] === 0)) throw new BrokenBytes();
  return graph;
}

function readLinks(reader: ByteReader, graph: Graph, node: number, level: number): void {
  const count = reader.number(0, Math.min(roomOf(level), graph.size));
  let next = 0;
  for (let i = 0; i < count; i++) {
    const to = next + reader.number(0, graph.size - 1 - next);
    if (to === node || graph.levels[to]! <= level) throw new BrokenBytes();
    graph.addLink(node, level, to);
    next = to + 1;
  }
}
