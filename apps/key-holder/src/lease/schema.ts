/** Shares of leased keys, what is known of the grants that they are for, and what was let out. */
export const LEASE_SCHEMA = `
/* A key whose share was destroyed stays known: it is neither given out nor taken again. */
CREATE TABLE leased_keys (
  key_id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL,
  statement BLOB NOT NULL,
  share_index INTEGER NOT NULL,
  encrypted BLOB,
  stored_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX leased_keys_by_job ON leased_keys (job_id);
/* The newest set of grants that was seen for one use of one dataset. */
CREATE TABLE grant_sets_seen (about TEXT PRIMARY KEY, facts INTEGER NOT NULL, version TEXT NOT NULL) STRICT, WITHOUT ROWID;
/* Of jobs that let one output out: the contributions whose keys were released, or that lay in what a key was leased of. */
CREATE TABLE given_for_jobs (
  job_id TEXT NOT NULL,
  contribution_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (job_id, contribution_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX given_by_time ON given_for_jobs (at_ms);
CREATE TABLE egress_tokens (job_id TEXT PRIMARY KEY, token_digest TEXT NOT NULL, signature BLOB NOT NULL) STRICT;
`;
