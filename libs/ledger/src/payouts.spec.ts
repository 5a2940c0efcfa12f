import { describe, expect, it } from '@jest/globals';
import { asAmount, asId, asWeight, type Address, type ContributionId } from '@usufruct/kernel';
import fc from 'fast-check';
import { licencePayoutsOf, payoutsOf, type PaidUse } from './payouts.js';

const id = (n: number): `0x${string}` => `0x${n.toString(16).padStart(64, '0')}`;
const account = (n: number): Address => asId<Address>(id(n), 'account');
const use = (contribution: number, owner: number, weight: bigint): PaidUse => ({
  contributionId: asId<ContributionId>(id(contribution), 'contribution'),
  owner: account(owner),
  weight: asWeight(weight),
});
const terms = (priceUnits: bigint, bps: [number, number, number, number] = [7000, 2000, 800, 200]) => ({
  priceUnits: asAmount(priceUnits),
  split: { contributorsBps: bps[0], treasuryBps: bps[1], runnerBps: bps[2], protocolBps: bps[3] },
  treasury: account(101),
  runner: account(102),
  protocol: account(103),
});
const brief = (rows: ReturnType<typeof payoutsOf>) =>
  rows.map((r) => [r.role, Number(BigInt(r.account)), r.amountUnits]);

describe('payoutsOf', () => {
  it('splits, then divides by weight', () => {
    // 1,000,000: contributors 700,000; by 3:1 → 525,000 and 175,000
    expect(brief(payoutsOf(terms(1_000_000n), [use(1, 11, 3n), use(2, 12, 1n)]))).toEqual([
      ['contributor', 11, 525_000n],
      ['contributor', 12, 175_000n],
      ['treasury', 101, 200_000n],
      ['runner', 102, 80_000n],
      ['protocol', 103, 20_000n],
    ]);
  });

  it('gives the odd unit to the smaller owner address, then to the smaller contribution', () => {
    // contributors get 1; 1·(1,1)/2 leaves one unit with equal remainders
    const odd = terms(1n, [10_000, 0, 0, 0]);
    expect(brief(payoutsOf(odd, [use(1, 12, 1n), use(2, 11, 1n)]))).toEqual([['contributor', 11, 1n]]);
    const rows = payoutsOf(odd, [use(2, 11, 1n), use(1, 11, 1n)]);
    expect(rows.map((r) => r.contributionId)).toEqual([id(1)]);
  });

  it('has one row per contribution even for one owner', () => {
    expect(brief(payoutsOf(terms(10_000n), [use(1, 11, 1n), use(2, 11, 1n)])).slice(0, 2)).toEqual([
      ['contributor', 11, 3_500n],
      ['contributor', 11, 3_500n],
    ]);
  });

  it('pays nobody for a question that used nothing and costs nothing', () => {
    expect(payoutsOf(terms(0n), [])).toEqual([]);
  });

  it.each([
    ['nothing used', []],
    ['no weight', [use(1, 11, 0n)]],
  ])('refuses a price with %s', (_name, uses) => {
    // also where the contributors' part would be zero: a price is owed for use only
    expect(() => payoutsOf(terms(100n, [0, 10_000, 0, 0]), uses)).toThrow(/uses/);
  });

  it('adds up to the price', () => {
    const uses = fc.uniqueArray(fc.tuple(fc.nat(50), fc.nat(5), fc.bigInt(0n, 1000n)), {
      minLength: 1,
      selector: ([contribution]) => contribution,
    });
    fc.assert(
      fc.property(uses, fc.bigInt(0n, 2n ** 64n - 1n), fc.nat(10_000), fc.nat(10_000), (raw, price, a, b) => {
        fc.pre(raw.some(([, , weight]) => weight > 0n));
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const rows = payoutsOf(
          terms(price, [low, high - low, 10_000 - high, 0]),
          raw.map(([c, o, w]) => use(c, o, w)),
        );
        expect(rows.reduce<bigint>((sum, row) => sum + row.amountUnits, 0n)).toBe(price);
        expect(rows.every((row) => row.amountUnits > 0n)).toBe(true);
      }),
    );
  });
});

describe('licencePayoutsOf', () => {
  it.each([
    // 9,800 and 200 of 10,000: 980,000.98 and 20,000.02; the unit that is left goes to the larger remainder.
    [
      1_000_001n,
      [
        ['treasury', 101, 980_001n],
        ['protocol', 103, 20_000n],
      ],
    ],
    // 24.5 and 0.5: equal remainders, the earlier part.
    [25n, [['treasury', 101, 25n]]],
    [0n, []],
  ])('of %s', (price, rows) => {
    expect(brief(licencePayoutsOf(terms(price)))).toEqual(rows);
  });

  it('adds up to the price', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), fc.nat(10_000), (price, protocolBps) => {
        const rows = licencePayoutsOf(terms(price, [10_000 - protocolBps, 0, 0, protocolBps]));
        expect(rows.reduce((sum, row) => sum + row.amountUnits, 0n)).toBe(price);
      }),
    );
  });

  it('refuses a split that is not whole', () => {
    expect(() => licencePayoutsOf(terms(1n, [10_000, 0, 0, 1]))).toThrow(/split/i);
  });
});
