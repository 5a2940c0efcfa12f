import { describe, expect, it } from '@jest/globals';
import {
  asAmount,
  asTimestampMs,
  asWeight,
  toHex32,
  type Address,
  type ContributionId,
  type DaoId,
  type Digest,
  type Hex32,
  type RandomSource,
} from '@usufruct/kernel';
import type { EpochStatement } from '@usufruct/protocol';
import fc from 'fast-check';
import { buildEpoch, epochPartsOf, EpochTree, isLeafOf, verifyEpoch, type PrivateReceipt } from './epochs.js';
import { payoutsOf } from './payouts.js';

const idOf = <T extends Hex32>(n: number): T =>
  toHex32<T>(Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? n % 256 : i === 30 ? n >> 8 : 0)));
const accountOf = (n: number): Address => idOf<Hex32>(n) as string as Address;
const counting = (): RandomSource => {
  let n = 0;
  return (lengthBytes) => new Uint8Array(lengthBytes).fill(0).map((_, i) => (n += 1) * (i + 1));
};
const daoId = idOf<DaoId>(7);
const SPLIT = { contributorsBps: 7000, treasuryBps: 2000, runnerBps: 800, protocolBps: 200 };

/** Contribution `n` of owner `owner`, by weight. */
const use = (n: number, owner: number, weight: bigint) => ({
  contributionId: idOf<ContributionId>(n),
  owner: accountOf(owner),
  weight: asWeight(weight),
});
const receipt = (price: bigint, ...uses: PrivateReceipt['uses']): PrivateReceipt => ({
  priceUnits: asAmount(price),
  split: SPLIT,
  uses,
});

/** Receipts with one to six uses of contributions whose owners repeat, any split, any price. */
const receipts = fc.array(
  fc
    .record({
      price: fc.bigInt(0n, 10n ** 12n),
      parts: fc.array(fc.nat(10_000), { minLength: 3, maxLength: 3 }),
      weights: fc.array(fc.bigInt(0n, 1_000n), { minLength: 1, maxLength: 6 }),
      heavy: fc.bigInt(1n, 50n),
      owner: fc.nat(4),
    })
    .map(({ price, parts, weights, heavy, owner }): PrivateReceipt => {
      const [a = 0, b = 0, c = 0] = [...parts].sort((x, y) => x - y);
      const split = { contributorsBps: a, treasuryBps: b - a, runnerBps: c - b, protocolBps: 10_000 - c };
      const uses = weights.map((weight, i) => use(i + 1, ((owner + i) % 4) + 100, i === 0 ? heavy : weight));
      return { priceUnits: asAmount(price), split, uses };
    }),
  { minLength: 1, maxLength: 8 },
);

describe('the parts of an epoch', () => {
  it('are what direct mode would have paid each account, and all that was set aside', () => {
    fc.assert(
      fc.property(receipts, (some) => {
        const direct = new Map<Address, bigint>();
        let setAside = 0n;
        for (const { priceUnits, split, uses } of some) {
          const accounts = { treasury: accountOf(1), runner: accountOf(2), protocol: accountOf(3) };
          for (const row of payoutsOf({ priceUnits, split, ...accounts }, uses)) {
            if (row.role !== 'contributor') continue;
            direct.set(row.account, (direct.get(row.account) ?? 0n) + row.amountUnits);
            setAside += row.amountUnits;
          }
        }
        const parts = epochPartsOf(some);
        expect(new Map(parts.map(({ account, amountUnits }) => [account, amountUnits as bigint]))).toEqual(direct);
        expect(parts.reduce((sum, { amountUnits }) => sum + amountUnits, 0n)).toBe(setAside);
        expect(parts.map(({ account }) => account)).toEqual([...direct.keys()].sort());
      }),
    );
  });

  it('by hand: 70 % of 1,000,001 is 700,001 with the largest remainder; by 2 and 1 that is 466,667 and 233,334', () => {
    // 700,000.7 has the largest remainder of the four parts; 466,667.33 and 233,333.67: the rest goes to the second.
    const parts = epochPartsOf([receipt(1_000_001n, use(1, 100, 2n), use(2, 101, 1n)), receipt(10n, use(3, 101, 1n))]);
    expect(parts).toEqual([
      { account: accountOf(100), amountUnits: 466_667n },
      { account: accountOf(101), amountUnits: 233_341n },
    ]);
  });

  it('refuse a price for which nothing was used', () => {
    expect(() => epochPartsOf([receipt(10n)])).toThrow('weights');
    expect(epochPartsOf([receipt(0n)])).toEqual([]);
  });
});

describe('a tree of leaves', () => {
  const made = (some: readonly PrivateReceipt[]) =>
    buildEpoch({ daoId, number: 3n, receipts: some, random: counting() });

  it('opens to each owner, and to no other leaf, place or amount', () => {
    const { leaves, tree } = made([
      receipt(900n, use(1, 101, 1n), use(2, 102, 2n), use(3, 103, 3n), use(4, 104, 4n), use(5, 105, 5n)),
    ]);
    expect(leaves).toHaveLength(5);
    const head = { root: tree.root, leafCount: 5 };
    for (const leaf of leaves) {
      const proof = tree.proofOf(leaf.index);
      expect(isLeafOf(head, leaf, proof)).toBe(true);
      const changed = [
        { ...leaf, amountUnits: asAmount(leaf.amountUnits + 1n) },
        { ...leaf, account: accountOf(1) },
        { ...leaf, index: (leaf.index + 1) % 5 },
        { ...leaf, number: 4n },
        { ...leaf, daoId: idOf<DaoId>(8) },
        { ...leaf, salt: idOf<Hex32>(1) },
      ];
      for (const other of changed) expect(isLeafOf(head, other, proof)).toBe(false);
      expect(isLeafOf({ ...head, leafCount: 9 }, leaf, proof)).toBe(false);
      expect(isLeafOf(head, leaf, proof.slice(1))).toBe(false);
    }
  });

  it('has other salts, so another root, each time', () => {
    const some = [receipt(900n, use(1, 101, 1n))];
    const random = counting();
    const roots = [1, 2].map(() => buildEpoch({ daoId, number: 3n, receipts: some, random }).tree.root);
    expect(new Set(roots).size).toBe(2);
  });

  it('is one leaf of zero to nobody where nobody gets anything', () => {
    const { leaves, totalUnits } = made([receipt(0n), receipt(0n, use(1, 101, 1n))]);
    expect(leaves).toMatchObject([{ index: 0, number: 3n, account: `0x${'00'.repeat(32)}`, amountUnits: 0n }]);
    expect(totalUnits).toBe(0n);
    expect(made([receipt(0n), receipt(10n, use(1, 101, 1n))]).leaves).toMatchObject([{ account: accountOf(101) }]);
  });

  it('is not made of no receipts', () => {
    expect(() => made([])).toThrow('receipts');
  });
});

describe('a holder that recomputes an epoch', () => {
  const some = [receipt(900n, use(1, 101, 1n), use(2, 102, 2n)), receipt(1_000n, use(3, 103, 1n))];
  type Epoch = Parameters<typeof buildEpoch>[0];
  const build = (changes: Partial<Epoch> = {}) =>
    buildEpoch({ daoId, number: 3n, receipts: some, random: counting(), ...changes });
  const { leaves, totalUnits, tree } = build();
  const statement: EpochStatement = {
    chainId: 'local:test',
    packageId: idOf<Hex32>(1),
    registryId: idOf<Hex32>(2),
    daoId,
    number: 3n,
    attempt: 1,
    fromReceipt: 1n,
    toReceipt: 2n,
    receiptChain: idOf<Digest>(3),
    totalUnits,
    root: tree.root,
    leafCount: leaves.length,
    settlerPublicKey: new Uint8Array(32),
    issuedAtMs: asTimestampMs(1),
  };
  const failedOf = (...args: Parameters<typeof verifyEpoch>): string[] =>
    verifyEpoch(...args)
      .checks.filter((check) => check.status !== 'passed')
      .map((check) => check.name);

  it('finds nothing wrong in what a settler built', () => {
    expect(verifyEpoch(statement, build()).ok).toBe(true);
  });

  it.each<[string, string[], Partial<EpochStatement>, Partial<Epoch>]>([
    ['another number of leaves', ['leafCount'], { leafCount: 4 }, {}],
    ['another epoch', ['root'], {}, { number: 4n }],
    ['another DAO', ['root'], {}, { daoId: idOf<DaoId>(9) }],
    ['a total that is one unit more', ['totalUnits'], { totalUnits: asAmount(totalUnits + 1n) }, {}],
    ['another root', ['root'], { root: idOf<Digest>(4) }, {}],
    ['one receipt more', ['totalUnits', 'root'], {}, { receipts: [...some, receipt(10n, use(1, 101, 1n))] }],
    ['other weights', ['root'], {}, { receipts: [receipt(900n, use(1, 101, 2n), use(2, 102, 1n)), some[1]!] }],
    ['other salts', ['root'], {}, { random: () => new Uint8Array(32) }],
    ['leaves in another order', ['root'], { root: new EpochTree(leaves.toReversed()).root }, {}],
    ['nothing to pay', ['leafCount', 'totalUnits', 'root'], {}, { receipts: [receipt(0n)] }],
  ])('sees %s', (_name, failed, changes, built) => {
    expect(failedOf({ ...statement, ...changes }, build(built))).toEqual(failed);
  });

  it('sees a unit moved from one account to another, and a salt that is used twice', () => {
    const moved = leaves.map((leaf, i) => ({
      ...leaf,
      amountUnits: asAmount(leaf.amountUnits + [1n, -1n, 0n][i]!),
    }));
    const twice = leaves.map((leaf) => ({ ...leaf, salt: leaves[0]!.salt }));
    for (const other of [moved, twice]) {
      expect(failedOf({ ...statement, root: new EpochTree(other).root }, build())).toEqual(['root']);
    }
  });

  it('finds nothing wrong in one leaf of zero for free receipts, and sees every other', () => {
    const built = build({ receipts: [receipt(0n), receipt(0n, use(1, 101, 1n))] });
    const of = { ...statement, totalUnits: asAmount(0n), root: built.tree.root, leafCount: 1 };
    expect(failedOf(of, built)).toEqual([]);
    const other = built.leaves.map((leaf) => ({ ...leaf, account: accountOf(101) }));
    expect(failedOf({ ...of, root: new EpochTree(other).root }, built)).toEqual(['root']);
  });
});
