import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LEASE_LEVELS, leaseLevel, levelsFrom } from './lease-terms.js';

describe('how near the end of a lease is', () => {
  // A lease of 50 epochs that ends with epoch 150: 30 % are 15 epochs, 10 % are 5.
  it.each([
    [100, null],
    [134, null],
    [135, 'notice'],
    [144, 'notice'],
    [145, 'urgent'],
    [149, 'urgent'],
    [150, 'expired'],
    [9_999, 'expired'], // the clock of epochs leapt
    [3, null], // or went back
  ])('in epoch %d: %s', (epoch, level) => {
    expect(leaseLevel({ seenEpoch: 100, endEpoch: 150 }, epoch)).toBe(level);
  });

  it.each([
    ['a lease of two epochs', 148],
    ['a lease that was seen in its last epochs only', 149],
    ['one that had ended when it was seen', 200],
  ])('warns before the end of %s', (_, seenEpoch) => {
    const term = { seenEpoch, endEpoch: 150 };
    expect([147, 148, 149, 150].map((epoch) => leaseLevel(term, epoch))).toEqual([null, 'notice', 'urgent', 'expired']);
  });

  it('never gets better while the epochs go on', () => {
    const epochs = fc.integer({ min: 0, max: 1_000 });
    fc.assert(
      fc.property(epochs, epochs, epochs, (seenEpoch, endEpoch, epoch) => {
        const rank = (at: number) => {
          const level = leaseLevel({ seenEpoch, endEpoch }, at);
          return level === null ? -1 : LEASE_LEVELS.indexOf(level);
        };
        expect(rank(epoch + 1)).toBeGreaterThanOrEqual(rank(epoch));
      }),
    );
  });

  it('says which levels a told one makes superfluous', () => {
    expect(levelsFrom('urgent')).toEqual(['urgent', 'expired']);
    expect(levelsFrom('notice')).toEqual([...LEASE_LEVELS]);
  });
});
