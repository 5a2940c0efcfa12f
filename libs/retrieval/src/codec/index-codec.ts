import { Bm25Index } from '../bm25.js';
import { DenseIndex } from '../dense.js';
import { LsaIndex } from '../lsa/lsa-index.js';
import type { QuantisedRows } from '../quantised-rows.js';
import { RetrievalIndex } from '../retrieval-index.js';
import type { TermMatrix } from '../term-matrix.js';
import { BrokenBytes, ByteReader, ByteWriter } from './bytes.js';

/** "UFRX", and the version of what follows. */
const MAGIC = Uint8Array.of(0x55, 0x46, 0x52, 0x58, 1);
/** Passages without a term take no bytes, so their number needs a limit of its own. */
const MOST_PASSAGES = 2 ** 22;
const MOST_DIMENSIONS = 4_096;
const MOST_COUNT = 2 ** 32 - 1;

/** The whole index. The same index gives the same bytes, whatever was added and removed on the way to it. */
export function encodeIndex({ bm25, lsa, dense }: RetrievalIndex): Uint8Array {
  const writer = new ByteWriter();
  writer.raw(MAGIC);
  writeMatrix(writer, bm25.matrix);
  writer.number(lsa === null ? 0 : 1);
  if (lsa !== null) writeLsa(writer, lsa, bm25.matrix);
  writer.number(dense === null ? 0 : 1);
  if (dense !== null) writeDense(writer, dense);
  return writer.done();
}

/**
 * What `encodeIndex` wrote, or null: bytes of another version, cut, changed or made up never give an index whose parts
 * contradict one another, and never take more memory than a few times their length. That they are the index of certain
 * passages is not proven: whoever stores them seals them with what they belong to.
 */
export function decodeIndex(bytes: Uint8Array): RetrievalIndex | null {
  try {
    const reader = new ByteReader(bytes);
    if (!reader.raw(MAGIC.length).every((byte, i) => byte === MAGIC[i])) return null;
    const matrix = readMatrix(reader);
    const lsa = reader.number(0, 1) === 1 ? readLsa(reader, matrix) : null;
    const dense = reader.number(0, 1) === 1 ? readDense(reader, matrix.size) : null;
    return reader.left === 0 ? new RetrievalIndex(new Bm25Index(matrix), lsa, dense) : null;
  } catch (error) {
    if (error instanceof BrokenBytes) return null;
    throw error;
  }
}

function writeMatrix(writer: ByteWriter, { size, terms, starts, passages, counts }: TermMatrix): void {
  writer.number(size);
  writer.number(passages.length);
  writer.number(terms.length);
  terms.forEach((term, t) => {
    writer.text(term);
    writer.number(starts[t + 1]! - starts[t]!);
    let next = 0;
    for (let i = starts[t]!; i < starts[t + 1]!; i++) {
      writer.number(passages[i]! - next);
      writer.number(counts[i]!);
      next = passages[i]! + 1;
    }
  });
}

function readMatrix(reader: ByteReader): TermMatrix {
  const size = reader.number(0, MOST_PASSAGES);
  const passages = new Uint32Array(reader.count(2));
  const counts = new Uint32Array(passages.length);
  // A term of one letter or more, how many postings, and one of two bytes.
  const terms: string[] = Array.from({ length: reader.count(5) });
  const starts = new Uint32Array(terms.length + 1);
  let at = 0;
  for (let t = 0; t < terms.length; t++) {
    const term = reader.text();
    if (t > 0 ? term <= terms[t - 1]! : term === '') throw new BrokenBytes();
    terms[t] = term;
    const end = at + reader.number(1, passages.length - at);
    for (let next = 0; at < end; at++) {
      passages[at] = next + reader.number(0, size - 1 - next);
      counts[at] = reader.number(1, MOST_COUNT);
      next = passages[at]! + 1;
    }
    starts[t + 1] = end;
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
  const terms = Array.from({ length: count }, () => {
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

function writeDense(writer: ByteWriter, { modelHash, width, vectors }: DenseIndex): void {
  writer.text(modelHash);
  writer.number(width);
  writer.floats(vectors);
}

function readDense(reader: ByteReader, size: number): DenseIndex {
  const modelHash = reader.text();
  const width = reader.number(size === 0 ? 0 : 1, size === 0 ? 0 : MOST_DIMENSIONS);
  return new DenseIndex(modelHash, width, reader.floats(size * width));
}
