import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { maxShapley, wholeShares } from './max-shapley.js';

const PLAYERS = 8;
const value = fc.bigInt({ min: 0n, max: 10n ** 12n });
const game = fc.integer({ min: 1, max: PLAYERS }).chain((players) =>
  fc.record({
    players: fc.constant(players),
    values: fc.array(fc.array(value, { minLength: players, maxLength: players }), { maxLength: 5 }),
  }),
);

const worthOf = (values: readonly (readonly bigint[])[], set: number): bigint =>
  values.reduce((sum, point) => sum + point.reduce((max, v, i) => ((set >> i) & 1 && v > max ? v : max), 0n), 0n);
const sizeOf = (set: number): number => [...set.toString(2)].filter((bit) => bit === '1').length;
const factorial = (n: number): bigint => (n <= 1 ? 1n : BigInt(n) * factorial(n - 1));

/** By its definition: over all sets without i, |S|! (n − |S| − 1)! / n! of what i adds. As numerators over n!. */
const byDefinition = (values: readonly (readonly bigint[])[], players: number): bigint[] =>
  Array.from({ length: players }, (_, i) => {
    let sum = 0n;
    for (let set = 0; set < 1 << players; set++) {
      if ((set >> i) & 1) continue;
      const added = worthOf(values, set | (1 << i)) - worthOf(values, set);
      sum += factorial(sizeOf(set)) * factorial(players - sizeOf(set) - 1) * added;
    }
    return sum;
  });

describe('the Shapley value of max-sum games', () => {
  it('is worked out by hand for three players', () => {
    // One point of 0, 6, 10: the step of 6 is shared by two, that of 4 goes to the last.
    const { numerators, denominator } = maxShapley([[0n, 6n, 10n]], 3);
    expect(numerators.map((numerator) => numerator / denominator)).toEqual([0n, 3n, 7n]);
  });

  it('is what the definition over all subsets gives, exactly', () => {
    fc.assert(
      fc.property(game, ({ players, values }) => {
        const { numerators, denominator } = maxShapley(values, players);
        const expected = byDefinition(values, players);
        numerators.forEach((numerator, i) => expect(numerator * factorial(players)).toBe(expected[i]! * denominator));
      }),
      { numRuns: 60 },
    );
  });

  it('is efficient, symmetric, gives nothing to a null player, and is additive', () => {
    fc.assert(
      fc.property(game, ({ players, values }) => {
        const { numerators, denominator } = maxShapley(values, players);
        const all = (1 << players) - 1;
        expect(numerators.reduce((sum, one) => sum + one, 0n)).toBe(worthOf(values, all) * denominator);
        expect(wholeShares({ numerators, denominator }).reduce((sum, one) => sum + one, 0n)).toBe(worthOf(values, all));

        const withTwin = maxShapley(
          values.map((point) => [...point, point[0]!]),
          players + 1,
        );
        expect(withTwin.numerators[players]).toBe(withTwin.numerators[0]);

        const withNull = maxShapley(
          values.map((point) => [...point, 0n]),
          players + 1,
        );
        expect(withNull.numerators[players]).toBe(0n);
        numerators.forEach((one, i) => expect(withNull.numerators[i]! * denominator).toBe(one * withNull.denominator));

        const halves = [values.slice(0, 2), values.slice(2)].map((half) => maxShapley(half, players).numerators);
        numerators.forEach((one, i) => expect(one).toBe(halves[0]![i]! + halves[1]![i]!));
      }),
      { numRuns: 200 },
    );
  });

  it('is of 64 players at once, where nobody could go through all sets', () => {
    const point = Array.from({ length: 64 }, (_, i) => BigInt(i));
    expect(wholeShares(maxShapley([point], 64)).reduce((sum, one) => sum + one, 0n)).toBe(63n);
  });
});
