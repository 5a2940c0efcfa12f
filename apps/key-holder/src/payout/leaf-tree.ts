import { setImmediate as nextTurn } from 'node:timers/promises';
import { leafHash, MerkleLog } from '@usufruct/crypto';
import { concatBytes, toHex32, type DaoId, type Digest } from '@usufruct/kernel';
import { epochLeafEntry, EpochSharesBcs, type EpochLeaf } from '@usufruct/protocol';

/** Account (32), units (8), salt (32): what BCS makes of one share. */
export const SHARE_BYTES = 72;
/** Less than 128, so that BCS counts them in one byte; some milliseconds of work. */
const SHARES_A_TURN = 64;

export interface EpochName {
  readonly daoId: DaoId;
  readonly number: bigint;
}
export interface ProvenLeaf {
  readonly leaf: EpochLeaf;
  readonly proof: Digest[];
}

/**
 * An epoch's shares (BCS) as leaves, a few at a time with other work between them: this process has one thread, and a
 * release must not wait for the leaves of a large epoch.
 */
async function* leavesInTurns(of: EpochName, shares: Uint8Array): AsyncGenerator<EpochLeaf[]> {
  const count = countOf(shares);
  for (let from = 0; from < count; from += SHARES_A_TURN) {
    yield leavesAt(of, shares, from, Math.min(SHARES_A_TURN, count - from));
    await nextTurn();
  }
}

/** The tree over an epoch's leaves, which are kept as bytes: as objects they would be many times as large. */
export class LeafTree {
  private constructor(
    private readonly of: EpochName,
    private readonly shares: Uint8Array,
    private readonly log: MerkleLog,
  ) {}

  static async build(of: EpochName, shares: Uint8Array): Promise<LeafTree> {
    const log = new MerkleLog();
    for await (const leaves of leavesInTurns(of, shares)) {
      for (const leaf of leaves) log.append(leafHash(epochLeafEntry(leaf)));
    }
    return new LeafTree(of, shares, log);
  }

  provenAt(index: number): ProvenLeaf {
    const [leaf] = leavesAt(this.of, this.shares, index, 1);
    const proof = this.log.inclusionProof(index).map((hash) => toHex32<Digest>(hash));
    return { leaf: leaf!, proof };
  }
}

const countOf = (shares: Uint8Array): number => Math.floor(shares.length / SHARE_BYTES);

function leavesAt(of: EpochName, shares: Uint8Array, from: number, count: number): EpochLeaf[] {
  // BCS writes the number of shares first, in 1 to 5 bytes.
  const start = (shares.length % SHARE_BYTES) + from * SHARE_BYTES;
  const some = shares.subarray(start, start + count * SHARE_BYTES);
  const parsed = EpochSharesBcs.parse(concatBytes(Uint8Array.of(count), some));
  const { daoId, number } = of;
  return parsed.map((share, i) => ({ daoId, number, index: from + i, ...share }));
}
