import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Bm25Index } from './bm25.js';
import { termHash } from './term-hash.js';
import { patchedMatrix, termMatrix } from './term-matrix.js';

const word = fc.constantFrom('kiln', 'loom', 'mast', 'nail', 'oven', 'pump', 'quay');
const text = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));

describe('the matrix of terms', () => {
  it('is sorted rows of postings', () => {
    const { size, terms, starts, passages, counts } = termMatrix(['wax comb wax', '', 'comb', 'ash']);
    expect([size, terms.length, starts.length]).toEqual([4, 3, 4]);
    expect([...terms]).toEqual(['ash', 'comb', 'wax'].map(termHash).sort((a, b) => a - b));
    const postingsOf = (word: string) => {
      const t = terms.indexOf(termHash(word));
      return [...passages.subarray(starts[t], starts[t + 1])].map((p, i) => [p, counts[starts[t]! + i]]);
    };
    expect(postingsOf('ash')).toEqual([[3, 1]]);
    expect(postingsOf('comb')).toEqual([[0, 1], [2, 1]]); // prettier-ignore
    expect(postingsOf('wax')).toEqual([[0, 2]]);
  });

  it('patched in any way is the one built anew, and its BM25 scores are the same bits', () => {
    const scenario = fc.array(text, { maxLength: 12 }).chain((before) =>
      fc.record({
        before: fc.constant(before),
        plan: fc
          .shuffledSubarray([...before.keys()])
          .chain((kept) =>
            fc
              .array(text, { maxLength: 6 })
              .chain((added) => fc.shuffledSubarray([...kept, ...added.map((each) => `${each} `)], { minLength: 0 })),
          ),
        query: fc.uniqueArray(word, { minLength: 1 }),
      }),
    );
    fc.assert(
      fc.property(scenario, ({ before, plan, query }) => {
        const anew = plan.map((entry) => (typeof entry === 'string' ? entry : before[entry]!));
        const old = Bm25Index.of(before);
        expect(patchedMatrix(old.matrix, plan)).toEqual(termMatrix(anew));
        expect(old.patched(plan).search(query, 20)).toEqual(Bm25Index.of(anew).search(query, 20));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps no word of what was taken out', () => {
    expect([...patchedMatrix(termMatrix(['kiln lime', 'loom']), [1]).terms]).toEqual([termHash('loom')]);
  });

  it('of 100,000 made-up words takes no more than their numbers', () => {
    const texts = Array.from({ length: 500 }, (_, i) =>
      Array.from({ length: 200 }, (_, j) => `q${(i * 200 + j).toString(36)}z`).join(' '),
    );
    const { terms, starts, passages, counts } = termMatrix(texts);
    expect(terms.length).toBe(100_000);
    expect([terms, starts, passages, counts].reduce((sum, part) => sum + part.byteLength, 0)).toBe(2_000_004);
  });

  it.each([[[0, 0]], [[2]], [[-1]], [[0.5]]])('refuses the plan %j', (plan) => {
    expect(() => patchedMatrix(termMatrix(['a1', 'b1']), plan)).toThrow(RangeError);
  });
});
