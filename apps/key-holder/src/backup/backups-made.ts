import type { DatabaseSync } from 'node:sqlite';
import { asTimestampMs, type TimestampMs } from '@usufruct/kernel';
import type { BackupRecipient } from './recipient.js';

/** For whom backups were made; noted before one is begun. */
export const BACKUPS_SCHEMA = `
CREATE TABLE backups (
  recipient_id TEXT PRIMARY KEY,
  expires_at_ms INTEGER NOT NULL,
  last_at_ms INTEGER NOT NULL
) STRICT;
`;

export class BackupsMade {
  constructor(private readonly database: DatabaseSync) {}

  /** Durable when it returns. */
  note({ id, expiresAtMs }: Pick<BackupRecipient, 'id' | 'expiresAtMs'>, atMs: TimestampMs): void {
    this.database
      .prepare(
        `INSERT INTO backups VALUES (?, ?, ?)
         ON CONFLICT (recipient_id) DO UPDATE SET last_at_ms = max(last_at_ms, excluded.last_at_ms)`,
      )
      .run(id, expiresAtMs, atMs);
  }

  /**
   * Until when a backup of this holder can be opened, whatever is in it: the last of these moments that is still to
   * come; 0 where there is none. It does not ask whether a backup was made while some share was here, so it may say
   * later than needed, and never earlier.
   */
  openableUntilMs(nowMs: TimestampMs): TimestampMs {
    const query = 'SELECT max(expires_at_ms) AS latest FROM backups WHERE expires_at_ms > ?';
    const { latest } = this.database.prepare(query).get(nowMs) as { latest: number | null };
    return asTimestampMs(latest ?? 0);
  }

  lastAtMs(): TimestampMs | null {
    const { last } = this.database.prepare('SELECT max(last_at_ms) AS last FROM backups').get() as {
      last: number | null;
    };
    return last === null ? null : asTimestampMs(last);
  }
}
