import { describe, expect, it } from '@jest/globals';
import type { Address, ContributionId } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import fc from 'fast-check';
import { attributeByScore, attributeByShapley, scaledScore, type Holder } from './attribute.js';

const id = (digit: string) => `0x${digit.repeat(64)}` as ContributionId;
const address = (digit: string) => `0x${digit.repeat(64)}` as Address;
/** Of a person of its own where none is named. */
const held = (contribution: string, owner = contribution): Holder => ({
  contributionId: id(contribution),
  owner: address(owner),
});
const weightsOf = (weights: readonly { weight: bigint }[]) => weights.map(({ weight }) => weight);

describe('weights by score', () => {
  it('divide 10 millionths as 4, 3 and 3, the remainder to the first', () => {
    const holders = [held('c'), held('a'), held('b')];
    expect(weightsOf(attributeByScore([{ score: 0.00001, holdersBySentence: [holders] }]))).toEqual([4n, 3n, 3n]);
  });

  it('are shared by people and not by files: five copies of one person weigh what one of another does', () => {
    const holders = [...'abcde'].map((name) => held(name, '1')).concat(held('f', '2'));
    const weights = attributeByScore([{ score: 0.00001, holdersBySentence: [holders] }]);
    expect(weightsOf(weights)).toEqual([1n, 1n, 1n, 1n, 1n, 5n]);
  });

  it('leave out who asks about what is his own, and there is none where nothing else was used', () => {
    const cited = [{ score: 0.00001, holdersBySentence: [[held('a', '1'), held('b', '2')]] }];
    expect(attributeByScore(cited, address('1'))).toEqual([{ contributionId: id('b'), weight: 10n }]);
    const own = [{ score: 0.00001, holdersBySentence: [[held('a', '1')]] }];
    expect(attributeByScore(own, address('1'))).toEqual([]);
  });

  it('are those of the heaviest where a receipt has no room for all', () => {
    const cited = Array.from({ length: LIMITS.usesPerReceipt + 6 }, (_, i) => {
      const contributionId = `0x${i.toString(16).padStart(64, '0')}` as ContributionId;
      return { score: i + 1, holdersBySentence: [[{ contributionId, owner: contributionId }]] };
    });
    const weights = attributeByScore(cited);
    expect(weights).toHaveLength(LIMITS.usesPerReceipt);
    expect(weights[0]).toEqual({
      contributionId: cited[6]!.holdersBySentence[0]![0]!.contributionId,
      weight: 7_000_000n,
    });
  });

  it('lose and make nothing, in ascending order, each contribution once', () => {
    const owners = { a: '1', b: '1', c: '2', d: '3' } as const;
    const holder = fc.constantFrom('a', 'b', 'c', 'd').map((name) => held(name, owners[name as 'a']));
    const holders = fc.uniqueArray(holder, { minLength: 1, selector: ({ contributionId }) => contributionId });
    const passage = fc.record({
      score: fc.double({ min: 0.000001, max: 200, noNaN: true }),
      holdersBySentence: fc.array(holders, { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(passage, { maxLength: 6 }), (cited) => {
        const weights = attributeByScore(cited);
        const total = cited.reduce((sum, { score }) => sum + scaledScore(score), 0n);
        expect(weights.reduce((sum, { weight }) => sum + weight, 0n)).toBe(total);
        const ids = weights.map((w) => w.contributionId);
        expect(ids).toEqual([...new Set(ids)].sort());
        expect(weights.every(({ weight }) => weight > 0n)).toBe(true);
        const holding = new Set(cited.flatMap((p) => p.holdersBySentence.flat().map((h) => h.contributionId)));
        expect(ids.every((each) => holding.has(each))).toBe(true);
      }),
    );
  });
});

describe('weights by Shapley value', () => {
  it('give two who support a sentence equally the same, and one who supports half of it what the closed form says', () => {
    // Values 12, 12, 6 for one point of 12: the step of 6 to all three (2 each), that of 6 more to two (3 each).
    const players = [
      { holders: [held('a')], support: [1] },
      { holders: [held('b')], support: [1] },
      { holders: [held('c')], support: [0.5] },
    ];
    expect(weightsOf(attributeByShapley([12n], players))).toEqual([5n, 5n, 2n]);
  });

  it('do not grow with copies: a group of copies is one player', () => {
    const alone = attributeByShapley(
      [12n],
      [
        { holders: [held('a')], support: [1] },
        { holders: [held('b')], support: [1] },
      ],
    );
    const copied = attributeByShapley(
      [12n],
      [
        { holders: [held('a'), held('c'), held('d')], support: [1] },
        { holders: [held('b')], support: [1] },
      ],
    );
    expect(weightsOf(alone)).toEqual([6n, 6n]);
    expect(weightsOf(copied)).toEqual([2n, 6n, 2n, 2n]);
  });

  it('leave out who asks about what is his own', () => {
    const players = [
      { holders: [held('a', '1')], support: [1, 1] },
      { holders: [held('b', '2')], support: [0, 0.5] },
    ];
    expect(attributeByShapley([10n, 10n], players, address('1'))).toEqual([{ contributionId: id('b'), weight: 5n }]);
    expect(attributeByShapley([10n], players.slice(0, 1), address('1'))).toEqual([]);
  });
});
