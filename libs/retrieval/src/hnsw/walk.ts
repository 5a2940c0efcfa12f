import type { Accepts } from '../top.js';
import { Beam, type Seen } from './beam.js';
import type { Graph } from './graph.js';

/** What a walk needs: how near a passage is to what is sought, the nearer the higher, and whether it may be looked at. */
export interface Walk {
  readonly graph: Graph;
  readonly seen: Seen;
  readonly score: (node: number) => number;
  readonly accepts?: Accepts | undefined;
}

/**
 * From what is in the beam to the nearest on a level: what stays in the beam has been looked around from. Through one that
 * is not accepted the walk goes on to its links, and computes no score of it.
 */
export function walkLevel({ graph, seen, score, accepts }: Walk, level: number, beam: Beam): void {
  const array = graph.array(level);
  seen.clear();
  for (let i = 0; i < beam.length; i++) seen.add(beam.nodes[i]!);
  beam.restart();
  for (let from = beam.next(); from !== -1; from = beam.next()) {
    const at = graph.at(from, level);
    const end = at + array[at]!;
    for (let i = at + 1; i <= end; i++) {
      const node = array[i]!;
      if (!seen.add(node)) continue;
      if (accepts === undefined || accepts(node)) beam.offer(node, score(node));
      else walkThrough(node, accepts);
    }
  }

  function walkThrough(node: number, accepted: Accepts): void {
    const at = graph.at(node, level);
    const end = at + array[at]!;
    for (let i = at + 1; i <= end; i++) {
      const next = array[i]!;
      if (accepted(next) && seen.add(next)) beam.offer(next, score(next));
    }
  }
}

/** Down from a passage, level by level, to the `width` nearest on level `to`: they are in the beam then. */
export function descend(walk: Walk, from: number, to: number, beam: Beam, width: number): void {
  const nearest = new Beam(width);
  nearest.offer(from, walk.score(from));
  for (let level = walk.graph.levels[from]! - 1; level >= to; level--) walkLevel(walk, level, nearest);
  beam.clear();
  for (let i = 0; i < nearest.length; i++) beam.offer(nearest.nodes[i]!, nearest.scores[i]!);
}
