/**
 * The Merkle tree of Certificate Transparency (RFC 6962 §2.1, RFC 9162 §2.1) over SHA-256.
 * Leaves and nodes are hashed under different prefixes, so that no node passes for a leaf. Hashes are 32 bytes.
 * An inclusion proof ties a leaf to a root and a consistency proof ties two roots together; that everybody is shown
 * the same roots is for whoever signs and anchors them.
 */
import { equalBytes } from '@usufruct/kernel';
import { requireBytes, requireInteger } from './guards.js';
import { rangeProofBy } from './merkle-range.js';
import {
  areHashes,
  half,
  isCount,
  isOdd,
  isPowerOfTwo,
  largestPowerBelow,
  nodeHash,
  rootBy,
  rootOf,
  subtreeOver,
  type Subtree,
} from './merkle-tree.js';

export { leafHash, rootOf } from './merkle-tree.js';

/** PATH: the siblings from the leaf up. Refuses `INVALID_ARGUMENT` for a leaf that is not in the tree. */
export const inclusionProof = (leaves: readonly Uint8Array[], leafIndex: number): Uint8Array[] =>
  inclusionProofBy(subtreeOver(leaves), leaves.length, leafIndex);

/** PROOF: that the tree of the first `oldSize` leaves is a prefix of this one. Empty when the sizes are equal or `oldSize` is 0. */
export const consistencyProof = (leaves: readonly Uint8Array[], oldSize: number): Uint8Array[] =>
  consistencyProofBy(subtreeOver(leaves), leaves.length, oldSize);

/**
 * The same tree for whoever keeps a log: the hashes of complete subtrees stay in memory (64 bytes a leaf), so that
 * appending costs two hashes on average and a root or a proof, also of an earlier size, O(log² size).
 */
export class MerkleLog {
  /** `#levels[k][i]` is the hash over the leaves [i·2^k, (i+1)·2^k). */
  readonly #levels: Uint8Array[][] = [[]];

  constructor(leaves: Iterable<Uint8Array> = []) {
    for (const leaf of leaves) this.append(leaf);
  }

  get size(): number {
    return this.#levels[0]!.length;
  }

  /** Gives the index of the leaf. */
  append(leaf: Uint8Array): number {
    requireBytes(leaf, 32, 'leaf');
    const index = this.size;
    this.#levels[0]!.push(leaf);
    for (let level = 0; this.#levels[level]!.length % 2 === 0; level++) {
      const [left, right] = this.#levels[level]!.slice(-2);
      (this.#levels[level + 1] ??= []).push(nodeHash(left!, right!));
    }
    return index;
  }

  /** Forget what was appended after the first `size` leaves: for a log that could not be made durable. */
  truncate(size: number): void {
    this.#known(size, 'size');
    for (const [level, nodes] of this.#levels.entries()) nodes.length = Math.floor(size / 2 ** level);
  }

  root(treeSize = this.size): Uint8Array {
    return rootBy(this.#subtree, this.#known(treeSize, 'treeSize'));
  }

  inclusionProof(leafIndex: number, treeSize = this.size): Uint8Array[] {
    return inclusionProofBy(this.#subtree, this.#known(treeSize, 'treeSize'), leafIndex);
  }

  /** That the `count` leaves from `first` on are in the tree: `verifyRange` checks it. */
  rangeProof(first: number, count: number, treeSize = this.size): Uint8Array[] {
    return rangeProofBy(this.#subtree, this.#known(treeSize, 'treeSize'), { first, count });
  }

  consistencyProof(oldSize: number, newSize = this.size): Uint8Array[] {
    return consistencyProofBy(this.#subtree, this.#known(newSize, 'newSize'), oldSize);
  }

  #known(size: number, field: string): number {
    requireInteger(size, 0, this.size, field);
    return size;
  }

  readonly #subtree: Subtree = (from, to) => {
    const size = to - from;
    if (isPowerOfTwo(size)) return this.#levels[Math.log2(size)]![from / size]!;
    const middle = from + largestPowerBelow(size);
    return nodeHash(this.#subtree(from, middle), this.#subtree(middle, to));
  };
}

function inclusionProofBy(subtree: Subtree, treeSize: number, leafIndex: number): Uint8Array[] {
  requireInteger(leafIndex, 0, treeSize - 1, 'leafIndex');
  const proof: Uint8Array[] = [];
  let [from, to] = [0, treeSize];
  while (to - from > 1) {
    const middle = from + largestPowerBelow(to - from);
    if (leafIndex < middle) {
      proof.unshift(subtree(middle, to));
      to = middle;
    } else {
      proof.unshift(subtree(from, middle));
      from = middle;
    }
  }
  return proof;
}

function consistencyProofBy(subtree: Subtree, newSize: number, oldSize: number): Uint8Array[] {
  requireInteger(oldSize, 0, newSize, 'oldSize');
  if (oldSize === 0 || oldSize === newSize) return [];
  const proof: Uint8Array[] = [];
  let [from, to] = [0, newSize];
  while (to !== oldSize) {
    const middle = from + largestPowerBelow(to - from);
    if (oldSize <= middle) {
      proof.unshift(subtree(middle, to));
      to = middle;
    } else {
      proof.unshift(subtree(from, middle));
      from = middle;
    }
  }
  // From 0 on, what is left is the old tree itself, which the verifier has.
  return from === 0 ? proof : [subtree(from, to), ...proof];
}

export interface InclusionClaim {
  readonly leafHash: Uint8Array;
  readonly leafIndex: number;
  readonly treeSize: number;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/**
 * RFC 9162 §2.1.3.2. Size and root must come from one signed head: with a size of the prover's choice an inner node
 * can be shown as a leaf. `false` for everything that does not prove it; never throws for what a stranger sent.
 */
export function verifyInclusion({ leafHash: leaf, leafIndex, treeSize, proof, root }: InclusionClaim): boolean {
  if (!isCount(leafIndex) || !isCount(treeSize) || leafIndex >= treeSize || !areHashes([leaf, root, ...proof]))
    return false;
  let [node, last, hash] = [leafIndex, treeSize - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equalBytes(hash, root);
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly newSize: number;
  readonly oldRoot: Uint8Array;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** RFC 9162 §2.1.4.2. The empty tree is a prefix of every tree. `false` for everything that does not prove it. */
export function verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof }: ConsistencyClaim): boolean {
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize || !areHashes([oldRoot, newRoot, ...proof]))
    return false;
  if (oldSize === 0) return proof.length === 0 && equalBytes(oldRoot, rootOf([]));
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot);
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  if (path.length === 0) return false;
  let [node, last] = [oldSize - 1, newSize - 1];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  let [oldHash, newHash] = [path[0]!, path[0]!];
  for (const sibling of path.slice(1)) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equalBytes(oldHash, oldRoot) && equalBytes(newHash, newRoot);
}
