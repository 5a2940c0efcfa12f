import { describe, expect, it } from '@jest/globals';
import { utf8 } from '@usufruct/kernel';
import fc from 'fast-check';
import { consistencyProof, inclusionProof, leafHash, MerkleLog, rootOf } from './merkle-log.js';

const leavesOf = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => leafHash(utf8(`leaf ${i}`)));
const treeOf = (leaves: readonly Uint8Array[]): MerkleLog => {
  const tree = new MerkleLog();
  for (const leaf of leaves) tree.append(leaf);
  return tree;
};
const size = fc.integer({ min: 1, max: 70 });

describe('MerkleLog, against the functions over plain lists', () => {
  it('has the same roots for every size so far', () => {
    const leaves = leavesOf(70);
    const tree = treeOf(leaves);
    for (let n = 0; n <= 70; n++) expect(tree.root(n)).toEqual(rootOf(leaves.slice(0, n)));
  });

  it('gives the same inclusion proofs, for older sizes too', () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.nat(), (count, more, index) => {
        const leaves = leavesOf(count);
        const tree = treeOf([...leaves, ...leavesOf(more % 5)]);
        expect(tree.inclusionProof(index % count, count)).toEqual(inclusionProof(leaves, index % count));
      }),
    );
  });

  it('gives the same consistency proofs', () => {
    fc.assert(
      fc.property(size, fc.nat(), (second, first) => {
        const leaves = leavesOf(second);
        const old = first % (second + 1);
        expect(treeOf(leaves).consistencyProof(old, second)).toEqual(consistencyProof(leaves, old));
      }),
    );
  });

  it('is, after truncation, as if nothing had been appended', () => {
    fc.assert(
      fc.property(size, fc.nat(), (count, keep) => {
        const leaves = leavesOf(count);
        const kept = keep % (count + 1);
        const tree = treeOf(leaves);
        tree.truncate(kept);
        for (const leaf of leaves.slice(kept)) tree.append(leaf);
        expect(tree.root()).toEqual(rootOf(leaves));
      }),
    );
  });

  it.each([
    ['a leaf beyond the tree', (tree: MerkleLog) => tree.inclusionProof(5, 5)],
    ['a negative leaf', (tree: MerkleLog) => tree.inclusionProof(-1, 5)],
    ['a size beyond the tree', (tree: MerkleLog) => tree.root(6)],
    ['an older tree that is newer', (tree: MerkleLog) => tree.consistencyProof(4, 3)],
    ['a truncation to more than there is', (tree: MerkleLog) => tree.truncate(6)],
    ['no number', (tree: MerkleLog) => tree.consistencyProof(Number.NaN, 3)],
  ])('refuses %s', (_name, ask) => {
    expect(() => ask(treeOf(leavesOf(5)))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
