import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ed25519, ristretto255 } from '@noble/curves/ed25519.js';
import type { RandomSource } from '@usufruct/kernel';
import * as fc from 'fast-check';
import { SubShareBatch } from './resharing-batch.js';
import { combineCommitments, dealSubShares, subDealingFlaw, type SubDealing } from './resharing.js';
import { deal } from './sharing.js';

const { Fn } = ed25519.Point;
const random: RandomSource = (length) => new Uint8Array(randomBytes(length));
const RECEIVER = 4;
const THRESHOLD = 3;

interface Secret {
  readonly fromCommitments: readonly Uint8Array[];
  readonly dealings: readonly SubDealing[];
}
/** Two of three, by dealers 1 and 3, to three of five. */
function aSecret(): Secret {
  const { shares, commitments } = deal({ threshold: 2, holderCount: 3, random });
  const dealings = [shares[0]!, shares[2]!].map((share): SubDealing => {
    const made = dealSubShares({ share, threshold: THRESHOLD, holderCount: 5, random });
    return { dealerIndex: share.index, commitments: made.commitments, subShare: made.subShares[RECEIVER - 1]! };
  });
  return { fromCommitments: commitments, dealings };
}
const secrets = Array.from({ length: 26 }, aSecret);

function judge(given: readonly Secret[]) {
  const batch = new SubShareBatch({ threshold: THRESHOLD, receiverIndex: RECEIVER, random });
  const commitments = given.map(({ dealings, fromCommitments }) => batch.add(dealings, fromCommitments[0]!));
  return { commitments, holds: batch.holds() };
}
const plus = (subShare: Uint8Array, value: bigint): Uint8Array =>
  Fn.toBytes(Fn.add(Fn.fromBytes(subShare), Fn.create(value)));
const withDealing = (secret: Secret, dealer: number, changes: Partial<SubDealing>): Secret => ({
  ...secret,
  dealings: secret.dealings.map((one, i) => (i === dealer ? { ...one, ...changes } : one)),
});
const flawsOf = ({ dealings, fromCommitments }: Secret) =>
  dealings.map((one) => subDealingFlaw(one, { fromCommitments, threshold: THRESHOLD, receiverIndex: RECEIVER }));

describe('sub-shares judged together', () => {
  it.each([0, 1, 11, 12, 26])(
    '%i secrets of honest dealers hold, with the commitments that each has by itself',
    (n) => {
      const given = secrets.slice(0, n);
      const { commitments, holds } = judge(given);
      expect(holds).toBe(true);
      expect(commitments).toEqual(
        given.map(({ dealings, fromCommitments }) => combineCommitments(dealings, fromCommitments[0]!)),
      );
    },
  );

  it('one wrong sub-share among many is found, whichever, whoever dealt it and however little it is off', () => {
    const wrong = fc.record({
      count: fc.integer({ min: 1, max: 26 }),
      at: fc.nat(),
      dealer: fc.integer({ min: 0, max: 1 }),
      off: fc.bigInt({ min: 1n, max: 2n ** 250n }),
    });
    fc.assert(
      fc.property(wrong, ({ count, at, dealer, off }) => {
        const given = secrets.slice(0, count);
        const place = at % count;
        const { subShare } = given[place]!.dealings[dealer]!;
        given[place] = withDealing(given[place]!, dealer, { subShare: plus(subShare, off) });
        expect(judge(given).holds).toBe(false);
        expect(flawsOf(given[place])[dealer]).toBe('SUB_SHARE');
      }),
      { numRuns: 12 },
    );
  });

  it('two that are off by amounts that cancel are found: in one secret, and in two of one dealer', () => {
    const [one, two] = secrets as [Secret, Secret];
    const inOne = withDealing(
      withDealing(one, 0, { subShare: plus(one.dealings[0]!.subShare, 5n) }),
      1,
      // λ of dealers 1 and 3 at zero are 3/2 and -1/2: three times as much cancels in the share itself.
      { subShare: plus(one.dealings[1]!.subShare, 15n) },
    );
    expect(judge([inOne]).holds).toBe(false);
    const more = withDealing(one, 0, { subShare: plus(one.dealings[0]!.subShare, 5n) });
    const less = withDealing(two, 0, { subShare: plus(two.dealings[0]!.subShare, Fn.ORDER - 5n) });
    expect(judge([more, less]).holds).toBe(false);
  });

  it('commitments that are not to the secret, and what is no point or no scalar, are said at once', () => {
    const [one, other] = secrets as [Secret, Secret];
    const identity = ristretto255.Point.ZERO.toBytes();
    const { commitments } = one.dealings[0]!;
    const rows: Partial<SubDealing>[] = [
      { commitments: other.dealings[0]!.commitments },
      { commitments: commitments.slice(1) },
      { commitments: [...commitments, commitments[0]!] },
      { commitments: [commitments[0]!, identity, commitments[2]!] },
      { commitments: [commitments[0]!, new Uint8Array(32).fill(255), commitments[2]!] },
      { subShare: new Uint8Array(32) },
      { subShare: new Uint8Array(32).fill(255) },
      { subShare: new Uint8Array(31).fill(1) },
    ];
    for (const changes of rows) {
      const bad = withDealing(one, 0, changes);
      expect(judge([bad]).commitments).toEqual([null]);
      expect(flawsOf(bad)).toEqual([expect.any(String), null]);
    }
    expect(judge([{ ...one, fromCommitments: other.fromCommitments }]).commitments).toEqual([null]);
  });

  it('is not talked into anything by exponents of zero', () => {
    const zeros: RandomSource = (length) => new Uint8Array(length);
    const batch = new SubShareBatch({ threshold: THRESHOLD, receiverIndex: RECEIVER, random: zeros });
    const { subShare } = secrets[0]!.dealings[0]!;
    batch.add(withDealing(secrets[0]!, 0, { subShare: plus(subShare, 1n) }).dealings, secrets[0]!.fromCommitments[0]!);
    expect(batch.holds()).toBe(false);
  });
});
