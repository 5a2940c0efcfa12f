import { describe, expect, it } from '@jest/globals';
import { UsufructError } from '@usufruct/kernel';
import fc from 'fast-check';
import {
  DOCUMENTED_PRICES,
  encodedBlobBytes,
  extensionCostFrost,
  maxBlobBytes,
  sourceSymbols,
  storageCost,
} from './index.js';

const MIB = 1024 ** 2;
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return error instanceof UsufructError ? error.code : String(error);
  }
};

describe('the encoded size', () => {
  // The tests of Walrus's own contract: redstuff.move, test_encoded_size_reed_solomon and test_zero_size.
  it.each([
    [1, 10, 10 * (2 * (4 + 7) + 10 * 2 * 32 + 32)],
    [0, 10, 10 * (2 * (4 + 7) + 10 * 2 * 32 + 32)],
    [1, 1_000, 1_000 * (2 * (334 + 667) + 1_000 * 2 * 32 + 32)],
    [4 * 7 * 100, 10, 10 * ((4 + 7) * 100 + 10 * 2 * 32 + 32)],
    [334 * 667 * 100, 1_000, 1_000 * ((334 + 667) * 100 + 1_000 * 2 * 32 + 32)],
    // What a publisher answered for a quilt of two photographs, in Walrus's documentation of quilts.
    [1_782_224, 1_000, 72_040_000],
    // What a publisher answered for a small blob, in its documentation of the HTTP API.
    [17, 1_000, 66_034_000],
  ])('of %i bytes on %i shards is %i', (sizeBytes, shards, encoded) => {
    expect(encodedBlobBytes(sizeBytes, shards)).toBe(encoded);
  });

  // redstuff.move, test_source_symbols_number.
  it.each([
    [7, 3, 5],
    [10, 4, 7],
    [31, 11, 21],
    [100, 34, 67],
    [301, 101, 201],
    [1_000, 334, 667],
  ])('has for %i shards %i by %i source symbols', (shards, primary, secondary) => {
    expect(sourceSymbols(shards)).toEqual({ primary, secondary });
  });

  it('ends at the size that `walrus info` prints for the mainnet', () => {
    expect(maxBlobBytes(1_000)).toBe(14_599_533_452);
    expect(encodedBlobBytes(maxBlobBytes(1_000), 1_000)).toBe(1_000 * (1_001 * 65_534 + 64_032));
    expect(codeOf(() => encodedBlobBytes(maxBlobBytes(1_000) + 1, 1_000))).toBe('REQUEST_TOO_LARGE');
  });

  it('never shrinks when a blob grows, and grows by whole pairs of symbols', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 1_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (shards, part) => {
        const sizeBytes = Math.floor(part * (maxBlobBytes(shards) - 1));
        const { primary, secondary } = sourceSymbols(shards);
        const step = encodedBlobBytes(sizeBytes + 1, shards) - encodedBlobBytes(sizeBytes, shards);
        expect([0, 2 * shards * (primary + secondary)]).toContain(step);
        // Every byte is in the matrix.
        const slivers = encodedBlobBytes(sizeBytes, shards) - shards * (shards * 64 + 32);
        expect((slivers / shards / (primary + secondary)) * primary * secondary).toBeGreaterThanOrEqual(sizeBytes);
      }),
    );
  });

  it.each([
    [-1, 10],
    [1.5, 10],
    [Number.NaN, 10],
    [2 ** 53, 1_000],
    [1, 3],
    [1, 1_001],
    [1, 9.5],
  ])('of %d bytes on %d shards is refused', (sizeBytes, shards) => {
    expect(codeOf(() => encodedBlobBytes(sizeBytes, shards))).toBe('INVALID_ARGUMENT');
  });
});

describe('the cost', () => {
  it.each([
    // ⌈16,777,216 / 222,778⌉ = 76, even: 76 × 1,001,000 + 64,032,000 = 140,108,000 bytes = 133.6 MiB.
    [16 * MIB, 134],
    // ⌈536,870,912 / 222,778⌉ = 2,410, even: 2,410 × 1,001,000 + 64,032,000 = 2,476,442,000 bytes = 2,361.7 MiB.
    [512 * MIB, 2_362],
  ])('of %i bytes is counted in %i units of a MiB', (sizeBytes, units) => {
    expect(storageCost(encodedBlobBytes(sizeBytes, 1_000), 1, DOCUMENTED_PRICES).units).toBe(units);
  });

  it('is what publishers of the documentation charged', () => {
    // 66,034,000 bytes are 63 units and 63 × 2,100 = 132,300; 72,040,000 are 69 and 69 × 175,000 = 12,075,000. For one
    // epoch, both prices together: how they divide is not printed there.
    const charged = (encodedBytes: number, storageUnitFrost: bigint): bigint =>
      storageCost(encodedBytes, 1, { storageUnitFrost, writeUnitFrost: 100n }).totalFrost;
    expect(charged(66_034_000, 2_000n)).toBe(132_300n);
    expect(charged(72_040_000, 174_900n)).toBe(12_075_000n);
  });

  it('is storage for each epoch and writing once; an extension writes nothing', () => {
    // A small file: 63 units. 63 × 26 × 100,000 + 63 × 20,000 FROST = 0.16506 WAL for a year.
    const encoded = encodedBlobBytes(10 * 1024, 1_000);
    expect(storageCost(encoded, 26, DOCUMENTED_PRICES)).toEqual({
      units: 63,
      storageFrost: 163_800_000n,
      writeFrost: 1_260_000n,
      totalFrost: 165_060_000n,
    });
    expect(extensionCostFrost(encoded, 26, DOCUMENTED_PRICES)).toBe(163_800_000n);
  });

  it.each([
    [0, 1],
    [1.5, 1],
    [1, -1],
    [1, 0.5],
  ])('of %d encoded bytes for %d epochs is refused', (encodedBytes, epochs) => {
    expect(codeOf(() => storageCost(encodedBytes, epochs, DOCUMENTED_PRICES))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => extensionCostFrost(encodedBytes, epochs, DOCUMENTED_PRICES))).toBe('INVALID_ARGUMENT');
  });
});
