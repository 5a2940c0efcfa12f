import { Graph, MOST_LEVEL, roomOf } from './hnsw/graph.js';
import type { TermMatrix } from './term-matrix.js';

/**
 * Whether what somebody else has computed is of the form that this library gives it, so that whoever works with it reads
 * nothing that is not there and comes to an end. That it is true of the texts is not proven. In steps of some
 * milliseconds each.
 */
type Looking = Generator<void, boolean, void>;

const A_STEP = 1 << 20;
const MOST_WIDTH = 4_096;

export function* isTermMatrix(said: unknown, size: number): Looking {
  const { size: own, terms, starts, passages, counts } = fieldsOf(said);
  if (own !== size || !(terms instanceof Float64Array) || !(starts instanceof Uint32Array)) return false;
  if (!(passages instanceof Uint32Array) || !(counts instanceof Uint32Array)) return false;
  const isWhole = starts.length === terms.length + 1 && starts[0] === 0 && starts.at(-1) === passages.length;
  if (!isWhole || counts.length !== passages.length || !(yield* areTerms(terms))) return false;
  for (let t = 0; t < terms.length; t++) {
    if (starts[t + 1]! <= starts[t]! || starts[t + 1]! > passages.length) return false;
    for (let i = starts[t]!; i < starts[t + 1]!; i++) {
      const isNext = i === starts[t]! || passages[i]! > passages[i - 1]!;
      if (!isNext || passages[i]! >= size || counts[i] === 0) return false;
      if (i % A_STEP === 0) yield;
    }
  }
  return true;
}

/** The two parts of an `LsaIndex`, of that matrix. */
export function* isLsa(said: unknown, matrix: TermMatrix): Looking {
  const { basis, passages } = fieldsOf(said);
  const { terms, weights, rows, fittedTo } = fieldsOf(basis);
  if (!(terms instanceof Float64Array) || !(weights instanceof Float32Array) || fittedTo !== matrix.size) return false;
  if (weights.length !== terms.length || !(yield* areFinite(weights)) || !(yield* areTerms(terms))) return false;
  const areRows = (yield* isRows(rows, terms.length)) && (yield* isRows(passages, matrix.size));
  if (!areRows || fieldsOf(rows)['width'] !== fieldsOf(passages)['width']) return false;
  let row = 0;
  for (let t = 0; t < matrix.terms.length; t++) {
    if (matrix.terms[t] === terms[row]) row++;
    if (t % A_STEP === 0) yield;
  }
  return row === terms.length;
}

/** `GraphLinks` of so many passages. */
export function* isGraph(said: unknown, size: number): Looking {
  const { levels, base, upper, left } = fieldsOf(said);
  if (!(levels instanceof Uint8Array) || !(base instanceof Uint32Array) || !(upper instanceof Uint32Array))
    return false;
  if (levels.length !== size || !Number.isSafeInteger(left) || levels.some((level) => level > MOST_LEVEL + 1))
    return false;
  const room = Graph.of(levels);
  if (base.length !== room.base.length || upper.length !== room.upper.length) return false;
  const graph = new Graph({ levels, base, upper, left: Number(left) });
  for (let node = 0; node < size; node++) {
    for (let level = 0; level < levels[node]!; level++) {
      if (graph.array(level)[graph.at(node, level)]! > roomOf(level)) return false;
      if (graph.links(node, level).some((to) => to === node || to >= size || levels[to]! <= level)) return false;
    }
    if (node % (A_STEP >> 5) === 0) yield;
  }
  return true;
}

function* isRows(said: unknown, count: number): Looking {
  const { width, values, scales } = fieldsOf(said);
  if (typeof width !== 'number' || !Number.isInteger(width) || width < 1 || width > MOST_WIDTH) return false;
  if (!(values instanceof Int8Array) || !(scales instanceof Float32Array)) return false;
  return scales.length === count && values.length === count * width && (yield* areFinite(scales));
}

/** Whole numbers below 2⁵³, ascending. */
function* areTerms(terms: Float64Array): Looking {
  for (let t = 0; t < terms.length; t++) {
    if (!Number.isSafeInteger(terms[t]) || terms[t]! <= (t === 0 ? -1 : terms[t - 1]!)) return false;
    if (t % A_STEP === 0) yield;
  }
  return true;
}

function* areFinite(numbers: Float32Array): Looking {
  for (let i = 0; i < numbers.length; i++) {
    if (!Number.isFinite(numbers[i])) return false;
    if (i % A_STEP === 0) yield;
  }
  return true;
}

const fieldsOf = (said: unknown): Readonly<Record<string, unknown>> =>
  typeof said === 'object' && said !== null ? (said as Readonly<Record<string, unknown>>) : {};
