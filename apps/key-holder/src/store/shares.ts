import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import {
  concatBytes,
  fromHex,
  type Address,
  type ContributionId,
  type DatasetId,
  type Digest,
  type HolderSetId,
  type RandomSource,
  type TimestampMs,
} from '@usufruct/kernel';

const NONCE_BYTES = 12;

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
    private readonly storageKey: CryptoKey,
    private readonly random: RandomSource,
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

  async encrypt(manifestDigest: Digest, share: Uint8Array): Promise<Uint8Array> {
    const nonce = Uint8Array.from(this.random(NONCE_BYTES));
    const sealed = await crypto.subtle.encrypt(
      this.parameters(nonce, manifestDigest),
      this.storageKey,
      Uint8Array.from(share),
    );
    return concatBytes(nonce, new Uint8Array(sealed));
  }

  async decrypt({ manifestDigest, encrypted }: StoredShare): Promise<Uint8Array> {
    const nonce = Uint8Array.from(encrypted.subarray(0, NONCE_BYTES));
    const sealed = Uint8Array.from(encrypted.subarray(NONCE_BYTES));
    return new Uint8Array(await crypto.subtle.decrypt(this.parameters(nonce, manifestDigest), this.storageKey, sealed));
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

  private parameters(iv: Uint8Array<ArrayBuffer>, manifestDigest: Digest): AesGcmParams {
    return { name: 'AES-GCM', iv, additionalData: Uint8Array.from(fromHex(manifestDigest)) };
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
