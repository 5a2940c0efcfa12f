import type { DatabaseSync } from 'node:sqlite';
import { refuse, utf8, type DaoId, type Digest, type JobId, type TimestampMs } from '@usufruct/kernel';
import { requireOpening, type ReadOpening } from '@usufruct/ledger';
import { decodeOpening, encodeOpening } from '@usufruct/protocol';
import type { AtRest, EncryptedTable } from '../store/at-rest.js';

/** Openings that this holder has checked, encrypted at rest: who was used for which question is nobody else's business. */
export class OpeningStore {
  constructor(
    private readonly database: DatabaseSync,
    private readonly atRest: AtRest,
  ) {}

  /** Also true for one that does not open. */
  has(digest: Digest): boolean {
    return this.database.prepare('SELECT 1 FROM openings WHERE receipt_digest = ?').get(digest) !== undefined;
  }

  countOf(jobId: JobId): number {
    return (this.database.prepare('SELECT count(*) AS n FROM openings WHERE job_id = ?').get(jobId) as { n: number }).n;
  }

  /**
   * Durable when it resolves. Takes the place of one that is there: the digest binds all but a damaged one to be the same.
   * Refuses `RATE_LIMITED` where the job has so many others.
   */
  async insert(
    daoId: DaoId,
    { digest, receipt, opening }: ReadOpening,
    { atMost, storedAtMs }: { readonly atMost: number; readonly storedAtMs: TimestampMs },
  ): Promise<void> {
    const encrypted = this.atRest.encrypt(aboutOpening(digest), encodeOpening(opening));
    // In one turn with the insertion: of those that come at once each counts the ones before.
    if (!this.has(digest) && this.countOf(receipt.jobId) >= atMost) {
      throw refuse('RATE_LIMITED', { jobId: receipt.jobId, limit: 'openings of one job' });
    }
    this.database
      .prepare('INSERT OR REPLACE INTO openings VALUES (?, ?, ?, ?, ?)')
      .run(digest, daoId, receipt.jobId, encrypted, storedAtMs);
  }

  /** Of this DAO; null for one that was never stored, and for one that does not open (a damaged or restored database). */
  async find(daoId: DaoId, digest: Digest): Promise<ReadOpening | null> {
    const row = this.database
      .prepare('SELECT encrypted FROM openings WHERE receipt_digest = ? AND dao_id = ?')
      .get(digest, daoId) as { encrypted: Uint8Array } | undefined;
    if (row === undefined) return null;
    try {
      return requireOpening(decodeOpening(this.atRest.decrypt(aboutOpening(digest), row.encrypted)));
    } catch {
      return null;
    }
  }
}

const aboutOpening = (digest: Digest): Uint8Array => utf8(`opening/${digest}`);
export const OPENINGS_TABLE: EncryptedTable = {
  table: 'openings',
  aboutRow: (row) => aboutOpening(row['receipt_digest'] as Digest),
  rowsAtOnce: 64,
};
