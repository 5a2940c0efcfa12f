import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import {
  fromHex,
  lengthPrefixed,
  utf8,
  type Address,
  type ContributionId,
  type DatasetId,
  type Digest,
  type HolderSetId,
  type TimestampMs,
} from '@usufruct/kernel';
import { PARTS_PER_PAGE, TAGS, type ResharePart } from '@usufruct/protocol';
import type { AtRest, EncryptedTable } from '../store/at-rest.js';

/** A page holds no more, however many polynomials a manifest had. */
const MOST_PARTS = 4 * PARTS_PER_PAGE;

/** What one dealer gave this holder for one manifest, in a re-sharing of the set that holds it. */
export interface SubShareKey {
  readonly holderSetId: HolderSetId;
  readonly manifestDigest: Digest;
  readonly toVersion: number;
  readonly from: Digest;
  readonly dealerIndex: number;
}
export interface StoredSubShare extends SubShareKey {
  readonly contributionId: ContributionId;
  readonly datasetId: DatasetId;
  readonly owner: Address;
  /** The first commitment of every polynomial of this manifest. Public. */
  readonly secretCommitment: Uint8Array;
  /** The dealer's, one after the other. Public. */
  readonly commitments: Uint8Array;
  /** So many dealers make a share: the threshold of the polynomial before. */
  readonly needed: number;
  readonly encrypted: Uint8Array;
}
/** One that is not encrypted yet: the store does that when it writes it. */
export interface NewSubShare extends Omit<StoredSubShare, 'encrypted'> {
  readonly subShare: Uint8Array;
}

/**
 * Verified sub-shares at rest. They are kept until a later version takes their place: from them this holder can make its
 * share whichever dealers the certificate names in the end.
 */
export class SubShareStore {
  /** Prepared once: a batch looks for hundreds. */
  readonly #find: StatementSync;

  constructor(
    private readonly database: DatabaseSync,
    private readonly atRest: AtRest,
  ) {
    this.#find = database.prepare(
      `SELECT * FROM sub_shares
       WHERE manifest_digest = ? AND to_version = ? AND from_polynomial = ? AND dealer_index = ?
       AND holder_set_id = ?`,
    );
  }

  find({ holderSetId, manifestDigest, toVersion, from, dealerIndex }: SubShareKey): StoredSubShare | undefined {
    const row = this.#find.get(manifestDigest, toVersion, from, dealerIndex, holderSetId);
    return row === undefined ? undefined : subShareOf(row);
  }

  /** The first that came stays; who calls has looked for another before. To be called in a transaction. */
  insert(subShare: NewSubShare, storedAtMs: TimestampMs): void {
    this.database
      .prepare('INSERT OR IGNORE INTO sub_shares VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        subShare.manifestDigest,
        subShare.toVersion,
        subShare.from,
        subShare.dealerIndex,
        subShare.contributionId,
        subShare.datasetId,
        subShare.owner,
        subShare.holderSetId,
        subShare.secretCommitment,
        subShare.commitments,
        this.atRest.encrypt(aboutOf(subShare), subShare.subShare),
        storedAtMs,
        subShare.needed,
      );
  }

  /** Throws where it does not open. */
  decrypt(stored: StoredSubShare): Uint8Array {
    // A rotation of the storage key may have encrypted it anew since it was read.
    const now = this.atRest.hasKeyOf(stored.encrypted) ? stored : (this.find(stored) ?? stored);
    return this.atRest.decrypt(aboutOf(stored), now.encrypted);
  }

  /** By manifest digest, of so many manifests after one. */
  partsOf(holderSetId: HolderSetId, after: Digest | undefined, atMost: number): ResharePart[] {
    const query = `SELECT manifest_digest, contribution_id, dataset_id, to_version, from_polynomial, needed,
        json_group_array(dealer_index ORDER BY dealer_index) AS dealers
      FROM sub_shares WHERE holder_set_id = ?1 AND manifest_digest IN (
        SELECT DISTINCT manifest_digest FROM sub_shares WHERE holder_set_id = ?1 AND manifest_digest > ?2
        ORDER BY manifest_digest LIMIT ?3)
      GROUP BY manifest_digest, to_version, from_polynomial ORDER BY manifest_digest, to_version DESC LIMIT ?4`;
    const rows = this.database.prepare(query).all(holderSetId, after ?? '', atMost, MOST_PARTS);
    return rows.map((row) => ({
      manifestDigest: row['manifest_digest'] as Digest,
      contributionId: row['contribution_id'] as ContributionId,
      datasetId: row['dataset_id'] as DatasetId,
      toVersion: row['to_version'] as number,
      from: row['from_polynomial'] as Digest,
      needed: row['needed'] as number,
      dealers: JSON.parse(row['dealers'] as string) as number[],
    }));
  }

  /** Of versions before this one; of all without one. Whether there were any. To be called in a transaction. */
  destroy(holderSetId: HolderSetId, manifestDigest: Digest, beforeVersion = Number.MAX_SAFE_INTEGER): boolean {
    const query = 'DELETE FROM sub_shares WHERE holder_set_id = ? AND manifest_digest = ? AND to_version < ?';
    return Number(this.database.prepare(query).run(holderSetId, manifestDigest, beforeVersion).changes) > 0;
  }
}

const aboutOf = ({ manifestDigest, toVersion, from, dealerIndex }: SubShareKey): Uint8Array =>
  lengthPrefixed(utf8(TAGS.subShares), fromHex(manifestDigest), fromHex(from), utf8(`${toVersion}/${dealerIndex}`));

/** Columns as the schema has them; ids were branded before they were written. */
const subShareOf = (row: Readonly<Record<string, SQLOutputValue>>): StoredSubShare => ({
  manifestDigest: row['manifest_digest'] as Digest,
  toVersion: row['to_version'] as number,
  from: row['from_polynomial'] as Digest,
  dealerIndex: row['dealer_index'] as number,
  contributionId: row['contribution_id'] as ContributionId,
  datasetId: row['dataset_id'] as DatasetId,
  owner: row['owner'] as Address,
  holderSetId: row['holder_set_id'] as HolderSetId,
  secretCommitment: row['secret_commitment'] as Uint8Array,
  commitments: row['commitments'] as Uint8Array,
  encrypted: row['encrypted'] as Uint8Array,
  needed: row['needed'] as number,
});

export const SUB_SHARES_TABLE: EncryptedTable = {
  table: 'sub_shares',
  aboutRow: (row) => aboutOf(subShareOf(row)),
  rowsAtOnce: 256,
};
