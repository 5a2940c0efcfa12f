import { describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs } from '@usufruct/kernel';
import { batchLength } from './batch.js';

const RULES = { leastReceipts: 3, longestWaitMs: 1_000, mostReceipts: 5 };
/** Receipt `i` was settled at time 100 × i. */
const lengthOf = (units: readonly number[], nowMs = 0, reach = units.length): number =>
  batchLength(
    {
      pooledUnits: units.map((one) => asAmount(BigInt(one))),
      settledAtMs: units.map((_, i) => asTimestampMs(100 * i)),
    },
    reach,
    RULES,
    asTimestampMs(nowMs),
  );

describe('how many receipts make an epoch', () => {
  it.each<[string, number, number]>([
    ['nothing', lengthOf([]), 0],
    ['too few that pay', lengthOf([7, 7, 0, 0]), 0],
    ['enough that pay', lengthOf([7, 7, 0, 7]), 4],
    ['enough, of which the holders reach too few', lengthOf([7, 7, 0, 7], 0, 3), 0],
    ['none of what waits is reached, however old', lengthOf([7, 7, 7], 9_999, 0), 0],
    ['too few, and the oldest that pays a moment too young', lengthOf([0, 7], 1_099), 0],
    ['too few, and the oldest that pays has waited', lengthOf([0, 7], 1_100), 2],
    ['free ones alone, however old', lengthOf([0, 0, 0, 0], 9_999), 0],
    ['free ones as many as an epoch covers', lengthOf([0, 0, 0, 0, 0]), 5],
    ['of which the holders reach some', lengthOf([0, 0, 0, 0, 0], 0, 2), 2],
    ['free ones in front of too few that pay, at full length', lengthOf([0, 0, 0, 7, 0]), 3],
    ['too few that pay in front, at full length', lengthOf([7, 0, 0, 0, 0]), 0],
    ['too few that pay in front, at full length, and old', lengthOf([7, 0, 0, 0, 0], 1_000), 5],
  ])('%s', (_name, length, expected) => expect(length).toBe(expected));
});
