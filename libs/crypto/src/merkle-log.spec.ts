import { describe, expect, it } from '@jest/globals';
import { concatBytes, fromHex, toHex } from '@usufruct/kernel';
import * as fc from 'fast-check';
import {
  consistencyProof,
  inclusionProof,
  leafHash,
  MerkleLog,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from './merkle-log.js';

/** The reference tree of the Certificate Transparency project: eight entries, its roots and proofs. */
const ENTRIES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const LEAVES = ENTRIES.map((entry) => leafHash(fromHex(entry)));
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const A = '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7';
const B = '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e';
const C = '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4';
const D = 'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b';
const E = 'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0';
const F = '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a';

describe('the reference tree', () => {
  it('has the published roots at every size', () => {
    expect(ROOTS.map((_, size) => toHex(rootOf(LEAVES.slice(0, size))))).toEqual(ROOTS);
  });

  it.each([
    [0, 8, [A, B, C]],
    [5, 8, [D, E, ROOTS[4]!]],
    [2, 3, [ROOTS[2]!]],
    [1, 5, [ROOTS[1]!, B, D]],
  ])('has the published inclusion proof of leaf %i in %i', (leafIndex, treeSize, expected) => {
    const proof = inclusionProof(LEAVES.slice(0, treeSize), leafIndex);
    expect(proof.map(toHex)).toEqual(expected);
    const root = fromHex(ROOTS[treeSize]!);
    expect(verifyInclusion({ leafHash: LEAVES[leafIndex]!, leafIndex, treeSize, proof, root })).toBe(true);
  });

  it.each([
    [1, 8, [A, B, C]],
    [6, 8, [F, E, ROOTS[4]!]],
    [2, 5, [B, D]],
    [1, 1, []],
  ])('has the published consistency proof of %i in %i', (oldSize, newSize, expected) => {
    const proof = consistencyProof(LEAVES.slice(0, newSize), oldSize);
    expect(proof.map(toHex)).toEqual(expected);
    const claim = { oldSize, newSize, oldRoot: fromHex(ROOTS[oldSize]!), newRoot: fromHex(ROOTS[newSize]!), proof };
    expect(verifyConsistency(claim)).toBe(true);
  });
});

const leavesOf = (size: number) => Array.from({ length: size }, (_, i) => leafHash(Uint8Array.of(i, i >> 8)));
const flip = (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, i) => (i === 0 ? byte ^ 1 : byte));

describe('inclusion', () => {
  const place = fc
    .integer({ min: 1, max: 70 })
    .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 })));

  it('holds for every leaf, and only at its place, size and root', () => {
    fc.assert(
      fc.property(place, ([treeSize, leafIndex]) => {
        const leaves = leavesOf(treeSize);
        const proof = inclusionProof(leaves, leafIndex);
        const good = { leafHash: leaves[leafIndex]!, leafIndex, treeSize, proof, root: rootOf(leaves) };
        expect(verifyInclusion(good)).toBe(true);
        expect(verifyInclusion({ ...good, leafHash: flip(good.leafHash) })).toBe(false);
        expect(verifyInclusion({ ...good, root: flip(good.root) })).toBe(false);
        expect(verifyInclusion({ ...good, proof: [...proof, good.root] })).toBe(false);
        expect(verifyInclusion({ ...good, proof: proof.slice(1) })).toBe(proof.length === 0);
        for (let other = 0; other < treeSize; other++) {
          expect(verifyInclusion({ ...good, leafIndex: other })).toBe(other === leafIndex);
        }
        proof.forEach((_, at) => {
          expect(verifyInclusion({ ...good, proof: proof.map((hash, i) => (i === at ? flip(hash) : hash)) })).toBe(
            false,
          );
        });
      }),
      { numRuns: 60 },
    );
  });

  const leaves = leavesOf(5);
  const good = {
    leafHash: leaves[1]!,
    leafIndex: 1,
    treeSize: 5,
    proof: inclusionProof(leaves, 1),
    root: rootOf(leaves),
  };
  it.each([
    ['an index beyond the tree', { leafIndex: 5 }],
    ['a negative index', { leafIndex: -1 }],
    ['a broken index', { leafIndex: 0.5 }],
    ['an empty tree', { leafIndex: 0, treeSize: 0 }],
    ['a size that is no number', { treeSize: Number.NaN }],
    ['a short leaf', { leafHash: new Uint8Array(31) }],
    ['a long sibling', { proof: [new Uint8Array(33), ...good.proof.slice(1)] }],
  ])('is false for %s', (_name, change) => {
    expect(verifyInclusion({ ...good, ...change })).toBe(false);
  });

  it('hashes leaves and nodes apart, so that two leaf hashes side by side are no entry', () => {
    expect(leafHash(concatBytes(leaves[0]!, leaves[1]!))).not.toEqual(rootOf(leaves.slice(0, 2)));
  });

  it('has no proof for a leaf that is not there', () => {
    expect(() => inclusionProof(leaves, 5)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => inclusionProof([], 0)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => rootOf([new Uint8Array(31)])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('consistency', () => {
  const sizes = fc
    .integer({ min: 1, max: 70 })
    .chain((to) => fc.tuple(fc.integer({ min: 0, max: to }), fc.constant(to)));

  it('holds between every two sizes of one log, and for no rewritten history', () => {
    fc.assert(
      fc.property(sizes, ([oldSize, newSize]) => {
        const leaves = leavesOf(newSize);
        const proof = consistencyProof(leaves, oldSize);
        const claim = { oldSize, newSize, oldRoot: rootOf(leaves.slice(0, oldSize)), newRoot: rootOf(leaves), proof };
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, oldRoot: flip(claim.oldRoot) })).toBe(false);
        if (oldSize > 0) expect(verifyConsistency({ ...claim, newRoot: flip(claim.newRoot) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: [...proof, claim.newRoot] })).toBe(false);
        proof.forEach((_, at) => {
          expect(verifyConsistency({ ...claim, proof: proof.map((hash, i) => (i === at ? flip(hash) : hash)) })).toBe(
            false,
          );
        });
        if (oldSize > 0 && oldSize < newSize) {
          const rewritten = leaves.map((leaf, i) => (i === oldSize - 1 ? flip(leaf) : leaf));
          const forged = { ...claim, newRoot: rootOf(rewritten), proof: consistencyProof(rewritten, oldSize) };
          expect(verifyConsistency(forged)).toBe(false);
        }
      }),
      { numRuns: 80 },
    );
  });

  const leaves = leavesOf(7);
  const good = {
    oldSize: 3,
    newSize: 7,
    oldRoot: rootOf(leaves.slice(0, 3)),
    newRoot: rootOf(leaves),
    proof: consistencyProof(leaves, 3),
  };
  it.each([
    ['a shrinking log', { oldSize: 7, newSize: 3 }],
    ['no proof', { proof: [] }],
    ['a negative size', { oldSize: -1 }],
    ['a broken size', { newSize: 7.5 }],
    ['another old size', { oldSize: 4 }],
    ['equal sizes with other roots', { oldSize: 7, proof: [] }],
    ['a short root', { oldRoot: new Uint8Array(31) }],
    ['a proof where none is due', { oldSize: 0, oldRoot: rootOf([]) }],
  ])('is false for %s', (_name, change) => {
    expect(verifyConsistency({ ...good, ...change })).toBe(false);
  });
});

describe('MerkleLog', () => {
  it('gives the roots and proofs of the plain functions, of every earlier size as well', () => {
    const leaves = leavesOf(33);
    const log = new MerkleLog();
    leaves.forEach((leaf, i) => expect(log.append(leaf)).toBe(i));
    expect(log.size).toBe(33);
    for (let size = 0; size <= leaves.length; size++) {
      const before = leaves.slice(0, size);
      expect(log.root(size)).toEqual(rootOf(before));
      for (let i = 0; i < size; i++) expect(log.inclusionProof(i, size)).toEqual(inclusionProof(before, i));
      for (let old = 0; old <= size; old++)
        expect(log.consistencyProof(old, size)).toEqual(consistencyProof(before, old));
    }
    expect(new MerkleLog(leaves).root()).toEqual(log.root());
  });

  it.each<[string, (log: MerkleLog) => unknown]>([
    ['a root of a size to come', (log) => log.root(4)],
    ['a proof in a size to come', (log) => log.inclusionProof(0, 4)],
    ['a proof of a leaf to come', (log) => log.inclusionProof(3)],
    ['a proof of a leaf beyond an earlier size', (log) => log.inclusionProof(2, 2)],
    ['consistency with a size to come', (log) => log.consistencyProof(2, 4)],
    ['consistency backwards', (log) => log.consistencyProof(3, 2)],
    ['a short leaf', (log) => log.append(new Uint8Array(31))],
  ])('refuses %s', (_name, ask) => {
    expect(() => ask(new MerkleLog(leavesOf(3)))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
