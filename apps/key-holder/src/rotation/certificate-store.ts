import type { DatabaseSync } from 'node:sqlite';
import { fromBase64, type Digest, type HolderSetId } from '@usufruct/kernel';
import { CERTIFICATES_PER_PAGE, reshareResultDigest, type ReshareCertificate } from '@usufruct/protocol';

/**
 * Certificates that this holder acted on. Whoever carried them may die between two holders, and the first has then
 * destroyed what the others would need to do it again: so each can give them to the others.
 */
export class CertificateStore {
  constructor(private readonly database: DatabaseSync) {}

  /**
   * In place of those for versions before, once no share of such a version is left here: others may still need them to
   * make the shares that they deal from. To be called in a transaction.
   */
  keep(holderSetId: HolderSetId, toVersion: number, certificate: ReshareCertificate): void {
    const query = `DELETE FROM resharing_certificates WHERE holder_set_id = ?1 AND to_version < ?2
      AND NOT EXISTS (SELECT 1 FROM shares WHERE holder_set_id = ?1 AND set_version < ?2)`;
    this.database.prepare(query).run(holderSetId, toVersion);
    this.database
      .prepare('INSERT OR IGNORE INTO resharing_certificates VALUES (?, ?, ?, ?)')
      .run(reshareResultDigest(fromBase64(certificate.result)), holderSetId, toVersion, JSON.stringify(certificate));
  }

  /** By the digest of the result. */
  list(holderSetId: HolderSetId, after: Digest | undefined): ReshareCertificate[] {
    const query = `SELECT certificate FROM resharing_certificates
      WHERE holder_set_id = ? AND result_digest > ? ORDER BY result_digest LIMIT ?`;
    const rows = this.database.prepare(query).all(holderSetId, after ?? '', CERTIFICATES_PER_PAGE);
    // Parsed when they came, and kept as they were then.
    return rows.map((row) => JSON.parse(row['certificate'] as string) as ReshareCertificate);
  }
}
