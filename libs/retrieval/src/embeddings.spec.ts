import { describe, expect, it } from '@jest/globals';
import { readEmbeddings } from './embeddings.js';

const data = (...entries: readonly (readonly [number, unknown])[]) => ({
  data: entries.map(([index, embedding]) => ({ index, embedding })),
});

describe('what an embedder answers', () => {
  it('is put into the order of the texts', () => {
    expect(readEmbeddings(data([1, [3, 4]], [0, [1, 2]]), 2)).toEqual([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
    expect(readEmbeddings({ data: [] }, 0)).toEqual([]);
  });

  // Of llama.cpp (0.5.0, recorded, the numbers shortened): more fields, and none in the order that one may expect.
  it('is read where a real server says more', () => {
    const answer = {
      model: 'x',
      object: 'list',
      usage: { prompt_tokens: 7, total_tokens: 7 },
      data: [
        { embedding: [0.022683162242174149, 0.018335429951548576], index: 0, object: 'embedding' },
        { embedding: [-0.07610435783863068, 0.019722897559404373], index: 1, object: 'embedding' },
      ],
    };
    expect(readEmbeddings(answer, 2)?.map(([first]) => first)).toEqual([0.022683162242174149, -0.07610435783863068].map(Math.fround)); // prettier-ignore
  });

  it.each([
    ['nothing', null],
    ['no list', { data: 'x' }],
    ['too few', data([0, [1]])],
    ['one twice', data([0, [1]], [0, [1]])],
    ['an index beside', data([0, [1]], [2, [1]])],
    ['an index that is none', data([0, [1]], [0.5, [1]])],
    [
      'an index that is a name',
      {
        data: [
          { index: 'length', embedding: [1] },
          { index: 0, embedding: [1] },
        ],
      },
    ],
    ['two widths', data([0, [1]], [1, [1, 2]])],
    ['no numbers', data([0, ['1']], [1, [1]])],
    ['a number too large', data([0, [1e39]], [1, [1]])],
    ['empty vectors', data([0, []], [1, []])],
    ['a vector too wide', data([0, Array(4_097).fill(0)], [1, Array(4_097).fill(0)])],
    ['null inside', data([0, [null]], [1, [1]])],
    ['base64', data([0, 'AAAA'], [1, 'AAAA'])],
  ])('%s is none', (_name, answer) => expect(readEmbeddings(answer, 2)).toBeNull());
});
