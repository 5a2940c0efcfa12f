import { describe, expect, it } from '@jest/globals';
import { encodedBytes } from './encoded-size.js';

describe('the encoded size', () => {
  it.each([
    // Walrus's documentation prints 66,034,000 for a blob of a few bytes on its 1,000 shards.
    [10, 1_000, 66_034_000],
    [1, 1_000, 66_034_000],
    // One symbol of two bytes for each of 334 × 667 is full at 445,556 bytes; a byte more takes two bytes a symbol more.
    [445_556, 1_000, 66_034_000],
    [445_557, 1_000, 66_034_000 + 1_001 * 2 * 1_000],
    // By hand for 4 shards: f = 1, 2 × 3 symbols of 2 bytes; 4 · (4·64 + 32) + (2 + 3) · 2 · 4.
    [12, 4, 1_192],
    [13, 4, 1_192 + 40],
  ])('of %d bytes in %d shards is %d', (size, shards, expected) => {
    expect(encodedBytes(size, shards)).toBe(expected);
  });
});
