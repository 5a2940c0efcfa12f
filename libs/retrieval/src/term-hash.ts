/**
 * The 53 bits by which an index knows a term. Two words with the same bits are one term to it: among ten million words
 * that is to be expected once in two hundred indexes, and whoever makes up a word that meets another could as well have
 * written that one. Not a commitment to the word, and no secret: short words are found by trying.
 */
export interface TermBits {
  /** 21 bits. */
  readonly high: number;
  /** 32 bits. */
  readonly low: number;
}

const TWO_32 = 2 ** 32;

/** Ascending numbers are ascending terms. */
export const termNumber = ({ high, low }: TermBits): number => high * TWO_32 + low;

export const termHash = (term: string): number => termNumber(termBits(term));

/** Two lanes of multiply and xor over UTF-16 units, each finished as in MurmurHash3 (Appleby 2011, fmix32). */
export function termBits(term: string): TermBits {
  let [a, b] = [term.length ^ 0x2545f491, 0x9e3779b9];
  for (let i = 0; i < term.length; i++) {
    const unit = term.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul((b << 5) | (b >>> 27), 0x2c1b3c6d) ^ Math.imul(unit + 1, 0x297a2d39);
  }
  return { high: finished(a ^ (b >>> 3)) >>> 11, low: finished(b ^ (a << 7)) };
}

function finished(lane: number): number {
  let h = lane;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
