import type { TermBits } from './term-hash.js';

const FIRST_ROOM = 1 << 12;
/** Five digits of eleven bits: 53 and a little more. */
const DIGIT_BITS = 11;
const DIGITS = 5;
const DIGIT_MASK = (1 << DIGIT_BITS) - 1;

/** How often a term stands in a passage, for many of both: four numbers each, whatever the words are. */
export class Postings {
  high = new Uint32Array(FIRST_ROOM);
  low = new Uint32Array(FIRST_ROOM);
  passages = new Uint32Array(FIRST_ROOM);
  counts = new Uint32Array(FIRST_ROOM);
  length = 0;

  add({ high, low }: TermBits, passage: number, count: number): void {
    if (this.length === this.low.length) this.#grow();
    const at = this.length++;
    this.high[at] = high;
    this.low[at] = low;
    this.passages[at] = passage;
    this.counts[at] = count;
  }

  /**
   * By term; those of one term stay in the order in which they came. By its digits from the last to the first, so that no
   * choice of words makes it slower.
   */
  sortByTerm(): void {
    let [from, to]: [Part, Part] = [this, new Part(this.length)];
    for (let digit = 0; digit < DIGITS; digit++) {
      moveByDigit(from, to, this.length, digit);
      [from, to] = [to, from];
    }
    this.high = from.high;
    this.low = from.low;
    this.passages = from.passages;
    this.counts = from.counts;
  }

  #grow(): void {
    const larger = new Part(2 * this.length);
    for (const name of PARTS) {
      larger[name].set(this[name]);
      this[name] = larger[name];
    }
  }
}

const PARTS = ['high', 'low', 'passages', 'counts'] as const;

class Part {
  high: Uint32Array<ArrayBuffer>;
  low: Uint32Array<ArrayBuffer>;
  passages: Uint32Array<ArrayBuffer>;
  counts: Uint32Array<ArrayBuffer>;

  constructor(length: number) {
    this.high = new Uint32Array(length);
    this.low = new Uint32Array(length);
    this.passages = new Uint32Array(length);
    this.counts = new Uint32Array(length);
  }
}

function moveByDigit(from: Part, to: Part, length: number, digit: number): void {
  const shift = digit * DIGIT_BITS;
  const next = new Uint32Array(DIGIT_MASK + 2);
  for (let i = 0; i < length; i++) next[digitOf(from.high[i]!, from.low[i]!, shift) + 1]! += 1;
  for (let d = 0; d < DIGIT_MASK; d++) next[d + 1]! += next[d]!;
  for (let i = 0; i < length; i++) {
    const at = next[digitOf(from.high[i]!, from.low[i]!, shift)]!++;
    to.high[at] = from.high[i]!;
    to.low[at] = from.low[i]!;
    to.passages[at] = from.passages[i]!;
    to.counts[at] = from.counts[i]!;
  }
}

/** Eleven bits of high · 2³² + low, from `shift` on. */
function digitOf(high: number, low: number, shift: number): number {
  if (shift >= 32) return (high >>> (shift - 32)) & DIGIT_MASK;
  const own = low >>> shift;
  return (shift + DIGIT_BITS > 32 ? own | (high << (32 - shift)) : own) & DIGIT_MASK;
}
