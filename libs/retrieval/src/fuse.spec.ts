import { describe, expect, it } from '@jest/globals';
import { fuse } from './fuse.js';

describe('reciprocal rank fusion', () => {
  it('adds one over 60 and the rank', () => {
    // b: 1/62 + 1/61; a: 1/61; c: 1/62.
    const fused = fuse([{ ranked: ['a', 'b'] }, { ranked: ['b', 'c'] }], 5);
    expect(fused.map(({ item }) => item)).toEqual(['b', 'a', 'c']);
    expect(fused[0]!.score).toBeCloseTo(1 / 62 + 1 / 61, 12);
  });

  it('weighs, leaves out what weighs nothing, and cuts', () => {
    expect(
      fuse([{ ranked: ['a', 'b'], weight: 0.2 }, { ranked: ['c'], weight: 0 }, { ranked: ['b', 'a'] }], 2).map(
        ({ item }) => item,
      ),
    ).toEqual(['b', 'a']);
    expect(fuse([{ ranked: ['c'], weight: -1 }], 2)).toEqual([]);
  });

  it('gives ties to what came first', () => {
    expect(fuse([{ ranked: ['a'] }, { ranked: ['b'] }], 2).map(({ item }) => item)).toEqual(['a', 'b']);
  });
});
