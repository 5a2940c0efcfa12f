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
import { TAGS } from '@usufruct/protocol';
import type { AtRest, EncryptedTable } from '../store/at-rest.js';

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
      .prepare('INSERT OR IGNORE INTO sub_shares VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
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
      );
  }

  /** Throws where it does not open. */
  decrypt(stored: StoredSubShare): Uint8Array {
    // A rotation of the storage key may have encrypted it anew since it was read.
    const now = this.atRest.hasKeyOf(stored.encrypted) ? stored : (this.find(stored) ?? stored);
    return this.atRest.decrypt(aboutOf(stored), now.encrypted);
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
});

export const SUB_SHARES_TABLE: EncryptedTable = {
  table: 'sub_shares',
  aboutRow: (row) => aboutOf(subShareOf(row)),
  rowsAtOnce: 256,
};
