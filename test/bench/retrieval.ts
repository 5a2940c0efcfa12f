/**
 * `npm run -s bench:retrieval`: how well passages are found (the project's own test collection), and what an index costs:
 * to make, as bytes, to load, to patch and to search, at 1,000 to 100,000 passages of made-up words. Vectors are random:
 * their figures are of time only. Times are processor time.
 */
import { decodeIndex, DenseIndex, encodeIndex, evaluate, LsaIndex, RetrievalIndex, WAYS } from '@usufruct/retrieval';
import { ownText } from '../retrieval/collection.ts';
import { percentile, progress, report, target, type Target } from './report.ts';

const SIZES = [1_000, 10_000, 100_000];
const WORDS = 60_000;
const WORDS_A_PASSAGE = 120;
const WIDTH = 384;
const QUESTIONS = 30;

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

const measured = SIZES.map(costs);
const results = [...quality(), ...measured.map(({ result }) => result)];
const whole = report('retrieval', [{ results, targets: measured.flatMap(({ targets }) => targets) }]);
process.stdout.write(`${JSON.stringify(whole, null, 2)}\n`);
