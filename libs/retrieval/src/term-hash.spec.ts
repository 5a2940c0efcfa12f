import { describe, expect, it } from '@jest/globals';
import { termBits, termHash, termNumber } from './term-hash.js';

describe('the number of a term', () => {
  it('is a whole number below 2⁵³, made of its two parts', () => {
    for (const term of ['', 'a', 'ab', 'ba', 'мёд', '蜂蜜', 'x'.repeat(64)]) {
      const { high, low } = termBits(term);
      expect([high < 2 ** 21, low < 2 ** 32, Number.isSafeInteger(termHash(term))]).toEqual([true, true, true]);
      expect(termHash(term)).toBe(termNumber({ high, low }));
    }
  });

  it('is another one for each of 200,000 short words: by chance two of them meet once in 450,000 such lists', () => {
    // (2·10⁵)² / 2 pairs, of which one in 2⁵³ meets: 0.0000022.
    const numbers = new Set(Array.from({ length: 200_000 }, (_, i) => termHash(i.toString(36))));
    expect(numbers.size).toBe(200_000);
  });

  it('spreads over all its bits', () => {
    const ones = new Uint32Array(53);
    const count = 20_000;
    for (let i = 0; i < count; i++) {
      const { high, low } = termBits(`w${i}`);
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (low >>> bit) & 1;
      for (let bit = 0; bit < 21; bit++) ones[32 + bit]! += (high >>> bit) & 1;
    }
    // Half of them, within seven standard deviations (√(n/4) = 71).
    for (const each of ones) expect(Math.abs(each - count / 2)).toBeLessThan(7 * Math.sqrt(count / 4));
  });
});
