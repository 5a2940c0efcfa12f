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
import type { AtRest } from './at-rest.js';

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
  /** nonce (12) ‖ AES-256-GCM of the share's BCS; AAD = manifest digest. */
  readonly encrypted: Uint8Array;
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

  encrypt(manifestDigest: Digest, share: Uint8Array): Promise<Uint8Array> {
    return this.atRest.encrypt(fromHex(manifestDigest), share);
  }

  decrypt({ manifestDigest, encrypted }: StoredShare): Promise<Uint8Array> {
    return this.atRest.decrypt(fromHex(manifestDigest), encrypted);
  }

  /** In the order given; null where there is no row or it does not open. A slice at a time, so that others get a turn. */
  async decryptMany(rows: readonly (StoredShare | undefined)[]): Promise<(Uint8Array | null)[]> {
    const opened: (Uint8Array | null)[] = [];
    for (let from = 0; from < rows.length; from += OPENED_AT_ONCE) {
      const slice = rows.slice(from, from + OPENED_AT_ONCE);
      const open = (row: StoredShare | undefined) => (row === undefined ? null : this.decrypt(row).catch(() => null));
      opened.push(...(await Promise.all(slice.map(open))));
    }
    return opened;
  }

  /** Durable when it returns. A manifest that is there already stays as it is. */
  insert(share: StoredShare, storedAtMs: TimestampMs): void {
    this.database.prepare(`INSERT OR IGNORE ${INTO_SHARES}`).run(...valuesOf(share, storedAtMs));
  }

  /** The one share of this manifest is this one from now on. To be called in a transaction. */
  replace(share: StoredShare, storedAtMs: TimestampMs): void {
    this.database.prepare(`INSERT OR REPLACE ${INTO_SHARES}`).run(...valuesOf(share, storedAtMs));
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
}

const INTO_SHARES = `INTO shares (manifest_digest, contribution_id, dataset_id, owner, holder_set_id, share_index,
  encrypted, stored_at_ms, set_version, commitments) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const valuesOf = (share: StoredShare, storedAtMs: TimestampMs): SQLInputValue[] => [
  share.manifestDigest,
  share.contributionId,
  share.datasetId,
  share.owner,
  share.holderSetId,
  share.index,
  share.encrypted,
  storedAtMs,
  share.version,
  share.commitments,
];

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
export const polynomialOf = ({ manifestDigest, holderSetId, version, commitments }: StoredShare): Digest =>
  commitments === null
    ? manifestDigest
    : polynomialDigest({ manifestDigest, holderSetId, version, commitments: splitPoints(commitments) });
