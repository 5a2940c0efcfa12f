import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { decodeIndex, encodeIndex } from '../codec/index-codec.js';
import { DenseIndex, MOST_EXACT } from '../dense.js';
import { RetrievalIndex } from '../retrieval-index.js';
import type { Accepts } from '../top.js';
import { Beam } from './beam.js';
import { BASE_ROOM, Graph, levelOf, ROOM } from './graph.js';

const WIDTH = 32;
const SIZE = 1_500;

/** Heaps of vectors, as texts of a few subjects have them; the same for the same seed. */
function heaps(seed: number, size: number, subjects = 30) {
  let state = seed;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
  const around = (centre: Float32Array, far: number): Float32Array =>
    centre.map((value) => value + far * (next() + next() + next()));
  const centres = Array.from({ length: subjects }, () => around(new Float32Array(WIDTH), 1));
  const near = (i: number): Float32Array => around(centres[i % subjects]!, 0.5);
  return {
    rows: Array.from({ length: size }, (_, i) => near(i)),
    queries: Array.from({ length: 40 }, (_, i) => near(i * 7)),
  };
}

/** Of the ten that exact search finds, the part that is found. */
function recallOf(index: DenseIndex, queries: readonly Float32Array[], accepts?: Accepts): number {
  const parts = queries.map((query) => {
    const nearest = new Set(index.searchExactly(query, 10, accepts).map(({ passage }) => passage));
    return index.search(query, 10, accepts).filter(({ passage }) => nearest.has(passage)).length / nearest.size;
  });
  return parts.reduce((sum, part) => sum + part, 0) / parts.length;
}

/** What must hold of every graph. */
function expectWhole(index: DenseIndex): void {
  const graph = index.graph!;
  const isReached = graph.reached();
  for (let node = 0; node < graph.size; node++) {
    if (graph.levels[node] === 0) continue;
    if (isReached[node] === 0) throw new Error(`${node} is not reached`);
    for (let level = 0; level < graph.levels[node]!; level++) {
      const links = [...graph.links(node, level)];
      const isGood = links.every(
        (to, i) => to !== node && graph.levels[to]! > level && (i === 0 || to > links[i - 1]!),
      );
      if (!isGood || links.length > (level === 0 ? BASE_ROOM : ROOM)) throw new Error(`the links of ${node}`);
    }
  }
}

const HEAPS = heaps(7, SIZE);
const EXACT = DenseIndex.of('aa', HEAPS.rows);
const LINKED = EXACT.linked();
const withTexts = (dense: DenseIndex): RetrievalIndex =>
  RetrievalIndex.of(Array.from({ length: dense.size }, () => 'wax')).with({ dense });
const all = Array.from({ length: SIZE }, (_, i) => i);

describe('a graph of vectors', () => {
  it.each([3, 11, 2_024])('finds what exact search finds, and reaches everything (seed %i)', (seed) => {
    const { rows, queries } = heaps(seed, SIZE, seed);
    const index = DenseIndex.of('aa', rows).linked();
    expectWhole(index);
    expect(index.graph!.count).toBe(SIZE);
    expect(recallOf(index, queries)).toBeGreaterThanOrEqual(0.97);
  });

  it('does not score all of them', () => {
    const score = jest.spyOn(DenseIndex.prototype, 'score');
    try {
      const [query] = HEAPS.queries;
      const hits = LINKED.search(query!, 10);
      expect(score.mock.calls.length).toBeLessThan(0.6 * SIZE);
      expect(hits).toEqual(EXACT.search(query!, 10));
    } finally {
      jest.restoreAllMocks();
    }
  });

  it('is the same each time', () => {
    expect(EXACT.linked().graph).toEqual(LINKED.graph);
  });

  it('has other levels where any vector is another: who knows his own cannot choose theirs', () => {
    const others = DenseIndex.of('aa', HEAPS.rows.with(0, HEAPS.rows[0]!.map((value) => -value))); // prettier-ignore
    expect([...others.linked().graph!.levels]).not.toEqual([...LINKED.graph!.levels]);
  });

  it.each([1, 2_024])('has about one of twelve on each next level (salt %i)', (salt) => {
    const levels = Array.from({ length: 60_000 }, (_, i) => levelOf(salt, i));
    const from = (level: number): number => levels.filter((one) => one >= level).length;
    // 60,000 / 12 = 5,000 and 60,000 / 144 = 417, within five standard deviations: 340 and 102.
    expect(Math.abs(from(2) - 5_000)).toBeLessThan(340);
    expect(Math.abs(from(3) - 417)).toBeLessThan(102);
  });

  it('has none without a vector in it, be its zeros negative', () => {
    const zeros = [0, -0].map((zero) => new Float32Array(WIDTH).fill(zero));
    const index = DenseIndex.of('aa', [...zeros, ...HEAPS.rows.slice(0, 40)]).linked();
    expect([...index.graph!.levels.subarray(0, 3)]).toEqual([0, 0, expect.any(Number)]);
    expect(index.graph!.count).toBe(40);
    expect(index.missing).toEqual([0, 1]);
  });

  it('is not taken up by many copies of one text, however that text was chosen', () => {
    // Where a level followed from the vector, this one was on the fourth, and three of four of the others were not found.
    const [chosen] = heaps(2_850, 1, 1).rows;
    const rows = HEAPS.rows.flatMap((row, i) => (i % 6 === 0 ? [chosen!, row] : [row]));
    const index = DenseIndex.of('aa', rows).linked();
    expectWhole(index);
    const copies = index.graph!.levels.filter((_, i) => rows[i] === chosen);
    expect(new Set(copies).size).toBeGreaterThan(1);
    expect(recallOf(index, HEAPS.queries)).toBeGreaterThanOrEqual(0.95);
  });

  it('reaches each of many that are the same', () => {
    const same = Array.from({ length: 400 }, () => HEAPS.rows[0]!);
    const index = DenseIndex.of('aa', [...same, ...HEAPS.rows.slice(1, 300)]).linked();
    expectWhole(index);
    expect(index.graph!.count).toBe(699);
    expect(recallOf(index, HEAPS.queries.slice(1, 20))).toBeGreaterThan(0.9);
  });

  it('is chosen by size, and of vectors that are wide enough', () => {
    const zeros = (size: number, width = 8): DenseIndex => new DenseIndex('aa', width, new Float32Array(size * width));
    expect([MOST_EXACT, zeros(MOST_EXACT).wantsGraph, zeros(MOST_EXACT + 1).wantsGraph]).toEqual([
      100_000,
      false,
      true,
    ]);
    expect(zeros(MOST_EXACT + 1, 4).wantsGraph).toBe(false);
    expect(zeros(10, 4).linked().graph).toBeNull();
    expect(zeros(0).linked().graph).toBeNull();
    const empty = zeros(MOST_EXACT + 1).withGraph(Graph.of(new Uint8Array(MOST_EXACT + 1)));
    const everything = Array.from({ length: MOST_EXACT + 1 }, (_, i) => i);
    expect(empty.patched(everything).graph).not.toBeNull();
    expect(empty.patched(everything.slice(1)).graph).toBeNull();
    expect(() => zeros(3).withGraph(Graph.of(new Uint8Array(4)))).toThrow(RangeError);
  });
});

describe('a search by the graph, with a filter', () => {
  it.each([2, 3, 7])('never scores what is not accepted (one of %i), and finds what is', (share) => {
    const accepts = (passage: number): boolean => passage % share === 1;
    const score = jest.spyOn(DenseIndex.prototype, 'score');
    try {
      for (const query of HEAPS.queries) LINKED.search(query, 10, accepts);
      expect(score.mock.calls.length).toBeGreaterThan(0);
      expect(score.mock.calls.every(([passage]) => accepts(passage))).toBe(true);
    } finally {
      jest.restoreAllMocks();
    }
    expect(recallOf(LINKED, HEAPS.queries, accepts)).toBeGreaterThanOrEqual(0.95);
  });

  it('is exact where few are accepted, and finds nothing where none is', () => {
    const accepts = (passage: number): boolean => passage % 50 === 4;
    for (const query of HEAPS.queries)
      expect(LINKED.search(query, 10, accepts)).toEqual(EXACT.searchExactly(query, 10, accepts));
    expect(LINKED.search(HEAPS.queries[0]!, 10, () => false)).toEqual([]);
  });

  it('is exact where the walk does not find so many', () => {
    // Accepted are two ends of a chain: from one the other is not reached.
    const size = 40;
    const chain = Graph.of(new Uint8Array(size).fill(1));
    for (let node = 0; node + 1 < size; node++) chain.addLink(node, 0, node + 1);
    const index = DenseIndex.of('aa', HEAPS.rows.slice(0, size)).withGraph(chain);
    const accepts = (passage: number): boolean => passage < 10 || passage > 30;
    expect(index.search(HEAPS.rows[35]!, 12, accepts)).toEqual(index.searchExactly(HEAPS.rows[35]!, 12, accepts));
  });
});

describe('a patched graph', () => {
  it('has nothing of what has left: no place, no link, and the rest is reached', () => {
    const kept = all.filter((i) => i % 11 !== 0 && i !== LINKED.graph!.entry);
    const patched = LINKED.patched(kept);
    expectWhole(patched);
    expect(patched.graph!.count).toBe(kept.length);
    expect(patched.graph!.left).toBe(SIZE - kept.length);
    // A link that is left leads where it led, but for the few that tie in what would be lost.
    let others = 0;
    kept.forEach((old, now) => {
      const before = new Set(LINKED.graph!.links(old, 0));
      others += [...patched.graph!.links(now, 0)].filter((to) => !before.has(kept[to]!)).length;
    });
    expect(others).toBeLessThan(kept.length / 100);
    expect(recallOf(patched, HEAPS.queries)).toBeGreaterThanOrEqual(0.95);
  });

  it('is dropped when a tenth has left, in one step or in several', () => {
    const without = (of: readonly number[], every: number) => of.filter((_, i) => i % every !== 0);
    expect(LINKED.patched(without(all, 9)).graph).toBeNull();
    const once = LINKED.patched(without(all, 20));
    expect(once.graph).not.toBeNull();
    const rest = Array.from({ length: once.size }, (_, i) => i);
    expect(once.patched(without(rest, 15)).graph).toBeNull();
    expect(once.patched(without(rest, 15)).linked().graph!.left).toBe(0);
  });

  it('finds what has come at once, before it is tied in, and after', () => {
    const { rows } = heaps(99, 60);
    const patched = LINKED.patched([...rows.map(() => 'new'), ...all]);
    expect(patched.missing).toHaveLength(60);
    const places = rows.map((_, i) => i);
    const filled = patched.filled(places, rows);
    expect(filled.graph!.count).toBe(SIZE);
    expect(filled.wantsGraph).toBe(false);
    rows.forEach((row, i) => expect(filled.search(row, 1)[0]!.passage).toBe(i));
    const tied = filled.linked();
    expect(tied.graph!.count).toBe(SIZE + 60);
    expectWhole(tied);
    rows.forEach((row, i) => expect(tied.search(row, 1)[0]!.passage).toBe(i));
    expect(recallOf(tied, HEAPS.queries)).toBeGreaterThanOrEqual(0.97);
  });

  it('stays as it is where nothing changes but the order', () => {
    const turned = LINKED.patched(all.toReversed());
    expectWhole(turned);
    for (const query of HEAPS.queries.slice(0, 5)) {
      const back = turned.search(query, 10).map(({ passage }) => SIZE - 1 - passage);
      expect(back).toEqual(LINKED.search(query, 10).map(({ passage }) => passage));
    }
  });
});

const ones = (): Uint8Array => new Uint8Array(60).fill(1);

describe('a graph as bytes', () => {
  const small = DenseIndex.of('aa', HEAPS.rows.slice(0, 60)).linked();
  const bytes = encodeIndex(withTexts(small));
  const graphStart = encodeIndex(withTexts(DenseIndex.of('aa', HEAPS.rows.slice(0, 60)))).length;

  it('comes back as it was', () => {
    const back = decodeIndex(encodeIndex(withTexts(LINKED)))!;
    expect(back.dense).toEqual(withTexts(LINKED).dense);
    for (const query of HEAPS.queries.slice(0, 5))
      expect(back.dense!.search(query, 10)).toEqual(LINKED.search(query, 10));
  });

  it('changed, cut or inserted into: refused, or another graph of exactly these bytes that a search comes out of', () => {
    const put = fc.record({
      at: fc.integer({ min: graphStart - 1, max: bytes.length - 1 }),
      cut: fc.nat(2),
      put: fc.uint8Array({ maxLength: 2 }),
    });
    let whole = 0;
    fc.assert(
      fc.property(put, ({ at, cut, put: added }) => {
        const hostile = Uint8Array.from([...bytes.subarray(0, at), ...added, ...bytes.subarray(at + cut)]);
        const index = decodeIndex(hostile);
        if (index === null) return;
        whole++;
        expect(Buffer.compare(encodeIndex(index), hostile)).toBe(0);
        if (index.dense!.graph !== null) expectWhole(index.dense!);
        expect(index.dense!.search(HEAPS.queries[0]!, 10)).toHaveLength(10);
      }),
      { numRuns: 600, seed: 5 },
    );
    expect(whole).toBeGreaterThan(0);
  });

  const made = (change: (graph: Graph) => void, levels = ones()): RetrievalIndex | null => {
    const graph = Graph.of(levels);
    for (let node = 0; node < 60; node++) graph.addLink(node, 0, (node + 1) % 60);
    change(graph);
    return decodeIndex(encodeIndex(withTexts(small.withGraph(graph))));
  };

  it('in which links go round is read, and searched to an end', () => {
    expect(made(() => undefined)!.dense!.search(HEAPS.queries[0]!, 10)).toHaveLength(10);
  });

  it.each<[string, (graph: Graph) => void, Uint8Array]>([
    ['to itself', (graph) => graph.setLinks(5, 0, [5, 6]), ones()],
    ['to what is not there', (graph) => graph.setLinks(5, 0, [6, 60]), ones()],
    ['to what is not in the graph', (graph) => graph.setLinks(5, 0, [6, 9]), ones().fill(0, 9, 10)],
    ['twice', (graph) => graph.setLinks(5, 0, [6, 6]), ones()],
    ['not to all', (graph) => graph.setLinks(5, 0, [4]), ones()],
    ['on a level that the other is not on', (graph) => graph.setLinks(5, 1, [6]), ones().fill(2, 5, 6)],
    ['on more levels than there are', () => undefined, ones().fill(9, 5, 6)],
  ])('that links %s is refused', (_what, change, levels) => {
    expect(made(change, levels)).toBeNull();
  });

  it('of vectors that are smaller than their links is refused: few bytes would ask for much memory', () => {
    const narrow = DenseIndex.of('aa', HEAPS.rows.slice(0, 3).map((row) => row.subarray(0, 4))); // prettier-ignore
    const graph = Graph.of(new Uint8Array(3));
    expect(decodeIndex(encodeIndex(withTexts(narrow)))).not.toBeNull();
    expect(decodeIndex(encodeIndex(withTexts(narrow.withGraph(graph))))).toBeNull();
  });
});

describe('the beam of a walk', () => {
  it('keeps the best, in order, and gives each once, whatever comes between', () => {
    const step = fc.option(fc.integer({ min: 0, max: 9 }), { freq: 3 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (steps, width) => {
        const beam = new Beam(width);
        const given = new Set<number>();
        let expected: { node: number; score: number }[] = [];
        steps.forEach((score, node) => {
          if (score !== null) {
            beam.offer(node, score);
            expected.push({ node, score });
            expected = expected.sort((a, b) => b.score - a.score || a.node - b.node).slice(0, width);
            return;
          }
          const next = expected.find((one) => !given.has(one.node))?.node ?? -1;
          expect(beam.next()).toBe(next);
          given.add(next);
        });
        expect([...beam.nodes.subarray(0, beam.length)]).toEqual(expected.map(({ node }) => node));
      }),
    );
  });
});
