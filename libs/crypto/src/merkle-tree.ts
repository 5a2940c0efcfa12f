/** What proofs of every kind share: the hashes of RFC 6962 §2.1 and the subtrees that its recursion makes. */
import { concatBytes } from '@usufruct/kernel';
import { requireBytes } from './guards.js';
import { sha256 } from './hash.js';

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

export const leafHash = (entry: Uint8Array): Uint8Array => sha256(concatBytes(LEAF_PREFIX, entry));
export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  sha256(concatBytes(NODE_PREFIX, left, right));

/** The hash of the subtree over the leaves [from, to), a range that the RFC's recursion makes. */
export type Subtree = (from: number, to: number) => Uint8Array;

/** MTH: the root over leaf hashes, oldest first. The root of the empty tree is the hash of nothing. */
export const rootOf = (leaves: readonly Uint8Array[]): Uint8Array => rootBy(subtreeOver(leaves), leaves.length);

export function subtreeOver(leaves: readonly Uint8Array[]): Subtree {
  const subtree: Subtree = (from, to) => {
    if (to - from === 1) {
      requireBytes(leaves[from]!, 32, `leaves[${from}]`);
      return leaves[from]!;
    }
    const middle = from + largestPowerBelow(to - from);
    return nodeHash(subtree(from, middle), subtree(middle, to));
  };
  return subtree;
}

export const rootBy = (subtree: Subtree, treeSize: number): Uint8Array =>
  treeSize === 0 ? sha256(new Uint8Array()) : subtree(0, treeSize);

/** The largest power of two smaller than `size`, for size ≥ 2. */
export function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

// Division, not shifts: sizes may exceed 2³¹.
export const half = (value: number): number => Math.floor(value / 2);
export const isOdd = (value: number): boolean => value % 2 === 1;
export const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
export const isPowerOfTwo = (value: number): boolean => largestPowerBelow(value * 2) === value;
export const areHashes = (hashes: readonly Uint8Array[]): boolean => hashes.every((hash) => hash.length === 32);
