import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Bm25Index } from './bm25.js';
import { patchedMatrix, termMatrix } from './term-matrix.js';

const word = fc.constantFrom('kiln', 'loom', 'mast', 'nail', 'oven', 'pump', 'quay');
const text = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));

describe('the matrix of terms', () => {
  it('is sorted rows of postings', () => {
    expect(termMatrix(['wax comb wax', '', 'comb', 'ash'])).toEqual({
      size: 4,
      terms: ['ash', 'comb', 'wax'],
      starts: new Uint32Array([0, 1, 3, 4]),
      passages: new Uint32Array([3, 0, 2, 0]),
      counts: new Uint32Array([1, 1, 1, 2]),
    });
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
    const matrix = patchedMatrix(termMatrix(['kiln lime', 'loom']), [1]);
    expect(JSON.stringify(matrix)).not.toMatch(/kiln|lime/);
  });

  it.each([[[0, 0]], [[2]], [[-1]], [[0.5]]])('refuses the plan %j', (plan) => {
    expect(() => patchedMatrix(termMatrix(['a1', 'b1']), plan)).toThrow(RangeError);
  });
});
