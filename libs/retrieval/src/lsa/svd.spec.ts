import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { symmetricEigen } from './eigen.js';
import type { SparseMatrix } from './sparse.js';
import { leftSingularVectors } from './svd.js';

function sparseOf(dense: readonly (readonly number[])[]): SparseMatrix {
  const [starts, columnOf, values]: [number[], number[], number[]] = [[0], [], []];
  for (const row of dense) {
    row.forEach((value, column) => {
      if (value === 0) return;
      columnOf.push(column);
      values.push(value);
    });
    starts.push(values.length);
  }
  return {
    rows: dense.length,
    columns: dense[0]!.length,
    starts: Uint32Array.from(starts),
    columnOf: Uint32Array.from(columnOf),
    values: Float64Array.from(values),
  };
}

describe('eigenvectors', () => {
  it('of [[2, 1], [1, 2]]: 3 along (1, 1), 1 along (1, -1)', () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    expect([...values].map((value) => value.toFixed(12))).toEqual(['3.000000000000', '1.000000000000']);
    expect(vectors[0]! / vectors[2]!).toBeCloseTo(1, 12);
    expect(vectors[1]! / vectors[3]!).toBeCloseTo(-1, 12);
  });

  it('are turned by their matrix into multiples of themselves, and are orthonormal', () => {
    const entries = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 36, maxLength: 36 });
    fc.assert(
      fc.property(entries, (drawn) => {
        const at = (i: number, j: number): number => drawn[Math.min(i, j) * 6 + Math.max(i, j)]!;
        const matrix = Float64Array.from({ length: 36 }, (_, k) => at(Math.floor(k / 6), k % 6));
        const { values, vectors } = symmetricEigen(matrix.slice(), 6);
        for (let v = 0; v < 6; v++) {
          if (v > 0) expect(values[v]!).toBeLessThanOrEqual(values[v - 1]!);
          for (let i = 0; i < 6; i++) {
            let product = 0;
            for (let j = 0; j < 6; j++) product += at(i, j) * vectors[j * 6 + v]!;
            expect(product).toBeCloseTo(values[v]! * vectors[i * 6 + v]!, 8);
          }
          for (let w = 0; w < 6; w++) {
            let inner = 0;
            for (let i = 0; i < 6; i++) inner += vectors[i * 6 + v]! * vectors[i * 6 + w]!;
            expect(inner).toBeCloseTo(v === w ? 1 : 0, 8);
          }
        }
      }),
    );
  });
});

describe('singular vectors', () => {
  it('of a diagonal: the largest entries, descending', () => {
    const { values } = leftSingularVectors(sparseOf([[1, 0, 0], [0, 5, 0], [0, 0, 3]]), 2, 1); // prettier-ignore
    expect([...values].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([5, 3]);
  });

  it('give back a matrix of their rank: U·Uᵀ·A = A', () => {
    // Rank 2: rows are sums of (1, 2, 0, 1) and (0, 1, 1, 0).
    const dense = [[1, 2, 0, 1], [0, 1, 1, 0], [1, 3, 1, 1], [2, 3, -1, 2], [0, 0, 0, 0]]; // prettier-ignore
    const { values, vectors } = leftSingularVectors(sparseOf(dense), 4, 7);
    expect(values.length).toBe(2);
    dense.forEach((row, i) =>
      row.forEach((entry, column) => {
        let given = 0;
        for (let v = 0; v < 2; v++) {
          for (let k = 0; k < 5; k++) given += vectors[i * 2 + v]! * vectors[k * 2 + v]! * dense[k]![column]!;
        }
        expect(given).toBeCloseTo(entry, 9);
      }),
    );
  });

  it('of nothing are none', () => {
    expect(leftSingularVectors(sparseOf([[0, 0], [0, 0]]), 2, 1).values.length).toBe(0); // prettier-ignore
    expect(leftSingularVectors(sparseOf([[]]), 2, 1).values.length).toBe(0);
  });
});
