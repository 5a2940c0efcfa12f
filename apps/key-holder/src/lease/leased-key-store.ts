import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { fromHex, refuse, type Digest, type JobId, type TimestampMs } from '@usufruct/kernel';
import { decodeLeasedKey, type LeasedKey } from '@usufruct/protocol';
import { inTransaction } from '@usufruct/service';
import type { Scrubber } from '../erasure/scrubber.js';
import type { AtRest, EncryptedTable } from '../store/at-rest.js';

export interface StoredKey {
  readonly keyId: Digest;
  readonly key: LeasedKey;
  readonly index: number;
  /** The share's BCS at rest, as the key's; null once it was destroyed. */
  readonly encrypted: Uint8Array | null;
}

const aboutKey = (keyId: Digest): Uint8Array => fromHex(keyId);
export const LEASED_KEYS_TABLE: EncryptedTable = {
  table: 'leased_keys',
  aboutRow: (row) => aboutKey(row['key_id'] as Digest),
  rowsAtOnce: 256,
};

/** This holder's shares of leased keys, always encrypted at rest. */
export class LeasedKeyStore {
  constructor(
    private readonly database: DatabaseSync,
    private readonly atRest: AtRest,
    private readonly scrubber: Scrubber,
  ) {}

  /** Also one whose share was destroyed. */
  find(keyId: Digest): StoredKey | undefined {
    const row = this.database.prepare('SELECT * FROM leased_keys WHERE key_id = ?').get(keyId);
    return row === undefined ? undefined : storedOf(row);
  }

  /** Of which there still is a share. */
  living(): StoredKey[] {
    return this.database.prepare('SELECT * FROM leased_keys WHERE encrypted IS NOT NULL').all().map(storedOf);
  }

  /** Made in one job, destroyed ones included. */
  countOf(jobId: JobId): number {
    const query = 'SELECT count(*) AS n FROM leased_keys WHERE job_id = ?';
    return (this.database.prepare(query).get(jobId) as { n: number }).n;
  }

  encrypt(keyId: Digest, share: Uint8Array): Uint8Array {
    return this.atRest.encrypt(aboutKey(keyId), share);
  }

  /** Throws where it does not open. */
  decrypt(keyId: Digest, encrypted: Uint8Array): Uint8Array {
    // A rotation of the storage key may have encrypted it anew since it was read.
    const now = this.atRest.hasKeyOf(encrypted) ? encrypted : (this.find(keyId)?.encrypted ?? encrypted);
    return this.atRest.decrypt(aboutKey(keyId), now);
  }

  /** To be called in a transaction. What is there already stays as it is. */
  insert(
    keyId: Digest,
    jobId: JobId,
    statement: Uint8Array,
    share: { readonly index: number; readonly bytes: Uint8Array },
    nowMs: TimestampMs,
  ): void {
    this.database
      .prepare(
        `INSERT OR IGNORE INTO leased_keys (key_id, job_id, statement, share_index, encrypted, stored_at_ms)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(keyId, jobId, statement, share.index, this.encrypt(keyId, share.bytes), nowMs);
  }

  /** Their shares are gone for good, once the scrubber has finished. */
  destroy(keyIds: readonly Digest[]): void {
    inTransaction(this.database, () => {
      this.scrubber.note(keyIds.flatMap((keyId) => this.find(keyId)?.encrypted ?? []));
      for (const keyId of keyIds) {
        // First over-written in place: the row's own page is changed even where SQLite would only unlink the value.
        this.database
          .prepare('UPDATE leased_keys SET encrypted = zeroblob(length(encrypted)) WHERE key_id = ?')
          .run(keyId);
        this.database.prepare('UPDATE leased_keys SET encrypted = NULL WHERE key_id = ?').run(keyId);
      }
    });
  }
}

function storedOf(row: Readonly<Record<string, SQLOutputValue>>): StoredKey {
  const key = decodeLeasedKey(row['statement'] as Uint8Array);
  // Only what was decoded is ever written.
  if (key === null) throw refuse('INTERNAL');
  return {
    keyId: row['key_id'] as Digest,
    key,
    index: row['share_index'] as number,
    encrypted: row['encrypted'] as Uint8Array | null,
  };
}
