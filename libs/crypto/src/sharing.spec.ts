import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { fromHex, toHex, type RandomSource } from '@usufruct/kernel';
import * as fc from 'fast-check';
import { combine, combineUnproven, deal, verifyShare, type Share } from './sharing.js';

const random: RandomSource = (length) => new Uint8Array(randomBytes(length));
const scalar = (value: number): Uint8Array => Uint8Array.of(value, ...new Uint8Array(31));
/** Coefficients as the dealer reads them: 64 bytes little-endian each. */
const polynomial = (...coefficients: number[]): RandomSource => {
  const left = [...coefficients];
  return (length) => Uint8Array.of(left.shift() ?? 0, ...new Uint8Array(length - 1));
};
/** ℓ of RFC 9496, little-endian. */
const ORDER = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');

describe('deal', () => {
  it('evaluates the polynomial at 1..n and commits to its coefficients', () => {
    // f(x) = 1 + 7x: f(1) = 8, f(2) = 15, f(3) = 22
    const dealt = deal({ threshold: 2, holderCount: 3, random: polynomial(1, 7) });
    expect(dealt.secret).toEqual(scalar(1));
    expect(dealt.shares).toEqual([8, 15, 22].map((value, i) => ({ index: i + 1, value: scalar(value) })));
    // 1·B and 7·B: RFC 9496 appendix A.1, multiples of the generator.
    expect(dealt.commitments.map(toHex)).toEqual([
      'e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76',
      '44f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d',
    ]);
  });

  it.each([
    ['threshold 0', { threshold: 0, holderCount: 3 }, 'threshold'],
    ['threshold over the holders', { threshold: 4, holderCount: 3 }, 'threshold'],
    ['no holders', { threshold: 1, holderCount: 0 }, 'holderCount'],
    ['256 holders', { threshold: 2, holderCount: 256 }, 'holderCount'],
    ['half a holder', { threshold: 1, holderCount: 1.5 }, 'holderCount'],
    ['not a number', { threshold: Number.NaN, holderCount: 3 }, 'threshold'],
  ])('refuses %s', (_name, counts, field) => {
    expect(() => deal({ ...counts, random })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ field }) }),
    );
  });

  it.each([
    ['zeros', (length: number) => new Uint8Array(length)],
    ['too few bytes', () => new Uint8Array(32).fill(1)],
    ['the group order, which is zero again', () => Uint8Array.of(...ORDER, ...new Uint8Array(32))],
  ])('refuses a random source that yields %s', (_name, broken) => {
    expect(() => deal({ threshold: 2, holderCount: 3, random: broken })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ field: 'random' }) }),
    );
  });
});

describe('combine', () => {
  const subset = fc
    .integer({ min: 1, max: 6 })
    .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n })))
    .chain(([n, t]) =>
      fc.tuple(
        fc.constant(n),
        fc.constant(t),
        fc.shuffledSubarray(
          Array.from({ length: n }, (_, i) => i),
          { minLength: t },
        ),
      ),
    );

  it('gives the secret from any threshold or more shares in any order, and every share verifies', () => {
    fc.assert(
      fc.property(subset, ([holderCount, threshold, chosen]) => {
        const { secret, shares, commitments } = deal({ threshold, holderCount, random });
        expect(shares.every((share) => verifyShare(share, commitments))).toBe(true);
        const given = chosen.map((i) => shares[i]!);
        expect(combine(given, commitments)).toEqual(secret);
      }),
      { numRuns: 25 },
    );
  });

  it('works at the largest size', () => {
    const { secret, shares, commitments } = deal({ threshold: 255, holderCount: 255, random });
    expect(verifyShare(shares[254]!, commitments)).toBe(true);
    expect(combine(shares, commitments)).toEqual(secret);
  });

  const dealt = deal({ threshold: 2, holderCount: 3, random });
  const other = deal({ threshold: 2, holderCount: 3, random });
  const [one, two, three] = dealt.shares as [Share, Share, Share];
  const changed = (share: Share, value: Uint8Array): Share => ({ index: share.index, value });
  const flipped = Uint8Array.from(two.value, (byte, i) => (i === 0 ? byte ^ 1 : byte));

  it.each([
    ['a flipped bit', [one, changed(two, flipped)], 'SHARE_INVALID', '2'],
    ['the share of another deal', [other.shares[0]!, two], 'SHARE_INVALID', '1'],
    ['a share under another index', [one, { index: 3, value: two.value }], 'SHARE_INVALID', '3'],
    ['zero', [one, changed(two, new Uint8Array(32))], 'SHARE_INVALID', '2'],
    ['a scalar that is not canonical', [one, changed(two, ORDER)], 'SHARE_INVALID', '2'],
    ['31 bytes', [one, changed(two, two.value.subarray(1))], 'SHARE_INVALID', '2'],
    ['index 0', [one, { index: 0, value: two.value }], 'SHARE_INVALID', '0'],
    ['index 256', [one, { index: 256, value: two.value }], 'SHARE_INVALID', '256'],
    ['the same share twice', [one, one], 'SHARE_INVALID', '1'],
    ['two bad shares of three', [changed(one, flipped), changed(two, flipped), three], 'SHARE_INVALID', '1,2'],
    ['a bad share where a spare one is good', [one, changed(two, flipped), three], 'SHARE_INVALID', '2'],
  ])('names the index of %s', (_name, shares, code, index) => {
    expect(() => combine(shares, dealt.commitments)).toThrow(
      expect.objectContaining({ code, details: expect.objectContaining({ index }) }),
    );
  });

  it('says how many shares are missing', () => {
    expect(() => combine([one], dealt.commitments)).toThrow(
      expect.objectContaining({ code: 'SHARES_INSUFFICIENT', details: { needed: '2', given: '1' } }),
    );
  });

  const identity = new Uint8Array(32);
  const notAPoint = new Uint8Array(32).fill(0xff);
  it.each([
    ['none', []],
    ['the identity', [dealt.commitments[0]!, identity]],
    ['bytes that are no point', [notAPoint, dealt.commitments[1]!]],
    ['a short point', [dealt.commitments[0]!.subarray(1), dealt.commitments[1]!]],
  ])('refuses commitments: %s', (_name, commitments) => {
    expect(() => combine([one, two], commitments)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('does not let fewer shares than the threshold fix the secret', () => {
    // With one share known, a different secret fits as well: f(x) = 1 + 7x and g(x) = 3 + 5x agree at x = 1.
    const f = deal({ threshold: 2, holderCount: 2, random: polynomial(1, 7) });
    const g = deal({ threshold: 2, holderCount: 2, random: polynomial(3, 5) });
    expect(f.shares[0]).toEqual(g.shares[0]);
    expect(f.secret).not.toEqual(g.secret);
  });
});

describe('combineUnproven', () => {
  const { secret, shares, commitments } = deal({ threshold: 3, holderCount: 5, random });
  const [one, two, three, four, five] = shares as [Share, Share, Share, Share, Share];
  it('gives what combine gives, whichever holders answered, and in every order', () => {
    const sets = [[one, two, three], [five, one, four], [three, four, five], [four, three, two]]; // prettier-ignore
    for (const set of sets) expect(combineUnproven(set, 3)).toEqual(combine(set, commitments));
    expect(combineUnproven([one, two, three, { ...four, value: one.value }], 3)).toEqual(secret);
  });
  it('gives another secret for a wrong share, which it does not notice', () => {
    expect(combineUnproven([one, two, { ...three, value: four.value }], 3)).not.toEqual(secret);
  });
  it('gives nothing for too few, for two of one index and for what is no share', () => {
    const bad = [[one, two], [], [one, one, two], [one, two, { ...three, value: new Uint8Array(32) }]]; // prettier-ignore
    for (const set of bad) expect(combineUnproven(set, 3)).toBeNull();
    expect(combineUnproven(shares, 0)).toBeNull();
  });
});

describe('verifyShare', () => {
  const { shares, commitments } = deal({ threshold: 2, holderCount: 3, random });
  it('is false for a share of another index or another deal', () => {
    expect(verifyShare({ index: 2, value: shares[0]!.value }, commitments)).toBe(false);
    expect(verifyShare(deal({ threshold: 2, holderCount: 3, random }).shares[0]!, commitments)).toBe(false);
    expect(verifyShare(shares[0]!, [])).toBe(false);
  });
  it('is false when the commitments are in another order', () => {
    expect(verifyShare(shares[0]!, commitments.toReversed())).toBe(true); // at x = 1 the order does not matter
    expect(verifyShare(shares[1]!, commitments.toReversed())).toBe(false);
  });
});
