import { describe, expect, it } from '@jest/globals';
import { asAmount, asWeight, UsufructError, type ErrorCode } from '@usufruct/kernel';
import fc from 'fast-check';
import { allocate, splitByBasisPoints, type Share } from './allocate.js';

const key = (n: number): Uint8Array => Uint8Array.of(n);
const shares = (...weights: bigint[]): Share[] => weights.map((w, i) => ({ weight: asWeight(w), tieKey: key(i) }));
const units = (amounts: readonly bigint[]): bigint[] => [...amounts];

describe('allocate', () => {
  // total, weights, expected; the arithmetic is in the comment of each row
  const rows: [string, bigint, bigint[], bigint[]][] = [
    ['even', 90n, [1n, 1n, 1n], [30n, 30n, 30n]],
    // 100/3 = 33 r 1 each (remainders equal): one unit left, the smallest key gets it
    ['one left, tie', 100n, [1n, 1n, 1n], [34n, 33n, 33n]],
    // 10·(1,2,4)/7 = 1 r 3, 2 r 6, 5 r 5: floors 8, two left to remainders 6 and 5
    ['two left', 10n, [1n, 2n, 4n], [1n, 3n, 6n]],
    // 5·(0,1,1)/2 = 0 r 0, 2 r 1, 2 r 1: one left, tie between the second and the third
    ['zero weight gets nothing', 5n, [0n, 1n, 1n], [0n, 3n, 2n]],
    // 1·(49,51)/100 = 0 r 49, 0 r 51
    ['a single unit goes to the larger weight', 1n, [49n, 51n], [0n, 1n]],
    ['nothing to divide', 0n, [0n, 0n], [0n, 0n]],
    ['nothing to divide, nobody', 0n, [], []],
    // (2^64-1)·(2^64-1)/(2·(2^64-1)) = (2^64-1)/2 = 9223372036854775807 r half: tie
    [
      'the largest numbers',
      18_446_744_073_709_551_615n,
      [18_446_744_073_709_551_615n, 18_446_744_073_709_551_615n],
      [9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
    ],
  ];
  it.each(rows)('%s', (_name, total, weights, expected) => {
    expect(units(allocate(asAmount(total), shares(...weights)))).toEqual(expected);
  });

  it('breaks ties by the key bytes, not by the order given', () => {
    // 1·(1,1)/2 = 0 r 1 each: the smaller key gets the unit wherever it stands
    const tied = [
      { weight: asWeight(1n), tieKey: Uint8Array.of(2, 0) },
      { weight: asWeight(1n), tieKey: Uint8Array.of(1, 255) },
    ];
    expect(units(allocate(asAmount(1n), tied))).toEqual([0n, 1n]);
    expect(units(allocate(asAmount(1n), tied.toReversed()))).toEqual([1n, 0n]);
  });

  const bad: [string, bigint, Share[], ErrorCode][] = [
    ['all weights zero', 1n, shares(0n, 0n), 'INVALID_ARGUMENT'],
    ['nobody to pay', 1n, [], 'INVALID_ARGUMENT'],
    ['a tie key twice', 0n, [...shares(1n), ...shares(1n)], 'INVALID_ARGUMENT'],
  ];
  it.each(bad)('refuses: %s', (_name, total, claims, code) => {
    expect(codeOf(() => allocate(asAmount(total), claims))).toBe(code);
  });

  const anyShares = fc.uniqueArray(
    fc.record({
      weight: fc.oneof(fc.constant(0n), fc.bigInt(0n, 20n), fc.bigInt(0n, 2n ** 64n - 1n)),
      tieKey: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 64, selector: ({ tieKey }) => tieKey.join() },
  );
  it('conserves, keeps within one unit of the quota, pays no zero weight, ignores the order', () => {
    fc.assert(
      fc.property(anyShares, fc.bigInt(0n, 2n ** 64n - 1n), fc.infiniteStream(fc.nat()), (raw, total, order) => {
        const claims = raw.map(({ weight, tieKey }) => ({ weight: asWeight(weight), tieKey }));
        const sum = claims.reduce((s, c) => s + c.weight, 0n);
        fc.pre(sum > 0n);
        const amounts = allocate(asAmount(total), claims);
        expect(amounts.reduce<bigint>((s, a) => s + a, 0n)).toBe(total);
        claims.forEach(({ weight }, i) => {
          // |amount − total·weight/sum| < 1, without division
          const error = amounts[i]! * sum - total * weight;
          expect(error < sum && -error < sum).toBe(true);
          if (weight === 0n) expect(amounts[i]).toBe(0n);
        });
        const shuffled = claims.map((_, i) => ({ i, rank: order.next().value })).sort((a, b) => a.rank - b.rank);
        const again = allocate(
          asAmount(total),
          shuffled.map(({ i }) => claims[i]!),
        );
        shuffled.forEach(({ i }, at) => expect(again[at]).toBe(amounts[i]));
      }),
    );
  });
});

describe('splitByBasisPoints', () => {
  const rows: [bigint, number[], bigint[]][] = [
    // 1,000,000 · 70/20/8/2 %
    [1_000_000n, [7000, 2000, 800, 200], [700_000n, 200_000n, 80_000n, 20_000n]],
    // 7·(7000,2000,800,200)/10000 = 4 r 9000, 1 r 4000, 0 r 5600, 0 r 1400: two left to 9000 and 5600
    [7n, [7000, 2000, 800, 200], [5n, 1n, 1n, 0n]],
    // 1·(5000,5000)/10000 = 0 r 5000 each: the earlier part
    [1n, [5000, 5000], [1n, 0n]],
    [3n, [10_000, 0], [3n, 0n]],
  ];
  it.each(rows)('%s by %j', (total, bps, expected) => {
    expect(units(splitByBasisPoints(asAmount(total), bps))).toEqual(expected);
  });

  it.each([[[9_999]], [[10_001]], [[]], [[-1, 10_001]], [[0.5, 9_999.5]]])('refuses %j', (bps) => {
    expect(codeOf(() => splitByBasisPoints(asAmount(1n), bps))).toBe('SPLIT_INVALID');
  });
});

function codeOf(run: () => unknown): ErrorCode | 'no error' {
  try {
    run();
  } catch (error) {
    if (error instanceof UsufructError) return error.code;
    throw error;
  }
  return 'no error';
}
