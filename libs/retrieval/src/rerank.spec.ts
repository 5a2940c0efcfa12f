import { describe, expect, it } from '@jest/globals';
import { readRerank } from './rerank.js';

const results = (...entries: readonly (readonly [unknown, unknown])[]) => ({
  results: entries.map(([index, relevance_score]) => ({ index, relevance_score })),
});

describe('what a reranker answers', () => {
  it('is put into the order of the texts', () => {
    expect(readRerank(results([1, 0.9], [0, -3]), 2)).toEqual([-3, 0.9]);
    expect(readRerank(results(), 0)).toEqual([]);
  });

  it.each([
    ['nothing', null],
    ['no list', { results: 'x' }],
    ['too few', results([0, 1])],
    ['too many', results([0, 1], [1, 1], [2, 1])],
    ['one twice', results([0, 1], [0, 2])],
    ['an index beside', results([0, 1], [2, 2])],
    ['a score that is none', results([0, 1], [1, '2'])],
    ['a score without end', results([0, 1], [1, Infinity])],
    ['null inside', { results: [null, null] }],
  ])('%s is none', (_name, answer) => expect(readRerank(answer, 2)).toBeNull());
});
