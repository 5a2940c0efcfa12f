/**
 * Proof that a run of leaves, one after another, is in a Merkle tree of Certificate Transparency (RFC 6962 §2.1): the
 * hashes of those subtrees, from left to right, that hold none of them. The verifier has the leaves and makes all other
 * hashes itself, so ten thousand leaves cost it twenty thousand hashes and the wire at most two a level. For one leaf it
 * is the inclusion proof of the RFC with its hashes from left to right.
 */
import { equalBytes } from '@usufruct/kernel';
import { requireInteger } from './guards.js';
import { areHashes, isCount, largestPowerBelow, nodeHash, rootOf, type Subtree } from './merkle-tree.js';

interface Run {
  /** The first leaf's index. */
  readonly first: number;
  readonly count: number;
}

/** By what gives the hash of a subtree. Refuses `INVALID_ARGUMENT` for no leaves and for some that are not in the tree. */
export function rangeProofBy(subtree: Subtree, treeSize: number, { first, count }: Run): Uint8Array[] {
  requireInteger(first, 0, treeSize - 1, 'firstIndex');
  requireInteger(count, 1, treeSize - first, 'count');
  const end = first + count;
  const proof: Uint8Array[] = [];
  const walk = (from: number, to: number): void => {
    if (to <= first || from >= end) return void proof.push(subtree(from, to));
    if (from >= first && to <= end) return;
    const middle = from + largestPowerBelow(to - from);
    walk(from, middle);
    walk(middle, to);
  };
  walk(0, treeSize);
  return proof;
}

export interface RangeClaim {
  /** In the order of the tree. */
  readonly leafHashes: readonly Uint8Array[];
  readonly firstIndex: number;
  readonly treeSize: number;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/**
 * Size and root must come from one signed head. `false` for everything that does not prove it, for no leaves too; never
 * throws for what a stranger sent.
 */
export function verifyRange({ leafHashes, firstIndex, treeSize, proof, root }: RangeClaim): boolean {
  const count = leafHashes.length;
  if (!isCount(firstIndex) || !isCount(treeSize) || count === 0 || firstIndex + count > treeSize) return false;
  if (!areHashes(leafHashes) || !areHashes([root, ...proof])) return false;
  const end = firstIndex + count;
  let used = 0;
  const hashOf = (from: number, to: number): Uint8Array | null => {
    if (to <= firstIndex || from >= end) return proof[used++] ?? null;
    if (from >= firstIndex && to <= end) return rootOf(leafHashes.slice(from - firstIndex, to - firstIndex));
    const middle = from + largestPowerBelow(to - from);
    const left = hashOf(from, middle);
    const right = left && hashOf(middle, to);
    return right && nodeHash(left, right);
  };
  const hash = hashOf(0, treeSize);
  return hash !== null && used === proof.length && equalBytes(hash, root);
}
