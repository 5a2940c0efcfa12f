import type { DatabaseSync } from 'node:sqlite';
import type { Digest, JobId } from '@usufruct/kernel';

export interface StoredToken {
  readonly tokenDigest: Digest;
  readonly signature: Uint8Array;
}

/** What each job was let out with: one token, for good. */
export class EgressStore {
  constructor(private readonly database: DatabaseSync) {}

  find(jobId: JobId): StoredToken | undefined {
    const row = this.database.prepare('SELECT * FROM egress_tokens WHERE job_id = ?').get(jobId);
    if (row === undefined) return undefined;
    return { tokenDigest: row['token_digest'] as Digest, signature: row['signature'] as Uint8Array };
  }

  /** To be called in a transaction. Throws where the job has one: a second is never stored. */
  insert(jobId: JobId, { tokenDigest, signature }: StoredToken): void {
    this.database.prepare('INSERT INTO egress_tokens VALUES (?, ?, ?)').run(jobId, tokenDigest, signature);
  }
}
