import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import {
  fromHex,
  type Address,
  type ContributionId,
  type DatasetId,
  type Digest,
  type HolderSetId,
  type TimestampMs,
} from '@usufruct/kernel';
import type { AtRest } from './at-rest.js';

export interface StoredShare {
  readonly manifestDigest: Digest;
  readonly contributionId: ContributionId;
  readonly datasetId: DatasetId;
  readonly owner: Address;
  readonly holderSetId: HolderSetId;
  /** Position of the share, from 1. */
  readonly index: number;
  /** nonce (12) ‖ AES-256-GCM of the share's BCS; AAD = manifest digest. */
  readonly encrypted: Uint8Array;
}

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

  /** How many manifests of one contribution are stored; a client that deals again makes another. */
  countOf(contributionId: ContributionId): number {
    const query = 'SELECT count(*) AS n FROM shares WHERE contribution_id = ?';
    return (this.database.prepare(query).get(contributionId) as { n: number }).n;
  }

  encrypt(manifestDigest: Digest, share: Uint8Array): Promise<Uint8Array> {
    return this.atRest.encrypt(fromHex(manifestDigest), share);
  }

  decrypt({ manifestDigest, encrypted }: StoredShare): Promise<Uint8Array> {
    return this.atRest.decrypt(fromHex(manifestDigest), encrypted);
  }

  /** Durable when it returns. A manifest that is there already stays as it is. */
  insert(share: StoredShare, storedAtMs: TimestampMs): void {
    this.database
      .prepare('INSERT OR IGNORE INTO shares VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        share.manifestDigest,
        share.contributionId,
        share.datasetId,
        share.owner,
        share.holderSetId,
        share.index,
        share.encrypted,
        storedAtMs,
      );
  }
}

/** Rows are written from branded values by `insert` alone, so their brands are restored without another check. */
/** Columns as the schema has them; ids were branded before they were written. */
const shareOf = (row: Readonly<Record<string, SQLOutputValue>>): StoredShare => ({
  manifestDigest: row['manifest_digest'] as Digest,
  contributionId: row['contribution_id'] as ContributionId,
  datasetId: row['dataset_id'] as DatasetId,
  owner: row['owner'] as Address,
  holderSetId: row['holder_set_id'] as HolderSetId,
  index: row['share_index'] as number,
  encrypted: row['encrypted'] as Uint8Array,
});
