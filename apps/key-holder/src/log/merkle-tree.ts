import { sha256 } from '@usufruct/crypto';
import { assertInvariant, concatBytes, refuse } from '@usufruct/kernel';

const NODE_PREFIX = Uint8Array.of(1);
const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(concatBytes(NODE_PREFIX, left, right));

/**
 * The tree of RFC 6962 §2.1 over leaf hashes, with every complete subtree kept: roots and proofs of any size so far in
 * O(log n). `libs/crypto` has the same functions over a plain list and the verifiers; the two are tested against each
 * other.
 */
export class MerkleTree {
  /** levels[l][i] is the root over the leaves from i·2^l, 2^l of them. */
  private readonly levels: Uint8Array[][] = [[]];

  get size(): number {
    return this.levels[0]!.length;
  }

  append(leafHash: Uint8Array): void {
    this.levels[0]!.push(leafHash);
    for (let level = 0; this.levels[level]!.length % 2 === 0; level++) {
      const [left, right] = this.levels[level]!.slice(-2);
      const above = (this.levels[level + 1] ??= []);
      above.push(nodeHash(left!, right!));
    }
  }

  /** Forget what was appended after `size` leaves. */
  truncate(size: number): void {
    for (const [level, nodes] of this.levels.entries())
      nodes.length = Math.min(nodes.length, Math.floor(size / 2 ** level));
  }

  root(size = this.size): Uint8Array {
    this.requireSize(size);
    return size === 0 ? sha256(new Uint8Array()) : this.subtree(0, size);
  }

  /** PATH (RFC 6962 §2.1.1) of one leaf in the tree of the first `size` leaves. */
  inclusionProof(leafIndex: number, size: number): Uint8Array[] {
    this.requireSize(size);
    if (!Number.isSafeInteger(leafIndex) || leafIndex < 0 || leafIndex >= size) {
      throw refuse('INVALID_ARGUMENT', { field: 'leafIndex', expected: 'a leaf of the tree' });
    }
    const proof: Uint8Array[] = [];
    let [from, to] = [0, size];
    while (to - from > 1) {
      const middle = from + largestPowerBelow(to - from);
      const isLeft = leafIndex < middle;
      proof.unshift(isLeft ? this.subtree(middle, to) : this.subtree(from, middle));
      [from, to] = isLeft ? [from, middle] : [middle, to];
    }
    return proof;
  }

  /** PROOF (RFC 6962 §2.1.2) that the tree of `first` leaves is a prefix of the tree of `second`. */
  consistencyProof(first: number, second: number): Uint8Array[] {
    this.requireSize(second);
    this.requireSize(first, second);
    if (first === 0 || first === second) return [];
    const proof: Uint8Array[] = [];
    let [from, to, isWhole] = [0, second, true];
    while (to !== first) {
      const middle = from + largestPowerBelow(to - from);
      if (first <= middle) {
        proof.unshift(this.subtree(middle, to));
        to = middle;
      } else {
        proof.unshift(this.subtree(from, middle));
        [from, isWhole] = [middle, false];
      }
    }
    if (!isWhole) proof.unshift(this.subtree(from, to));
    return proof;
  }

  /** The root over leaves from..to, where `from` is a multiple of the largest power of two not above the length. */
  private subtree(from: number, to: number): Uint8Array {
    const length = to - from;
    const level = Math.log2(length);
    if (Number.isInteger(level)) {
      const node = this.levels[level]?.[from / length];
      assertInvariant(node !== undefined, 'complete subtrees are kept');
      return node;
    }
    const middle = from + largestPowerBelow(length);
    return nodeHash(this.subtree(from, middle), this.subtree(middle, to));
  }

  private requireSize(size: number, atMost = this.size): void {
    if (!Number.isSafeInteger(size) || size < 0 || size > atMost) {
      throw refuse('INVALID_ARGUMENT', { field: 'treeSize', expected: `an integer from 0 to ${atMost}` });
    }
  }
}

/** The largest power of two smaller than `size`, for size ≥ 2. */
const largestPowerBelow = (size: number): number => 2 ** (Math.ceil(Math.log2(size)) - 1);
