import type { DatabaseSync } from 'node:sqlite';
import { leafHash, MerkleLog, sign, type SigningKey } from '@usufruct/crypto';
import {
  equalBytes,
  fromHex,
  refuse,
  toBase64,
  toHex32,
  type Clock,
  type ContributionId,
  type DatasetId,
  type Digest,
  type HolderSetId,
  type JobId,
} from '@usufruct/kernel';
import {
  LEAF_JOB_OFFSET,
  LogLeafBcs,
  ReleaseLeafBcs,
  TAGS,
  TreeHeadBcs,
  type SignedTreeHead,
} from '@usufruct/protocol';
import { inTransaction } from '@usufruct/service';
import { OneAtATime } from '../one-at-a-time.js';
import { mapInSlices } from '../slices.js';

/** A place in a holder set; the same log is signed for every set that this holder is a member of. */
export interface Membership {
  readonly holderSetId: HolderSetId;
  /** From 0. */
  readonly member: number;
}

export interface LogEntry {
  /** Who may read it: the owner of the contribution that it is about, or of any contribution of the dataset. */
  readonly subject: ContributionId | DatasetId;
  /** LogLeafBcs bytes. */
  readonly leaf: Uint8Array;
}

export interface Appended {
  readonly firstIndex: number;
  readonly treeSize: number;
  readonly head: SignedTreeHead;
}

interface HeadRow {
  readonly tree_head: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Everything that this holder ever decided, in one append-only Merkle log (RFC 6962). What `append` returned is
 * durable, together with the signed head that covers it; a head is made once a size and then repeated, so that two
 * different heads of one size prove a fork.
 */
export class ReleaseLog {
  private readonly tree = new MerkleLog();
  private readonly turns = new OneAtATime();

  constructor(
    private readonly database: DatabaseSync,
    private readonly signing: SigningKey,
    private readonly clock: Clock,
    /** Throws why nothing may be added now. */
    private readonly requireCaughtUp: () => Promise<void> = async () => undefined,
  ) {
    for (const row of database.prepare('SELECT leaf_index, leaf FROM leaves ORDER BY leaf_index').iterate()) {
      const { leaf_index: index, leaf } = row as { leaf_index: number; leaf: Uint8Array };
      if (index !== this.tree.size)
        throw refuse('CONFIG_INVALID', { setting: 'DATA_DIR', reason: 'the log has a gap' });
      this.tree.append(leafHash(leaf));
    }
  }

  get size(): number {
    return this.tree.size;
  }

  /** Of its first so many entries, at most `size`. */
  root(treeSize: number): Uint8Array {
    return this.tree.root(treeSize);
  }

  /**
   * Append and sign, all or nothing and with one flush to the disk, whatever the number; one at a time. `alongside` writes
   * in the same transaction. Refuses `LOG_BEHIND`: going on from a log that was rolled back would fork it.
   */
  async append(
    entries: readonly LogEntry[],
    membership: Membership,
    alongside: () => void = () => undefined,
  ): Promise<Appended> {
    const hashes = await mapInSlices(entries, ({ leaf }) => leafHash(leaf));
    await this.requireCaughtUp();
    return this.turns.exclusively(async () => {
      const firstIndex = this.tree.size;
      try {
        for (const hash of hashes) this.tree.append(hash);
        const signed = await this.sign(membership);
        inTransaction(this.database, () => {
          const insert = this.database.prepare('INSERT INTO leaves VALUES (?, ?, ?)');
          for (const [offset, { subject, leaf }] of entries.entries()) {
            insert.run(firstIndex + offset, subject, leaf);
          }
          this.storeHead(membership, signed);
          alongside();
        });
        return { firstIndex, treeSize: this.tree.size, head: onWire(signed) };
      } catch (error) {
        this.tree.truncate(firstIndex);
        throw error;
      }
    });
  }

  /** The signed head of the log as it is now. */
  head(membership: Membership): Promise<SignedTreeHead> {
    return this.turns.exclusively(async () => {
      const known = this.database
        .prepare('SELECT tree_head, signature FROM tree_heads WHERE holder_set_id = ? AND tree_size = ?')
        .get(membership.holderSetId, this.tree.size) as HeadRow | undefined;
      // After a rotation the same tree is signed once more, for the place that this holder has now.
      if (known !== undefined && TreeHeadBcs.parse(known.tree_head).member === membership.member) return onWire(known);
      const signed = await this.sign(membership);
      this.storeHead(membership, signed);
      return onWire(signed);
    });
  }

  inclusionProof(leafIndex: number, treeSize: number): string[] {
    return this.tree.inclusionProof(leafIndex, treeSize).map((hash) => toBase64(hash));
  }

  /** That the entries from `first` on are under the head of that size. */
  rangeProof(first: number, count: number, treeSize: number): string[] {
    return this.tree.rangeProof(first, count, treeSize).map((hash) => toBase64(hash));
  }

  consistencyProof(first: number, second: number): string[] {
    return this.tree.consistencyProof(first, second).map((hash) => toBase64(hash));
  }

  /** The newest entries of one subject up to a tree size, oldest first. */
  entriesOf(
    subject: LogEntry['subject'],
    treeSize: number,
    atMost = Number.MAX_SAFE_INTEGER,
  ): { leafIndex: number; leaf: Uint8Array }[] {
    const query =
      'SELECT leaf_index, leaf FROM leaves WHERE subject = ? AND leaf_index < ? ORDER BY leaf_index DESC LIMIT ?';
    const rows = this.database.prepare(query).all(subject, treeSize, atMost).toReversed();
    return rows.map((row) => ({ leafIndex: row['leaf_index'] as number, leaf: row['leaf'] as Uint8Array }));
  }

  /** Whether this holder gave the runner with this key its share of the contribution, for this job. */
  hasReleased(contributionId: ContributionId, jobId: JobId, runnerSigningKey: Uint8Array): boolean {
    return this.leavesOfJob(contributionId, jobId).some((leaf) => {
      const entry = ReleaseLeafBcs.parse(leaf);
      return (
        entry.decision === 'RELEASED' &&
        entry.jobId === jobId &&
        entry.contributionId === contributionId &&
        equalBytes(entry.runnerSigningKey, runnerSigningKey)
      );
    });
  }

  /**
   * Whether this holder leased the key of an index over the dataset to the runner with this key, for this job: what lies
   * in the index was then in its reach, with no release of any contribution in this job.
   */
  hasLeasedIndex(datasetId: DatasetId, jobId: JobId, runnerSigningKey: Uint8Array): boolean {
    return this.leavesOfJob(datasetId, jobId).some((bytes) => {
      const { type, leaf } = LogLeafBcs.parse(bytes);
      return (
        type === 'lease' &&
        leaf.decision === 'LEASED' &&
        leaf.keyKind === 'index' &&
        leaf.jobId === jobId &&
        equalBytes(leaf.runnerSigningKey, runnerSigningKey)
      );
    });
  }

  /** Remember a set that this holder answers for, and its place there, which a rotation may change. */
  remember({ holderSetId, member }: Membership): void {
    this.database
      .prepare(
        `INSERT INTO holder_sets (holder_set_id, member) VALUES (?, ?)
         ON CONFLICT (holder_set_id) DO UPDATE SET member = excluded.member`,
      )
      .run(holderSetId, member);
  }

  memberships(): (Membership & { readonly anchoredSize: number })[] {
    const rows = this.database.prepare('SELECT * FROM holder_sets ORDER BY rowid').all();
    return rows.map((row) => ({
      holderSetId: row['holder_set_id'] as HolderSetId,
      member: row['member'] as number,
      anchoredSize: row['anchored_size'] as number,
    }));
  }

  anchored({ holderSetId }: Membership, treeSize: number): void {
    this.database
      .prepare('UPDATE holder_sets SET anchored_size = max(anchored_size, ?) WHERE holder_set_id = ?')
      .run(treeSize, holderSetId);
  }

  private leavesOfJob(subject: LogEntry['subject'], jobId: JobId): Uint8Array[] {
    // SQLite counts from 1.
    const query = `SELECT leaf FROM leaves WHERE subject = ? AND substr(leaf, ${LEAF_JOB_OFFSET + 1}, 32) = ?`;
    const rows = this.database.prepare(query).all(subject, fromHex(jobId)) as { leaf: Uint8Array }[];
    return rows.map(({ leaf }) => leaf);
  }

  private async sign({ holderSetId, member }: Membership): Promise<HeadRow> {
    const head = {
      holderSetId,
      member,
      treeSize: this.tree.size,
      rootHash: toHex32<Digest>(this.tree.root()),
      atMs: this.clock.nowMs(),
    };
    const message = TreeHeadBcs.serialize(head).toBytes();
    const { secretKey } = this.signing;
    return { tree_head: message, signature: await sign({ secretKey, domainTag: TAGS.treeHead, message }) };
  }

  private storeHead({ holderSetId }: Membership, { tree_head: head, signature }: HeadRow): void {
    this.database
      .prepare('INSERT OR REPLACE INTO tree_heads VALUES (?, ?, ?, ?)')
      .run(holderSetId, this.tree.size, head, signature);
  }
}

const onWire = ({ tree_head: head, signature }: HeadRow): SignedTreeHead => ({
  treeHead: toBase64(head),
  signature: toBase64(signature),
});
