import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ed25519, ristretto255 } from '@noble/curves/ed25519.js';
import { fromHex, type RandomSource } from '@usufruct/kernel';
import * as fc from 'fast-check';
import {
  combineCommitments,
  combineSubShares,
  dealSubShares,
  subDealingFlaw,
  type SubDeal,
  type SubDealing,
} from './resharing.js';
import { combine, deal, verifyShare, type Deal, type Share } from './sharing.js';

/** The tests reckon with Ed25519's scalars, which are the same field, and with the library's points. */
const { Fn } = ed25519.Point;
/** ℓ of RFC 9496, little-endian. */
const ORDER = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
const random: RandomSource = (length) => new Uint8Array(randomBytes(length));
const scalar = (value: number): Uint8Array => Uint8Array.of(value, ...new Uint8Array(31));
/** Coefficients as the dealer reads them: 64 bytes little-endian each. */
const polynomial = (...coefficients: number[]): RandomSource => {
  const left = [...coefficients];
  return (length) => Uint8Array.of(left.shift() ?? 0, ...new Uint8Array(length - 1));
};

interface Version {
  readonly shares: readonly Share[];
  readonly commitments: readonly Uint8Array[];
}
interface Counts {
  readonly threshold: number;
  readonly holderCount: number;
}

const dealAll = (shares: readonly Share[], to: Counts): SubDeal[] =>
  shares.map((share) => dealSubShares({ share, ...to, random }));
/** What receiver `j` has of dealers whose shares are given. */
const dealingsOf = (shares: readonly Share[], deals: readonly SubDeal[], j: number): SubDealing[] =>
  shares.map(({ index }, i) => ({
    dealerIndex: index,
    commitments: deals[i]!.commitments,
    subShare: deals[i]!.subShares[j - 1]!,
  }));

/** Re-share by these dealers, every check made. */
function reshare(from: Version, dealers: readonly number[], to: Counts): Version {
  const shares = dealers.map((index) => from.shares.find((share) => share.index === index)!);
  const deals = dealAll(shares, to);
  const commitments = combineCommitments(dealingsOf(shares, deals, 1), from.commitments[0]!);
  return {
    commitments,
    shares: Array.from({ length: to.holderCount }, (_, i) => {
      const dealings = dealingsOf(shares, deals, i + 1);
      const receiver = {
        fromCommitments: from.commitments,
        threshold: to.threshold,
        receiverIndex: i + 1,
      };
      expect(dealings.map((dealing) => subDealingFlaw(dealing, receiver))).toEqual(dealers.map(() => null));
      return combineSubShares(dealings, i + 1);
    }),
  };
}

const counts = fc
  .integer({ min: 1, max: 6 })
  .chain((holderCount) =>
    fc.record({ holderCount: fc.constant(holderCount), threshold: fc.integer({ min: 1, max: holderCount }) }),
  );
const someOf = (n: number, least: number, most = n) =>
  fc.shuffledSubarray(
    Array.from({ length: n }, (_, i) => i + 1),
    { minLength: least, maxLength: most },
  );
const SEEDED = { seed: 20261121, numRuns: 25 };

describe('re-sharing', () => {
  it('shares the shares again: the numbers by hand', () => {
    // f(x) = 1 + 7x: f(1) = 8, f(2) = 15. g_1(x) = 8 + 3x, g_2(x) = 15 + 5x, both of degree 1.
    const from = deal({ threshold: 2, holderCount: 3, random: polynomial(1, 7) });
    const first = dealSubShares({ share: from.shares[0]!, threshold: 2, holderCount: 3, random: polynomial(3) });
    const second = dealSubShares({ share: from.shares[1]!, threshold: 2, holderCount: 3, random: polynomial(5) });
    expect(first.subShares).toEqual([11, 14, 17].map(scalar));
    expect(second.subShares).toEqual([20, 25, 30].map(scalar));
    // λ_1 = 2/(2-1) = 2, λ_2 = 1/(1-2) = -1: the new polynomial is 2·(8 + 3x) - (15 + 5x) = 1 + x.
    const deals = [first, second];
    const shares = [1, 2, 3].map((j) => combineSubShares(dealingsOf(from.shares.slice(0, 2), deals, j), j));
    expect(shares).toEqual([2, 3, 4].map((value, i) => ({ index: i + 1, value: scalar(value) })));
    const commitments = combineCommitments(dealingsOf(from.shares.slice(0, 2), deals, 1), from.commitments[0]!);
    expect(commitments).toEqual([scalar(1), scalar(1)].map((value) => pointTimes(value)));
  });

  it('keeps the secret and the first commitment for every t of n to t′ of n′ and every choice of dealers', () => {
    const anyRotation = counts.chain((old) =>
      fc.tuple(fc.constant(old), someOf(old.holderCount, old.threshold, old.threshold), counts),
    );
    fc.assert(
      fc.property(anyRotation, ([old, dealers, to]) => {
        const from = deal({ ...old, random });
        const next = reshare(from, dealers, to);
        expect(next.commitments).toHaveLength(to.threshold);
        expect(next.commitments[0]).toEqual(from.commitments[0]);
        expect(next.shares.every((share) => verifyShare(share, next.commitments))).toBe(true);
        expect(combine(next.shares, next.commitments)).toEqual(from.secret);
      }),
      SEEDED,
    );
  });

  it('survives ten versions in a row, with holders joining, leaving and lost', () => {
    const origin = deal({ threshold: 2, holderCount: 3, random });
    let version: Version = origin;
    const path: [number[], Counts][] = [
      [[1, 3], { threshold: 2, holderCount: 3 }],
      [[2, 3], { threshold: 3, holderCount: 5 }],
      [[1, 4, 5], { threshold: 3, holderCount: 5 }],
      [[3, 1, 2], { threshold: 5, holderCount: 7 }],
      [[7, 6, 5, 4, 2], { threshold: 1, holderCount: 2 }],
      [[2], { threshold: 2, holderCount: 2 }],
      [[1, 2], { threshold: 4, holderCount: 32 }],
      [[32, 17, 8, 31], { threshold: 2, holderCount: 3 }],
      [[1, 2], { threshold: 2, holderCount: 3 }],
      [[2, 3], { threshold: 2, holderCount: 3 }],
    ];
    for (const [dealers, to] of path) version = reshare(version, dealers, to);
    expect(combine(version.shares, version.commitments)).toEqual(origin.secret);
    expect(version.commitments[0]).toEqual(origin.commitments[0]);
  });

  it('makes fresh shares: old and new ones do not combine, nor do those of two choices of dealers', () => {
    const from = deal({ threshold: 2, holderCount: 3, random });
    const to = { threshold: 2, holderCount: 3 };
    const [one, other] = [reshare(from, [1, 2], to), reshare(from, [1, 3], to)];
    for (const [a, b] of [
      [from, one],
      [one, from],
      [one, other],
    ] as [Version, Version][]) {
      expect(() => combine([a.shares[0]!, b.shares[1]!], a.commitments)).toThrow(
        expect.objectContaining({ code: 'SHARE_INVALID', details: { index: '2' } }),
      );
      expect(verifyShare(b.shares[0]!, a.commitments)).toBe(false);
    }
  });

  it('deals the same for the same bytes, so that asking twice does not make two polynomials', () => {
    const { shares } = deal({ threshold: 2, holderCount: 3, random });
    const again = () => dealSubShares({ share: shares[0]!, threshold: 2, holderCount: 3, random: polynomial(9) });
    expect(again()).toEqual(again());
  });
});

describe('what the few learn', () => {
  /**
   * Unknowns: the coefficients of f, then of each g_i but its constant term, which is f(i). Each row is what somebody
   * knows, as a linear function of them. The secret is learnt if and only if (1, 0, …) is in the span of the rows.
   */
  function isSecretKnown(old: Counts, to: Counts, dealers: readonly number[], bad: Few): boolean {
    const width = old.threshold + dealers.length * (to.threshold - 1);
    const power = (x: number, k: number): bigint => F(BigInt(x) ** BigInt(k));
    const atOld = (i: number): bigint[] => [
      ...Array.from({ length: old.threshold }, (_, k) => power(i, k)),
      ...Array<bigint>(width - old.threshold).fill(0n),
    ];
    const offset = (position: number): number => old.threshold + position * (to.threshold - 1);
    const rows = bad.old.map(atOld);
    for (const [position, i] of dealers.entries()) {
      // A bad dealer knows all of its own polynomial; a bad receiver knows what every dealer gave it.
      if (bad.old.includes(i)) {
        for (let k = 1; k < to.threshold; k++) rows.push(unit(width, offset(position) + k - 1));
      }
      for (const j of bad.new) {
        const row = atOld(i);
        for (let k = 1; k < to.threshold; k++) row[offset(position) + k - 1] = power(j, k);
        rows.push(row);
      }
    }
    return rank([...rows, unit(width, 0)]) === rank(rows);
  }
  interface Few {
    readonly old: readonly number[];
    readonly new: readonly number[];
  }

  const anything = counts.chain((old) =>
    counts.chain((to) =>
      fc.record({
        old: fc.constant(old),
        to: fc.constant(to),
        // Every holder may deal, not only those that are used: nothing may depend on it.
        dealers: someOf(old.holderCount, old.threshold),
        badOld: someOf(old.holderCount, 0),
        badNew: someOf(to.holderCount, 0),
      }),
    ),
  );

  it('is nothing below both thresholds, whatever they pool, and everything from either on', () => {
    fc.assert(
      fc.property(anything, ({ old, to, dealers, badOld, badNew }) => {
        const enough = badOld.length >= old.threshold || badNew.length >= to.threshold;
        expect(isSecretKnown(old, to, dealers, { old: badOld, new: badNew })).toBe(enough);
      }),
      { seed: 20261121, numRuns: 400 },
    );
  });

  it('is nothing either when fewer than t′ new shares are put into the old interpolation', () => {
    const from = deal({ threshold: 3, holderCount: 5, random });
    const next = reshare(from, [1, 2, 5], { threshold: 3, holderCount: 5 });
    const mixed = [from.shares[0]!, from.shares[1]!, next.shares[2]!];
    for (const { commitments } of [from, next]) {
      expect(() => combine(mixed, commitments)).toThrow(expect.objectContaining({ code: 'SHARE_INVALID' }));
    }
  });
});

describe('who is named', () => {
  const to = { threshold: 2, holderCount: 3 };
  const from: Deal = deal({ threshold: 2, holderCount: 3, random });
  const shares = from.shares.slice(0, 2);
  const deals = dealAll(shares, to);
  const good = dealingsOf(shares, deals, 3)[1]!;
  const receiver = { fromCommitments: from.commitments, threshold: 2, receiverIndex: 3 };
  const changed = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes, (byte, i) => (i === 0 ? byte ^ 1 : byte));
  const another = dealSubShares({ share: { index: 2, value: scalar(5) }, ...to, random });

  it.each<[string, Partial<SubDealing>, string]>([
    ['a sub-share with a flipped bit', { subShare: changed(good.subShare) }, 'SUB_SHARE'],
    ['the sub-share of another receiver', { subShare: deals[1]!.subShares[0]! }, 'SUB_SHARE'],
    ['zero', { subShare: new Uint8Array(32) }, 'SUB_SHARE'],
    ['the group order', { subShare: ORDER }, 'SUB_SHARE'],
    ['31 bytes', { subShare: good.subShare.subarray(1) }, 'SUB_SHARE'],
    ['a polynomial of another value than its share', { ...another, subShare: another.subShares[2]! }, 'CONSTANT_TERM'],
    ['a dealing of another dealer', { dealerIndex: 1 }, 'CONSTANT_TERM'],
    ['an index of nobody', { dealerIndex: 0 }, 'COMMITMENTS'],
    ['one commitment too few', { commitments: good.commitments.slice(1) }, 'COMMITMENTS'],
    ['one commitment too many', { commitments: [...good.commitments, good.commitments[0]!] }, 'COMMITMENTS'],
    ['the identity', { commitments: [good.commitments[0]!, new Uint8Array(32)] }, 'COMMITMENTS'],
    ['bytes that are no point', { commitments: [good.commitments[0]!, new Uint8Array(32).fill(255)] }, 'COMMITMENTS'],
  ])('is a dealer of %s', (_name, change, flaw) => {
    expect(subDealingFlaw(good, receiver)).toBeNull();
    expect(subDealingFlaw({ ...good, ...change }, receiver)).toBe(flaw);
  });

  it('is nobody but all of them where their commitments together are not to the secret', () => {
    const dealings = dealingsOf(shares, deals, 1);
    const refused = expect.objectContaining({
      code: 'SHARE_INVALID',
      details: { index: '1,2', reason: 'these dealers do not commit to the secret' },
    });
    expect(() => combineCommitments(dealings, deals[0]!.commitments[0]!)).toThrow(refused);
    expect(() => combineCommitments([dealings[0]!, { ...another, dealerIndex: 2 }], from.commitments[0]!)).toThrow(
      refused,
    );
    expect(() =>
      combineCommitments([dealings[0]!, { ...dealings[1]!, commitments: [] }], from.commitments[0]!),
    ).toThrow(refused);
  });

  it('refuses too few dealers, one twice, none, and what is no share', () => {
    const dealings = dealingsOf(shares, deals, 1);
    const invalid = expect.objectContaining({ code: 'SHARE_INVALID' });
    expect(() => combineCommitments(dealings.slice(0, 1), from.commitments[0]!)).toThrow(invalid);
    expect(() => combineCommitments([dealings[0]!, dealings[0]!], from.commitments[0]!)).toThrow(invalid);
    expect(() => combineCommitments([], from.commitments[0]!)).toThrow(invalid);
    expect(() => combineSubShares([dealings[0]!, dealings[0]!], 1)).toThrow(invalid);
    expect(() => combineSubShares([{ ...dealings[0]!, subShare: new Uint8Array(32) }], 1)).toThrow(invalid);
    expect(() => dealSubShares({ share: { index: 1, value: new Uint8Array(32) }, ...to, random })).toThrow(invalid);
  });

  it.each([
    ['threshold 0', { threshold: 0, holderCount: 3 }],
    ['threshold over the holders', { threshold: 4, holderCount: 3 }],
    ['256 holders', { threshold: 2, holderCount: 256 }],
  ])('refuses %s', (_name, wrong) => {
    expect(() => dealSubShares({ share: from.shares[0]!, ...wrong, random })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

const F = (value: bigint): bigint => Fn.create(value);
const unit = (width: number, at: number): bigint[] => Array.from({ length: width }, (_, k) => (k === at ? 1n : 0n));
const pointTimes = (value: Uint8Array): Uint8Array => ristretto255.Point.BASE.multiply(Fn.fromBytes(value)).toBytes();

/** By Gaussian elimination over the scalars. */
function rank(rows: readonly (readonly bigint[])[]): number {
  const matrix = rows.map((row) => [...row]);
  const width = matrix[0]?.length ?? 0;
  let found = 0;
  for (let column = 0; column < width; column++) {
    const pivot = matrix.findIndex((row, i) => i >= found && row[column] !== 0n);
    if (pivot === -1) continue;
    [matrix[found], matrix[pivot]] = [matrix[pivot]!, matrix[found]!];
    const inverse = Fn.inv(matrix[found]![column]!);
    for (let i = found + 1; i < matrix.length; i++) {
      const factor = F(matrix[i]![column]! * inverse);
      if (factor !== 0n) matrix[i] = matrix[i]!.map((value, k) => F(value - factor * matrix[found]![k]!));
    }
    found += 1;
  }
  return found;
}
