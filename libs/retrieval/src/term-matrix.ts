import { Postings } from './postings.js';
import { termBits, termNumber, type TermBits } from './term-hash.js';
import { TermReader } from './terms.js';

/**
 * How often each term stands in each passage, in compressed sparse rows: the postings of term t are positions
 * `starts[t]` to `starts[t + 1]`. Terms are their numbers (`termHash`), ascend, and each has a posting; passages ascend
 * within a term. So the same passages give the same matrix, whatever was added and removed on the way to them.
 *
 * Numbers only: a word that stands nowhere else takes twenty bytes here, so that made-up words cost no more than others.
 */
export interface TermMatrix {
  /** Passages, those without a term among them. */
  readonly size: number;
  readonly terms: Float64Array;
  readonly starts: Uint32Array;
  readonly passages: Uint32Array;
  readonly counts: Uint32Array;
}

/** What the passages of a patched index are: the number of an old passage, each at most once, or the text of a new one. */
export type Plan = readonly (number | string)[];

export function termMatrix(texts: readonly string[]): TermMatrix {
  const postings = new Postings();
  const reader = new TermReader(termBits);
  texts.forEach((text, passage) => readText(reader.terms(text), passage, postings));
  postings.sortByTerm();
  return grouped(postings, texts.length);
}

/** Each term of a passage once, with how often. */
function readText(terms: TermBits[], passage: number, postings: Postings): void {
  terms.sort((a, b) => a.high - b.high || a.low - b.low);
  for (let i = 0, first = 0; i < terms.length; i++) {
    const next = terms[i + 1];
    if (next !== undefined && next.high === terms[i]!.high && next.low === terms[i]!.low) continue;
    postings.add(terms[i]!, passage, i + 1 - first);
    first = i + 1;
  }
}

/** Of postings by term. */
function grouped({ high, low, passages, counts, length }: Postings, size: number): TermMatrix {
  const isFirst = (i: number): boolean => i === 0 || low[i] !== low[i - 1] || high[i] !== high[i - 1];
  let count = 0;
  for (let i = 0; i < length; i++) if (isFirst(i)) count++;
  const terms = new Float64Array(count);
  const starts = new Uint32Array(count + 1).fill(length);
  for (let i = 0, t = 0; i < length; i++) {
    if (!isFirst(i)) continue;
    terms[t] = termNumber({ high: high[i]!, low: low[i]! });
    starts[t++] = i;
  }
  return { size, terms, starts, passages: passages.slice(0, length), counts: counts.slice(0, length) };
}

/** The matrix of the plan's passages, in its order. Only new texts are read; of what is left out nothing remains. */
export const patchedMatrix = (old: TermMatrix, plan: Plan): TermMatrix =>
  atOnce(patching(old, plan, termMatrix(textsOf(plan))));

/** What is made in steps, without a pause. */
export function atOnce<T>(steps: Generator<void, T, void>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The new ones. */
export const textsOf = (plan: Plan): string[] => plan.filter((entry) => typeof entry === 'string');

/** A few milliseconds. */
const POSTINGS_A_STEP = 1 << 18;

/**
 * The same in steps of some milliseconds each, and the new texts (`textsOf`) read already: nothing here depends on what
 * the words are, only on how many there are.
 */
export function* patching(old: TermMatrix, plan: Plan, fresh: TermMatrix): Generator<void, TermMatrix, void> {
  const left: Part = { matrix: old, places: placesOf(old.size, plan) };
  const come = Int32Array.from(plan.keys()).filter((place) => typeof plan[place] === 'string');
  const right: Part = { matrix: fresh, places: come };
  const merged = new Merged(old.terms.length + fresh.terms.length, keptOf(left) + fresh.passages.length);
  yield;
  let stepEnd = POSTINGS_A_STEP;
  for (let i = 0, j = 0; i < old.terms.length || j < fresh.terms.length;) {
    const own = i < old.terms.length ? old.terms[i]! : Infinity;
    const other = j < fresh.terms.length ? fresh.terms[j]! : Infinity;
    if (own <= other) merged.take(left, i++);
    if (other <= own) merged.take(right, j++);
    merged.close(Math.min(own, other));
    const read = old.starts[i]! + fresh.starts[j]! + i + j;
    if (read < stepEnd) continue;
    stepEnd = read + POSTINGS_A_STEP;
    yield;
  }
  return merged.matrix(plan.length);
}

/** Where each old passage goes; -1: nowhere. */
function placesOf(size: number, plan: Plan): Int32Array {
  const places = new Int32Array(size).fill(-1);
  plan.forEach((entry, place) => {
    if (typeof entry === 'string') return;
    if (places[entry] !== -1) throw new RangeError('a plan names each old passage at most once');
    places[entry] = place;
  });
  return places;
}

/** A matrix, and where its passages go; -1: nowhere. */
interface Part {
  readonly matrix: TermMatrix;
  readonly places: Int32Array;
}

function keptOf({ matrix: { passages }, places }: Part): number {
  let kept = 0;
  for (let i = 0; i < passages.length; i++) if (places[passages[i]!]! >= 0) kept++;
  return kept;
}

/** One term after another, ascending; one that is left without a posting is none. */
class Merged {
  readonly #terms: Float64Array;
  readonly #starts: Uint32Array;
  readonly #passages: Uint32Array;
  readonly #counts: Uint32Array;
  #term = 0;
  #at = 0;

  constructor(mostTerms: number, postings: number) {
    this.#terms = new Float64Array(mostTerms);
    this.#starts = new Uint32Array(mostTerms + 1);
    this.#passages = new Uint32Array(postings);
    this.#counts = new Uint32Array(postings);
  }

  take({ matrix, places }: Part, t: number): void {
    for (let i = matrix.starts[t]!; i < matrix.starts[t + 1]!; i++) {
      const place = places[matrix.passages[i]!]!;
      if (place < 0) continue;
      this.#passages[this.#at] = place;
      this.#counts[this.#at++] = matrix.counts[i]!;
    }
  }

  close(term: number): void {
    const from = this.#starts[this.#term]!;
    if (this.#at === from) return;
    this.#sort(from);
    this.#terms[this.#term++] = term;
    this.#starts[this.#term] = this.#at;
  }

  matrix(size: number): TermMatrix {
    return {
      size,
      terms: this.#terms.slice(0, this.#term),
      starts: this.#starts.slice(0, this.#term + 1),
      passages: this.#passages,
      counts: this.#counts,
    };
  }

  /** By passage: they mostly are, unless a plan puts them in another order. */
  #sort(from: number): void {
    const passages = this.#passages.subarray(from, this.#at);
    if (passages.every((passage, i) => i === 0 || passage > passages[i - 1]!)) return;
    const counts = this.#counts.subarray(from, this.#at);
    const order = [...passages.keys()].sort((a, b) => passages[a]! - passages[b]!);
    const [before, beforeCounts] = [passages.slice(), counts.slice()];
    order.forEach((was, i) => {
      passages[i] = before[was]!;
      counts[i] = beforeCounts[was]!;
    });
  }
}
