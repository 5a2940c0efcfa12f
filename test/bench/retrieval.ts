/**
 * `npm run -s bench:retrieval`: how well passages are found (the project's own test collection), and what an index costs:
 * to make, as bytes, to load, to patch and to search, at 1,000 to 100,000 passages of made-up words. Vectors are random:
 * their figures are of time only. And what the graph of more vectors than are searched exactly finds of what exact search
 * finds, and in which part of its time. Times are processor time.
 *
 * With `BENCH_GRAPH_WIDTH=384` only the graphs are measured, at that width: it takes as much longer to build them.
 */
import { decodeIndex, DenseIndex, encodeIndex, evaluate, LsaIndex, RetrievalIndex, WAYS } from '@usufruct/retrieval';
import { ownText } from '../retrieval/collection.ts';
import { percentile, progress, report, target, type Target } from './report.ts';

const SIZES = [1_000, 10_000, 100_000];
const WORDS = 60_000;
const WORDS_A_PASSAGE = 120;
const WIDTH = 384;
const QUESTIONS = 30;
/** Above what is searched exactly. */
const GRAPH_SIZE = 120_000;
const ONLY_GRAPHS_OF = process.env['BENCH_GRAPH_WIDTH'];
const GRAPH_WIDTH = Number(ONLY_GRAPHS_OF ?? 64);
/** Vectors of texts fill few of their dimensions: so many numbers decide about all of one. */
const FEW_DIMENSIONS = 24;
const HEAP = 100;
/** Nothing is near anything: the worst that a graph can be given, and like no text. */
const UNIFORM_SIZE = 20_000;
const GRAPH_QUESTIONS = 100;

let state = 12_345;
const next = (): number => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
};
const LETTERS = 'bcdfghjklmnpqrstvwxz';
const word = (rank: number): string => [...rank.toString(20)].map((digit) => LETTERS[parseInt(digit, 20)]).join('a');
/** Frequent words are frequent (Zipf), and half of a passage is of its subject. */
const zipf = (): number => Math.min(WORDS - 1, Math.floor(Math.exp(next() * Math.log(WORDS))));
const passage = (subject: number): string =>
  Array.from({ length: WORDS_A_PASSAGE }, () =>
    word(next() < 0.5 ? zipf() : (zipf() * 31 + subject * 977) % WORDS),
  ).join(' ');

/** By the processor's clock: the same on a busy machine, and one thread does it all but collecting garbage. */
function timed<T>(run: () => T): { value: T; ms: number } {
  const before = process.cpuUsage();
  const value = run();
  const { user, system } = process.cpuUsage(before);
  return { value, ms: Math.round((user + system) / 100) / 10 };
}

function quality(): object[] {
  const collection = ownText();
  const lexical = RetrievalIndex.of(collection.passages.map(({ text }) => text));
  const index = lexical.with({ lsa: LsaIndex.fit(lexical.bm25.matrix) });
  return (['bm25', 'lsa', 'fused'] as const).map((way) => {
    const measured = Object.entries(evaluate(collection, index, WAYS[way]));
    const rounded = Object.fromEntries(measured.map(([name, value]) => [name, Number(value.toFixed(4))]));
    return { collection: 'own-text', queries: collection.queries.length, way, ...rounded };
  });
}

function costs(size: number): { result: object; targets: Target[] } {
  progress(`${size} passages`);
  const texts = Array.from({ length: size }, (_, i) => passage(i % 50));
  const bm25 = timed(() => RetrievalIndex.of(texts));
  const lsa = timed(() => LsaIndex.fit(bm25.value.bm25.matrix)!);
  const index = bm25.value.with({ lsa: lsa.value });
  const bytes = encodeIndex(index);
  const load = timed(() => decodeIndex(bytes)!);
  const kept = Array.from({ length: size }, (_, i) => i).filter((i) => i % 100 !== 0);
  const removal = timed(() => index.patched(kept));
  const terms = texts.slice(0, QUESTIONS).map((text) => text.split(' ').slice(0, 8));
  const asked = terms.map((words) => timed(() => load.value.search({ terms: words }, 32)).ms);
  const result = {
    passages: size,
    postings: index.bm25.matrix.passages.length,
    bm25BuildMs: bm25.ms,
    lsaFitMs: lsa.ms,
    lsaDimensions: lsa.value.passages.width,
    indexBytes: bytes.length,
    loadMs: load.ms,
    removeOnePercentMs: removal.ms,
    searchP50Ms: percentile(asked, 50),
    searchP99Ms: percentile(asked, 99),
    denseP50Ms: denseMs(size),
  };
  const targets = size === 10_000 ? [target('retrieval.load_ms.10000', load.ms, 'ms', '<=', 1_000)] : [];
  return { result, targets };
}

function denseMs(size: number): number {
  const vectors = new Float32Array(size * WIDTH).map(() => next() - 0.5);
  const dense = new DenseIndex('random', WIDTH, vectors);
  const query = vectors.slice(0, WIDTH);
  return percentile(
    Array.from({ length: 9 }, () => timed(() => dense.search(query, 100)).ms),
    50,
  );
}

const around = (centre: Float32Array, far: number): Float32Array =>
  centre.map((value) => value + far * (next() + next() + next() + next() - 2));

/** The vector with a number. */
type VectorOf = (i: number) => Float32Array;

/** All over the place: nothing is near anything. */
const uniform: VectorOf = () => around(new Float32Array(GRAPH_WIDTH), 1);

/** In heaps, as those of texts about many subjects lie. */
function inHeaps(heaps: number): VectorOf {
  const centres = Array.from({ length: heaps }, () => around(new Float32Array(GRAPH_WIDTH), 1));
  return (i) => around(centres[i % heaps]!, 0.5);
}

/** In larger heaps without an edge, and in few dimensions, with a little noise in all. */
function inFewDimensions(heaps: number): VectorOf {
  const axes = Array.from({ length: FEW_DIMENSIONS }, () => around(new Float32Array(GRAPH_WIDTH), 1));
  const centres = Array.from({ length: heaps }, () => around(new Float32Array(FEW_DIMENSIONS), 1));
  return (i) => {
    const few = around(centres[i % heaps]!, 0.7);
    const vector = around(new Float32Array(GRAPH_WIDTH), 0.1);
    few.forEach((value, axis) => axes[axis]!.forEach((part, j) => (vector[j]! += value * part)));
    return vector;
  };
}

function graph(name: string, size: number, vector: VectorOf): object {
  progress(`graph of ${size} vectors, ${name}`);
  const exact = DenseIndex.of(
    'random',
    Array.from({ length: size }, (_, i) => vector(i)),
  );
  const questions = Array.from({ length: GRAPH_QUESTIONS }, (_, i) => vector(i * 37));
  const built = timed(() => exact.linked());
  const kept = Array.from({ length: size }, (_, i) => i).filter((i) => i % 20 !== 0);
  const removal = timed(() => built.value.patched(kept));
  const half = (passage: number): boolean => passage % 2 === 0;
  return {
    graphOf: name,
    vectors: size,
    width: GRAPH_WIDTH,
    buildMs: built.ms,
    removeFivePercentMs: removal.ms,
    ...found(built.value, questions),
    halfAccepted: found(built.value, questions, half),
    afterRemoval: found(removal.value, questions),
  };
}

/** Of the ten that exact search finds, the part that is found; and how long each takes for what a question looks for. */
function found(index: DenseIndex, questions: readonly Float32Array[], accepts?: (passage: number) => boolean): object {
  const each = questions.map((question) => {
    const exact = timed(() => index.searchExactly(question, 100, accepts));
    const near = timed(() => index.search(question, 100, accepts));
    const best = new Set(exact.value.slice(0, 10).map(({ passage: one }) => one));
    const hits = near.value.slice(0, 10).filter(({ passage: one }) => best.has(one)).length;
    return { recall: hits / best.size, exactMs: exact.ms, nearMs: near.ms };
  });
  const [exactMs, graphMs] = [percentile(each.map(({ exactMs: ms }) => ms), 50), percentile(each.map(({ nearMs: ms }) => ms), 50)]; // prettier-ignore
  const recallAt10 = Number((each.reduce((sum, { recall }) => sum + recall, 0) / each.length).toFixed(4));
  return { recallAt10, exactMs, graphMs, timeRatio: Number((graphMs / exactMs).toFixed(3)) };
}

const measured = ONLY_GRAPHS_OF === undefined ? SIZES.map(costs) : [];
const graphs = [
  graph(`heaps of ${HEAP}`, GRAPH_SIZE, inHeaps(GRAPH_SIZE / HEAP)),
  graph(`heaps of 1000 in ${FEW_DIMENSIONS} dimensions`, GRAPH_SIZE, inFewDimensions(GRAPH_SIZE / 1_000)),
  graph('uniform', UNIFORM_SIZE, uniform),
];
const qualities = ONLY_GRAPHS_OF === undefined ? quality() : [];
const results = [...qualities, ...measured.map(({ result }) => result), ...graphs];
const whole = report('retrieval', [{ results, targets: measured.flatMap(({ targets }) => targets) }]);
process.stdout.write(`${JSON.stringify(whole, null, 2)}\n`);
