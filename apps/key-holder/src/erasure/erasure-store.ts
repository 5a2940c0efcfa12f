import type { DatabaseSync } from 'node:sqlite';
import type { ContributionId, DatasetId, Digest } from '@usufruct/kernel';
import { inTransaction } from '@usufruct/service';
import type { Scrubber } from './scrubber.js';

export interface StoredErasure {
  /** ErasureStatementBcs bytes. */
  readonly statement: Uint8Array;
  readonly signature: Uint8Array;
}

/** What this holder still has of a contribution. */
export interface SharesLeft {
  readonly manifestDigests: readonly Digest[];
  /** The encrypted rows, to look for in the files afterwards. */
  readonly encrypted: readonly Uint8Array[];
}

/** Shares that go, and the signed word about them that stays. */
export class ErasureStore {
  constructor(
    private readonly database: DatabaseSync,
    private readonly scrubber: Scrubber,
  ) {}

  sharesLeft(contributionId: ContributionId): SharesLeft {
    const query = `SELECT manifest_digest, encrypted FROM shares WHERE contribution_id = ?1
      UNION ALL SELECT manifest_digest, encrypted FROM sub_shares WHERE contribution_id = ?1 ORDER BY manifest_digest`;
    const rows = this.database.prepare(query).all(contributionId);
    return {
      manifestDigests: [...new Set(rows.map((row) => row['manifest_digest'] as Digest))],
      encrypted: rows.map((row) => row['encrypted'] as Uint8Array),
    };
  }

  /** Of every contribution of which there is a share, or what a share is made of. */
  contributionsByDataset(): Map<DatasetId, ContributionId[]> {
    const query = `SELECT dataset_id, contribution_id FROM shares
      UNION SELECT dataset_id, contribution_id FROM sub_shares`;
    const rows = this.database.prepare(query).all();
    const found = new Map<DatasetId, ContributionId[]>();
    for (const row of rows) {
      const datasetId = row['dataset_id'] as DatasetId;
      const known = found.get(datasetId);
      // Anybody deposits shares of contributions that are never registered: a copy for each would be quadratic.
      if (known === undefined) found.set(datasetId, [row['contribution_id'] as ContributionId]);
      else known.push(row['contribution_id'] as ContributionId);
    }
    return found;
  }

  find(contributionId: ContributionId): StoredErasure | undefined {
    const row = this.database.prepare('SELECT * FROM erasures WHERE contribution_id = ?').get(contributionId);
    if (row === undefined) return undefined;
    return {
      statement: row['statement'] as Uint8Array,
      signature: row['signature'] as Uint8Array,
    };
  }

  /** How many contributions were erased; it never falls. */
  count(): number {
    return (this.database.prepare('SELECT count(*) AS n FROM erasures').get() as { n: number }).n;
  }

  /**
   * Delete exactly these shares and keep the word about it, all or nothing. False where others came meanwhile: the
   * statement would not name them.
   */
  destroy(contributionId: ContributionId, left: SharesLeft, statement: Uint8Array, signature: Uint8Array): boolean {
    return inTransaction(this.database, () => {
      if (this.sharesLeft(contributionId).manifestDigests.join() !== left.manifestDigests.join()) return false;
      // First over-written in place: the row's own page is changed even where SQLite would only unlink it.
      for (const table of ['shares', 'sub_shares']) {
        const zeros = `UPDATE ${table} SET encrypted = zeroblob(length(encrypted)) WHERE contribution_id = ?`;
        this.database.prepare(zeros).run(contributionId);
        this.database.prepare(`DELETE FROM ${table} WHERE contribution_id = ?`).run(contributionId);
      }
      const seeds = this.database.prepare('DELETE FROM dealing_seeds WHERE manifest_digest = ?');
      for (const manifestDigest of left.manifestDigests) seeds.run(manifestDigest);
      this.database
        .prepare('INSERT OR REPLACE INTO erasures VALUES (?, ?, ?)')
        .run(contributionId, statement, signature);
      this.scrubber.note(left.encrypted);
      return true;
    });
  }
}
