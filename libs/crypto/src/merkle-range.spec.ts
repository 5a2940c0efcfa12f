import { describe, expect, it } from '@jest/globals';
import { toHex } from '@usufruct/kernel';
import fc from 'fast-check';
import { inclusionProof, leafHash, MerkleLog, rootOf, verifyRange, type RangeClaim } from './index.js';

const leaves = Array.from({ length: 40 }, (_, i) => leafHash(Uint8Array.of(i)));
const claimOf = (treeSize: number, first: number, count: number): RangeClaim => ({
  leafHashes: leaves.slice(first, first + count),
  firstIndex: first,
  treeSize,
  proof: new MerkleLog(leaves).rangeProof(first, count, treeSize),
  root: rootOf(leaves.slice(0, treeSize)),
});
const runs = fc
  .integer({ min: 1, max: leaves.length })
  .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 })))
  .chain(([size, first]) => fc.tuple(fc.constant(size), fc.constant(first), fc.integer({ min: 1, max: size - first })));

describe('a run of leaves', () => {
  it('of every length at every place of every tree is proven', () => {
    for (let size = 1; size <= 20; size++) {
      for (let first = 0; first < size; first++) {
        for (let count = 1; first + count <= size; count++) expect(verifyRange(claimOf(size, first, count))).toBe(true);
      }
    }
  });

  it('of one leaf needs the hashes of its inclusion proof; of all leaves, none', () => {
    for (let first = 0; first < 13; first++) {
      const own = claimOf(13, first, 1).proof.map(toHex).sort();
      expect(own).toEqual(inclusionProof(leaves.slice(0, 13), first).map(toHex).sort());
    }
    expect(claimOf(13, 0, 13).proof).toEqual([]);
  });

  it('is not proven with a leaf changed, swapped, left out or added, at another place, size or root, or with other hashes', () => {
    fc.assert(
      fc.property(runs, fc.nat(), ([size, first, count], at) => {
        const claim = claimOf(size, first, count);
        const { leafHashes, proof } = claim;
        const other = leafHash(Uint8Array.of(200));
        const changed = (list: readonly Uint8Array[]) => list.map((hash, i) => (i === at % list.length ? other : hash));
        const broken: RangeClaim[] = [
          { ...claim, leafHashes: changed(leafHashes) },
          { ...claim, leafHashes: leafHashes.slice(1) },
          { ...claim, leafHashes: [...leafHashes, other] },
          { ...claim, root: other },
          { ...claim, proof: [...proof, other] },
          { ...claim, treeSize: size + 64 },
          ...(proof.length === 0
            ? []
            : [
                { ...claim, proof: changed(proof) },
                { ...claim, proof: proof.slice(1) },
              ]),
          ...(count < 2 ? [] : [{ ...claim, leafHashes: leafHashes.toReversed() }]),
          ...(first + count === size ? [] : [{ ...claim, firstIndex: first + 1 }]),
        ];
        expect(broken.map(verifyRange)).toEqual(broken.map(() => false));
      }),
      { seed: 5 },
    );
  });

  it('takes anything from a stranger and throws at nothing', () => {
    const claim = claimOf(8, 2, 3);
    for (const changes of [
      { leafHashes: [] },
      { firstIndex: -1 },
      { firstIndex: 0.5 },
      { treeSize: 2 ** 60 },
      { treeSize: Number.NaN },
      { proof: [new Uint8Array(31)] },
      { root: new Uint8Array() },
    ]) {
      expect(verifyRange({ ...claim, ...changes })).toBe(false);
    }
  });

  it('is refused where there is none', () => {
    const log = new MerkleLog(leaves);
    for (const [first, count] of [
      [0, 0],
      [39, 2],
      [40, 1],
      [-1, 1],
    ] as const) {
      expect(() => log.rangeProof(first, count)).toThrow();
    }
  });
});
