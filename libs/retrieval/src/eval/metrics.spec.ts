import { describe, expect, it } from '@jest/globals';
import { ndcgAt, recallAt, reciprocalRankAt } from './metrics.js';

const judged = new Map([
  ['a', 3],
  ['b', 2],
  ['c', 3],
  ['e', 1],
  ['z', 0],
]);

describe('measures of a ranking', () => {
  it('nDCG', () => {
    // DCG@5 of x, a, b, z, e: 3/log2(3) + 2/log2(4) + 1/log2(6) = 1.892789 + 1 + 0.386853 = 3.279642.
    // The ideal order 3, 3, 2, 1: 3 + 1.892789 + 2/2 + 1/log2(5) = 3 + 1.892789 + 1 + 0.430677 = 6.323466.
    expect(ndcgAt(5, ['x', 'a', 'b', 'z', 'e'], judged)).toBeCloseTo(3.279642 / 6.323466, 5);
    expect(ndcgAt(10, ['a', 'c', 'b', 'e'], judged)).toBe(1);
    // At 1 the ideal is cut, too: 2/3.
    expect(ndcgAt(1, ['b', 'a'], judged)).toBeCloseTo(2 / 3, 12);
    expect(ndcgAt(10, ['x'], judged)).toBe(0);
    expect(ndcgAt(10, ['a'], new Map([['a', 0]]))).toBe(0);
  });

  it('reciprocal rank', () => {
    expect(reciprocalRankAt(10, ['x', 'z', 'e', 'a'], judged)).toBeCloseTo(1 / 3, 12);
    expect(reciprocalRankAt(2, ['x', 'z', 'e'], judged)).toBe(0);
    expect(reciprocalRankAt(10, [], judged)).toBe(0);
  });

  it('recall, of four that are relevant', () => {
    expect(recallAt(3, ['a', 'x', 'b', 'c'], judged)).toBe(0.5);
    expect(recallAt(100, ['a', 'b', 'c', 'e', 'z'], judged)).toBe(1);
    expect(recallAt(100, ['a'], new Map())).toBe(0);
  });
});
