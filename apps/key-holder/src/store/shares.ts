import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import {
  fromHex,
  type Address,
  type ContributionId,
  type DatasetId,
  type Digest,
  type HolderSetId,
  type TimestampMs,
} from '@usufruct/kernel';
import { polynomialDigest, splitPoints } from '@usufruct/protocol';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inTransaction } from '@usufruct/service';
import type { Scrubber } from '../erasure/scrubber.js';
import type { AtRest, EncryptedTable } from './at-rest.js';

export interface StoredShare {
  readonly manifestDigest: Digest;
  readonly contributionId: ContributionId;
  readonly datasetId: DatasetId;
  readonly owner: Address;
  readonly holderSetId: HolderSetId;
  /** Position of the share on its polynomial, from 1. */
  readonly index: number;
  /** Of the holder set that the share was dealt for, by the contributor or by a re-sharing. */
  readonly version: number;
  /** Of the re-shared polynomial that it lies on, one after the other; null where that is the manifest's own. */
  readonly commitments: Uint8Array | null;
  /** The share's BCS at rest, as its manifest's. */
  readonly encrypted: Uint8Array;
}
/** One that is not encrypted yet: the store does that when it writes it. */
export interface NewShare extends Omit<StoredShare, 'encrypted'> {
  /** BCS. */
  readonly share: Uint8Array;
}

const aboutShare = (manifestDigest: Digest): Uint8Array => fromHex(manifestDigest);
export const SHARES_TABLE: EncryptedTable = {
  table: 'shares',
  aboutRow: (row) => aboutShare(row['manifest_digest'] as Digest),
  rowsAtOnce: 256,
};

/** A share that was deposited and of which no contribution, or another manifest of it, was seen on the chain. */
export interface UnregisteredShare {
  readonly manifestDigest: Digest;
  readonly contributionId: ContributionId;
  readonly storedAtMs: TimestampMs;
}

const OPENED_AT_ONCE = 256;

/** Shares at rest, always encrypted: the database file alone opens nothing. */
export class ShareStore {
  constructor(
    private readonly database: DatabaseSync,
    private readonly atRest: AtRest,
  ) {}

  find(manifestDigest: Digest): StoredShare | undefined {
    const row = this.database.prepare('SELECT * FROM shares WHERE manifest_digest = ?').get(manifestDigest);
    return row === undefined ? undefined : shareOf(row);
  }

  /** In the order asked; one statement for all of them. */
  findMany(manifestDigests: readonly (Digest | null)[]): (StoredShare | undefined)[] {
    const statement = this.database.prepare('SELECT * FROM shares WHERE manifest_digest = ?');
    return manifestDigests.map((digest) => {
      const row = digest === null ? undefined : statement.get(digest);
      return row === undefined ? undefined : shareOf(row);
    });
  }

  /** How many manifests of one contribution are stored; a client that deals again makes another. */
  countOf(contributionId: ContributionId): number {
    const query = 'SELECT count(*) AS n FROM shares WHERE contribution_id = ?';
    return (this.database.prepare(query).get(contributionId) as { n: number }).n;
  }

  encrypt(manifestDigest: Digest, share: Uint8Array): Uint8Array {
    return this.atRest.encrypt(aboutShare(manifestDigest), share);
  }

  /** Throws where it does not open. */
  decrypt(stored: StoredShare): Uint8Array {
    return this.atRest.decrypt(aboutShare(stored.manifestDigest), this.asNow(stored));
  }

  /** As it is now where a rotation of the storage key has encrypted the same share anew since it was read. */
  private asNow(stored: StoredShare): Uint8Array {
    if (this.atRest.hasKeyOf(stored.encrypted)) return stored.encrypted;
    const now = this.find(stored.manifestDigest);
    return now !== undefined && polynomialOf(now) === polynomialOf(stored) ? now.encrypted : stored.encrypted;
  }

  /** In the order given; null where there is no row or it does not open. A slice at a time, so that others get a turn. */
  async decryptMany(rows: readonly (StoredShare | undefined)[]): Promise<(Uint8Array | null)[]> {
    const opened: (Uint8Array | null)[] = [];
    for (let from = 0; from < rows.length; from += OPENED_AT_ONCE) {
      const slice = rows.slice(from, from + OPENED_AT_ONCE);
      opened.push(...slice.map((row) => (row === undefined ? null : this.orNull(row))));
      if (from + OPENED_AT_ONCE < rows.length) await nextTurn();
    }
    return opened;
  }

  private orNull(row: StoredShare): Uint8Array | null {
    try {
      return this.decrypt(row);
    } catch {
      return null;
    }
  }

  /** Durable when it returns. A manifest that is there already stays as it is. */
  insert(share: NewShare, storedAtMs: TimestampMs): void {
    this.database.prepare(`INSERT OR IGNORE ${INTO_SHARES}`).run(...this.valuesOf(share, storedAtMs, false));
  }

  /** Its depositor has asked for it again: the time in which it is to be registered begins anew. */
  renew(manifestDigest: Digest, storedAtMs: TimestampMs): void {
    const renewed = 'UPDATE shares SET stored_at_ms = ? WHERE manifest_digest = ? AND is_registered = 0';
    this.database.prepare(renewed).run(storedAtMs, manifestDigest);
  }

  /** Of a dataset, those that this holder has never seen on the chain. */
  unregistered(datasetId: DatasetId): UnregisteredShare[] {
    const query = `SELECT manifest_digest, contribution_id, stored_at_ms FROM shares
      WHERE dataset_id = ? AND is_registered = 0`;
    return this.database
      .prepare(query)
      .all(datasetId)
      .map((row) => ({
        manifestDigest: row['manifest_digest'] as Digest,
        contributionId: row['contribution_id'] as ContributionId,
        storedAtMs: row['stored_at_ms'] as TimestampMs,
      }));
  }

  /** Once seen on the chain, a share is never taken for one that nobody registered, whatever is shown later. */
  markRegistered(manifestDigests: readonly Digest[]): void {
    const mark = this.database.prepare('UPDATE shares SET is_registered = 1 WHERE manifest_digest = ?');
    inTransaction(this.database, () => {
      for (const digest of manifestDigests) mark.run(digest);
    });
  }

  /**
   * Gone for good, once the scrubber has finished: these of them that are still unregistered and were not asked for
   * again. How many.
   */
  giveUp(shares: readonly UnregisteredShare[], scrubber: Pick<Scrubber, 'note'>): number {
    const where = 'WHERE manifest_digest = ? AND stored_at_ms = ? AND is_registered = 0';
    const find = this.database.prepare(`SELECT encrypted FROM shares ${where}`);
    // First over-written in place, as in `ErasureStore.destroy`.
    const zeros = this.database.prepare(`UPDATE shares SET encrypted = zeroblob(length(encrypted)) ${where}`);
    const remove = this.database.prepare(`DELETE FROM shares ${where}`);
    return inTransaction(this.database, () => {
      const deleted: Uint8Array[] = [];
      for (const { manifestDigest, storedAtMs } of shares) {
        const row = find.get(manifestDigest, storedAtMs);
        if (row === undefined) continue;
        deleted.push(row['encrypted'] as Uint8Array);
        zeros.run(manifestDigest, storedAtMs);
        remove.run(manifestDigest, storedAtMs);
      }
      if (deleted.length > 0) scrubber.note(deleted);
      return deleted.length;
    });
  }

  /** The one share of this manifest, which is registered, is this one from now on. To be called in a transaction. */
  replace(share: NewShare, storedAtMs: TimestampMs): void {
    this.database.prepare(`INSERT OR REPLACE ${INTO_SHARES}`).run(...this.valuesOf(share, storedAtMs, true));
  }

  /** Gone for good; whether there was one. To be called in a transaction. */
  destroy(manifestDigest: Digest): boolean {
    const { changes } = this.database.prepare('DELETE FROM shares WHERE manifest_digest = ?').run(manifestDigest);
    return Number(changes) > 0;
  }

  /** By manifest digest, after the one given. */
  ofSet(holderSetId: HolderSetId, after: Digest | undefined, atMost: number): StoredShare[] {
    const query =
      'SELECT * FROM shares WHERE holder_set_id = ? AND manifest_digest > ? ORDER BY manifest_digest LIMIT ?';
    return this.database
      .prepare(query)
      .all(holderSetId, after ?? '', atMost)
      .map(shareOf);
  }

  private valuesOf(share: NewShare, storedAtMs: TimestampMs, isRegistered: boolean): SQLInputValue[] {
    return [
      share.manifestDigest,
      share.contributionId,
      share.datasetId,
      share.owner,
      share.holderSetId,
      share.index,
      this.encrypt(share.manifestDigest, share.share),
      storedAtMs,
      share.version,
      share.commitments,
      Number(isRegistered),
    ];
  }
}

const INTO_SHARES = `INTO shares (manifest_digest, contribution_id, dataset_id, owner, holder_set_id, share_index,
  encrypted, stored_at_ms, set_version, commitments, is_registered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Columns as the schema has them; ids were branded before they were written. */
const shareOf = (row: Readonly<Record<string, SQLOutputValue>>): StoredShare => ({
  manifestDigest: row['manifest_digest'] as Digest,
  contributionId: row['contribution_id'] as ContributionId,
  datasetId: row['dataset_id'] as DatasetId,
  owner: row['owner'] as Address,
  holderSetId: row['holder_set_id'] as HolderSetId,
  index: row['share_index'] as number,
  version: row['set_version'] as number,
  commitments: row['commitments'] as Uint8Array | null,
  encrypted: row['encrypted'] as Uint8Array,
});

/** Which polynomial the share lies on. */
export const polynomialOf = ({
  manifestDigest,
  holderSetId,
  version,
  commitments,
}: Omit<StoredShare, 'encrypted'>): Digest =>
  commitments === null
    ? manifestDigest
    : polynomialDigest({ manifestDigest, holderSetId, version, commitments: splitPoints(commitments) });
