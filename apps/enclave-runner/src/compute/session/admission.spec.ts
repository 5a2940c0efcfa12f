import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Admission } from './admission.js';

interface Brought {
  readonly owner: string;
  readonly id: string;
  readonly bytes: number;
}

function admitted(mostBytes: number, documents: readonly Brought[]) {
  const admission = new Admission(mostBytes);
  const left = new Set<string>();
  for (const { owner, id, bytes } of documents) {
    const gone = admission.add(owner, id, bytes);
    expect(gone.filter((one) => left.has(one))).toEqual([]);
    for (const one of gone) left.add(one);
    expect(admission.bytes).toBeLessThanOrEqual(mostBytes);
  }
  const kept = documents.filter(({ id }) => !left.has(id));
  expect(admission.bytes).toBe(kept.reduce((sum, each) => sum + each.bytes, 0));
  return kept.map(({ id }) => id).sort();
}

describe('admission', () => {
  it('of more than there is room for gives each an equal part, the smallest documents first', () => {
    const documents = [
      { owner: 'flood', id: 'a', bytes: 40 },
      { owner: 'flood', id: 'b', bytes: 50 },
      { owner: 'small', id: 'c', bytes: 30 },
      { owner: 'flood', id: 'd', bytes: 10 },
      { owner: 'flood', id: 'e', bytes: 20 },
      { owner: 'other', id: 'f', bytes: 30 },
    ];
    // 100 for three: 33.3 each; two need 30, so the third has 40: 10 and 20, and not 40 more.
    expect(admitted(100, documents)).toEqual(['c', 'd', 'e', 'f']);
    expect(admitted(180, documents)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(admitted(20, [{ owner: 'one', id: 'a', bytes: 21 }])).toEqual([]);
  });

  it('leaves out nothing of those who bring no more than their equal part, and is the same in any order', () => {
    const some = fc
      .array(fc.record({ owner: fc.constantFrom('a', 'b', 'c', 'd'), bytes: fc.nat(100) }), { maxLength: 20 })
      .map((all) => all.map((each, i): Brought => ({ ...each, id: `${i}` })))
      .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 400 }), ([documents, shuffled], most) => {
        const kept = admitted(most, documents);
        expect(admitted(most, shuffled)).toEqual(kept);
        const owners = [...new Set(documents.map(({ owner }) => owner))];
        for (const owner of owners) {
          const own = documents.filter((each) => each.owner === owner);
          const brought = own.reduce((sum, { bytes }) => sum + bytes, 0);
          if (brought <= most / owners.length) expect(own.every(({ id }) => kept.includes(id))).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
