import { TermReader } from './terms.js';

/**
 * How often each term stands in each passage, in compressed sparse rows: the postings of term t are positions
 * `starts[t]` to `starts[t + 1]`. Terms ascend by code units and each has a posting; passages ascend within a term.
 * So the same passages give the same matrix, whatever was added and removed on the way to them.
 */
export interface TermMatrix {
  /** Passages, those without a term among them. */
  readonly size: number;
  readonly terms: readonly string[];
  readonly starts: Uint32Array;
  readonly passages: Uint32Array;
  readonly counts: Uint32Array;
}

/** What the passages of a patched index are: the number of an old passage, each at most once, or the text of a new one. */
export type Plan = readonly (number | string)[];

const NOTHING: TermMatrix = {
  size: 0,
  terms: [],
  starts: new Uint32Array(1),
  passages: new Uint32Array(0),
  counts: new Uint32Array(0),
};

export const termMatrix = (texts: readonly string[]): TermMatrix => patchedMatrix(NOTHING, texts);

/** The matrix of the plan's passages, in its order. Only new texts are read; of what is left out nothing remains. */
export function patchedMatrix(old: TermMatrix, plan: Plan): TermMatrix {
  const places = placesOf(old.size, plan);
  const vocabulary = new Map(old.terms.map((term, id) => [term, id]));
  const fresh = readTexts(plan, vocabulary);
  const eachPosting: EachPosting = (take) => {
    for (let t = 0; t < old.terms.length; t++) {
      for (let i = old.starts[t]!; i < old.starts[t + 1]!; i++) {
        const place = places[old.passages[i]!]!;
        if (place >= 0) take(place, t, old.counts[i]!);
      }
    }
    for (let i = 0; i < fresh.terms.length; i++) take(fresh.places[i]!, fresh.terms[i]!, fresh.counts[i]!);
  };
  return transposed(rowsOf(plan.length, eachPosting), [...vocabulary.keys()]);
}

type EachPosting = (take: (passage: number, term: number, count: number) => void) => void;

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

/** New terms get the next numbers. */
function readTexts(plan: Plan, vocabulary: Map<string, number>) {
  const [places, terms, counts]: [number[], number[], number[]] = [[], [], []];
  const reader = new TermReader();
  const inText = new Map<number, number>();
  plan.forEach((text, place) => {
    if (typeof text === 'number') return;
    inText.clear();
    for (const term of reader.terms(text)) {
      let id = vocabulary.get(term);
      if (id === undefined) {
        id = vocabulary.size;
        vocabulary.set(term, id);
      }
      inText.set(id, (inText.get(id) ?? 0) + 1);
    }
    for (const [id, count] of inText) {
      places.push(place);
      terms.push(id);
      counts.push(count);
    }
  });
  return { places, terms, counts };
}

/** The postings grouped by passage: those of passage p are positions `starts[p]` to `starts[p + 1]`. */
interface Rows {
  readonly size: number;
  readonly starts: Uint32Array;
  readonly terms: Uint32Array;
  readonly counts: Uint32Array;
}

function rowsOf(size: number, eachPosting: EachPosting): Rows {
  const starts = new Uint32Array(size + 1);
  eachPosting((passage) => (starts[passage + 1]! += 1));
  for (let p = 0; p < size; p++) starts[p + 1]! += starts[p]!;
  const next = starts.slice(0, size);
  const terms = new Uint32Array(starts[size]!);
  const counts = new Uint32Array(starts[size]!);
  eachPosting((passage, term, count) => {
    const at = next[passage]!++;
    terms[at] = term;
    counts[at] = count;
  });
  return { size, starts, terms, counts };
}

function transposed(rows: Rows, names: readonly string[]): TermMatrix {
  const frequency = new Uint32Array(names.length);
  for (const term of rows.terms) frequency[term]! += 1;
  const kept = names.map((name, id) => ({ name, id })).filter(({ id }) => frequency[id]! > 0);
  kept.sort((a, b) => (a.name < b.name ? -1 : 1));
  const starts = new Uint32Array(kept.length + 1);
  const next = new Uint32Array(names.length);
  kept.forEach(({ id }, t) => {
    next[id] = starts[t]!;
    starts[t + 1] = starts[t]! + frequency[id]!;
  });
  const passages = new Uint32Array(rows.terms.length);
  const counts = new Uint32Array(rows.terms.length);
  for (let p = 0; p < rows.size; p++) {
    for (let i = rows.starts[p]!; i < rows.starts[p + 1]!; i++) {
      const at = next[rows.terms[i]!]!++;
      passages[at] = p;
      counts[at] = rows.counts[i]!;
    }
  }
  return { size: rows.size, terms: kept.map(({ name }) => name), starts, passages, counts };
}
