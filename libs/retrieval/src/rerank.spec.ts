import { describe, expect, it } from '@jest/globals';
import { refuse } from '@usufruct/kernel';
import { readRerank, RERANKED, rerankedPlaces, rerankWhole } from './rerank.js';

const results = (...entries: readonly (readonly [unknown, unknown])[]) => ({
  results: entries.map(([index, relevance_score]) => ({ index, relevance_score })),
});

describe('what a reranker answers', () => {
  it('is put into the order of the texts', () => {
    expect(readRerank(results([1, 0.9], [0, -3]), 2)).toEqual([-3, 0.9]);
    expect(readRerank(results(), 0)).toEqual([]);
  });

  // Of llama.cpp (0.5.0, recorded): best first, and negative where nothing is relevant.
  it('is read where a real server says more', () => {
    const answer = {
      model: 'x',
      object: 'list',
      usage: { prompt_tokens: 8, total_tokens: 8 },
      results: [
        { index: 1, relevance_score: -0.15368729829788208 },
        { index: 0, relevance_score: -0.21301239728927612 },
      ],
    };
    expect(readRerank(answer, 2)).toEqual([-0.21301239728927612, -0.15368729829788208]);
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

describe('a reranker', () => {
  it('puts the first in order, ties as they were, and leaves the rest', async () => {
    const scored: number[] = [];
    const reranker = {
      rerank: async (_question: string, texts: readonly string[]) => {
        scored.push(texts.length);
        return texts.map((text) => Number(text === 'best') - Number(text === 'worst'));
      },
    };
    const texts = ['worst', ...Array<string>(RERANKED - 2).fill('x'), 'best', 'best'];
    const places = await rerankedPlaces(reranker, 'q', texts);
    expect(places).toEqual([RERANKED - 1, ...Array.from({ length: RERANKED - 2 }, (_, i) => i + 1), 0, RERANKED]);
    expect(await rerankedPlaces(reranker, 'q', ['alone'])).toEqual([0]);
    expect(scored).toEqual([RERANKED]);
  });

  it('is given the beginnings of what is too long for it, of all alike', async () => {
    const asked: number[][] = [];
    const rerank = async (question: string, texts: readonly string[]): Promise<number[]> => {
      const lengths = texts.map((text) => question.length + text.length);
      asked.push([question.length, ...texts.map((text) => text.length)]);
      if (lengths.some((length) => length > 700)) throw refuse('UPSTREAM_INVALID', { status: '400' });
      return lengths;
    };
    expect(await rerankWhole(rerank, 'q'.repeat(100), ['a'.repeat(2_000), 'b', 'c'.repeat(600)])).toEqual([
      600, 101, 600,
    ]);
    expect(asked).toEqual([[100, 2_000, 1, 600], [100, 1_000, 1, 600], [100, 500, 1, 500]]); // prettier-ignore
    // Of a question that is longer than the model reads, its beginning.
    expect(await rerankWhole(rerank, 'q'.repeat(900), ['b'])).toEqual([451]);
    asked.length = 0;
    const never = async (): Promise<number[]> => {
      asked.push([]);
      throw refuse('UPSTREAM_INVALID', { status: '500' });
    };
    await expect(rerankWhole(never, 'q', ['a'.repeat(2_000)])).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
    expect(asked.length).toBeLessThan(10);
  });
});
