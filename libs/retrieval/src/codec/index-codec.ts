import { Bm25Index } from '../bm25.js';
import { DenseIndex } from '../dense.js';
import { LsaIndex } from '../lsa/lsa-index.js';
import type { QuantisedRows } from '../quantised-rows.js';
import { RetrievalIndex } from '../retrieval-index.js';
import { atOnce, type TermMatrix } from '../term-matrix.js';
import { BrokenBytes, ByteReader, ByteWriter, LARGE_BYTES } from './bytes.js';
import { readGraph, writeGraph } from './graph-codec.js';

/** "UFRX", and the version of what follows. */
const MAGIC = Uint8Array.of(0x55, 0x46, 0x52, 0x58, 2);
/** Passages without a term take no bytes, so their number needs a limit of its own. */
const MOST_PASSAGES = 2 ** 22;
const MOST_DIMENSIONS = 4_096;
const MOST_COUNT = 2 ** 32 - 1;

/** The whole index. The same index gives the same bytes, whatever was added and removed on the way to it. */
export const encodeIndex = (index: RetrievalIndex): Uint8Array => atOnce(encodingIndex(index));

/** The same in steps, for whoever answers meanwhile. */
export function* encodingIndex({ bm25, lsa, dense }: RetrievalIndex): Generator<void, Uint8Array, void> {
  const writer = new ByteWriter();
  writer.raw(MAGIC);
  yield* writeMatrix(writer, bm25.matrix);
  writer.number(lsa === null ? 0 : 1);
  if (lsa !== null) writeLsa(writer, lsa, bm25.matrix);
  writer.number(dense === null ? 0 : dense.graph === null ? 1 : 2);
  if (dense !== null) writeDense(writer, dense);
  return writer.done();
}

/**
 * What `encodeIndex` wrote, or null: bytes of another version, cut, changed or made up never give an index whose parts
 * contradict one another, and never take more memory than a few times their length. That they are the index of certain
 * passages is not proven: whoever stores them seals them with what they belong to.
 */
export const decodeIndex = (bytes: Uint8Array): RetrievalIndex | null => atOnce(decodingIndex(bytes));

/** The same in steps, for whoever answers meanwhile. */
export function* decodingIndex(bytes: Uint8Array): Generator<void, RetrievalIndex | null, void> {
  try {
    const reader = new ByteReader(bytes);
    if (!reader.raw(MAGIC.length).every((byte, i) => byte === MAGIC[i])) return null;
    const matrix = yield* readMatrix(reader);
    const lsa = reader.number(0, 1) === 1 ? readLsa(reader, matrix) : null;
    const dense = readDense(reader, matrix.size);
    return reader.left === 0 ? new RetrievalIndex(new Bm25Index(matrix), lsa, dense) : null;
  } catch (error) {
    if (error instanceof BrokenBytes) return null;
    throw error;
  }
}

/** Some milliseconds. */
const POSTINGS_A_STEP = 1 << 17;

function* writeMatrix(writer: ByteWriter, matrix: TermMatrix): Generator<void, void, void> {
  const { size, terms, starts, passages, counts } = matrix;
  writer.number(size);
  writer.number(passages.length);
  writer.number(terms.length);
  let stepEnd = POSTINGS_A_STEP;
  for (let t = 0; t < terms.length; t++) {
    writer.large(terms[t]!);
    const end = starts[t + 1]!;
    writer.number(end - starts[t]!);
    let next = 0;
    for (let i = starts[t]!; i < end; i++) {
      writer.number(passages[i]! - next);
      writer.number(counts[i]!);
      next = passages[i]! + 1;
    }
    if (end < stepEnd) continue;
    stepEnd = end + POSTINGS_A_STEP;
    yield;
  }
}

function* readMatrix(reader: ByteReader): Generator<void, TermMatrix, void> {
  const size = reader.number(0, MOST_PASSAGES);
  const passages = new Uint32Array(reader.count(2));
  const counts = new Uint32Array(passages.length);
  // A term, how many postings, and one of two bytes.
  const terms = new Float64Array(reader.count(LARGE_BYTES + 3));
  const starts = new Uint32Array(terms.length + 1);
  let at = 0;
  let stepEnd = POSTINGS_A_STEP;
  for (let t = 0; t < terms.length; t++) {
    const term = reader.large();
    if (t > 0 && term <= terms[t - 1]!) throw new BrokenBytes();
    terms[t] = term;
    const end = at + reader.number(1, passages.length - at);
    for (let next = 0; at < end; at++) {
      passages[at] = next + reader.number(0, size - 1 - next);
      counts[at] = reader.number(1, MOST_COUNT);
      next = passages[at]! + 1;
    }
    starts[t + 1] = end;
    if (end < stepEnd) continue;
    stepEnd = end + POSTINGS_A_STEP;
    yield;
  }
  if (at !== passages.length) throw new BrokenBytes();
  return { size, terms, starts, passages, counts };
}

function writeLsa(writer: ByteWriter, { basis, passages }: LsaIndex, matrix: TermMatrix): void {
  writer.number(basis.fittedTo);
  writer.number(basis.rows.width);
  writer.number(basis.terms.length);
  let next = 0;
  let row = 0;
  matrix.terms.forEach((term, t) => {
    if (term !== basis.terms[row]) return;
    writer.number(t - next);
    next = t + 1;
    row++;
  });
  writer.floats(basis.weights);
  writeRows(writer, basis.rows);
  writeRows(writer, passages);
}

function readLsa(reader: ByteReader, matrix: TermMatrix): LsaIndex {
  const fittedTo = reader.number(0, matrix.size);
  const width = reader.number(0, MOST_DIMENSIONS);
  const count = reader.count(5 + 4 + width);
  let next = 0;
  const terms = new Float64Array(count).map(() => {
    const t = next + reader.number(0, matrix.terms.length - 1 - next);
    next = t + 1;
    return matrix.terms[t]!;
  });
  const weights = reader.floats(count);
  const rows = readRows(reader, count, width);
  return new LsaIndex({ terms, weights, rows, fittedTo }, readRows(reader, matrix.size, width));
}

function writeRows(writer: ByteWriter, { values, scales }: QuantisedRows): void {
  writer.floats(scales);
  writer.integers(values);
}

const readRows = (reader: ByteReader, count: number, width: number): QuantisedRows => ({
  width,
  scales: reader.floats(count),
  values: reader.integers(count * width),
});

function writeDense(writer: ByteWriter, { modelHash, width, vectors, graph }: DenseIndex): void {
  writer.text(modelHash);
  writer.number(width);
  writer.floats(vectors);
  if (graph !== null) writeGraph(writer, graph);
}

/** None, without a graph, or with one. */
function readDense(reader: ByteReader, size: number): DenseIndex | null {
  const parts = reader.number(0, 2);
  if (parts === 0) return null;
  const modelHash = reader.text();
  const width = reader.number(size === 0 ? 0 : 1, size === 0 ? 0 : MOST_DIMENSIONS);
  const vectors = reader.floats(size * width);
  return new DenseIndex(modelHash, width, vectors, parts === 2 ? readGraph(reader, size, width) : null);
}
