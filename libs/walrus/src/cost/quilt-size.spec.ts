import { describe, expect, it } from '@jest/globals';
import { encodeQuilt } from '@mysten/walrus';
import fc from 'fast-check';
import { mostQuiltFiles, quiltBytes } from './quilt-size.js';

const nameOf = (i: number): string => i.toString(16).padStart(64, '0');
/** Walrus's own encoder. */
const encoded = (sizes: readonly number[], numShards: number): number | null => {
  try {
    const blobs = sizes.map((size, i) => ({ identifier: nameOf(i), contents: new Uint8Array(size) }));
    return encodeQuilt({ blobs, numShards }).quilt.length;
  } catch {
    return null;
  }
};

describe('how large a quilt is', () => {
  it.each<[number, readonly number[]]>([
    [25, [1]],
    [25, Array.from({ length: 16 }, () => 10_240)],
    [25, [1, 2, 3, 1_048_576]],
    [1_000, Array.from({ length: 500 }, () => 10_240)],
    [1_000, [300_000, 5, 70_000]],
  ])('over %p shards is what Walrus’s encoder makes', (shards, sizes) => {
    expect(quiltBytes(sizes, 64, shards)).toBe(encoded(sizes, shards));
  });

  it('is never said smaller than it is, and not by a symbol larger', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(sizes, fc.constantFrom(25, 31), (given, shards) => {
        const ours = quiltBytes(given, 64, shards);
        const theirs = encoded(given, shards);
        expect(ours).toBe(theirs);
      }),
      { numRuns: 40 },
    );
  });

  it('has room for one file a column, beside the index', () => {
    expect([mostQuiltFiles(25), mostQuiltFiles(1_000)]).toEqual([16, 666]);
    const files = (count: number) => Array.from({ length: count }, () => 100);
    expect(quiltBytes(files(16), 64, 25)).not.toBeNull();
    expect(quiltBytes(files(17), 64, 25)).toBeNull();
    // 9 · 17 symbols of 65,534 bytes are all that there is.
    expect(quiltBytes([9 * 17 * 65_534], 64, 25)).toBeNull();
  });

  it.each([[[]], [[0]], [[1.5]], [[-1]]])('refuses the sizes %p', (sizes) => {
    expect(() => quiltBytes(sizes, 64, 25)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
