/** What is dealt and received on the way to the shares of a holder set's next version. */
export const RESHARING_SCHEMA = `
CREATE TABLE dealing_seeds (
  manifest_digest TEXT NOT NULL,
  to_version INTEGER NOT NULL,
  encrypted BLOB NOT NULL,
  PRIMARY KEY (manifest_digest, to_version)
) STRICT;
CREATE TABLE sub_shares (
  manifest_digest TEXT NOT NULL,
  to_version INTEGER NOT NULL,
  from_polynomial TEXT NOT NULL,
  dealer_index INTEGER NOT NULL,
  contribution_id TEXT NOT NULL,
  dataset_id TEXT NOT NULL,
  owner TEXT NOT NULL,
  holder_set_id TEXT NOT NULL,
  secret_commitment BLOB NOT NULL,
  commitments BLOB NOT NULL,
  encrypted BLOB NOT NULL,
  stored_at_ms INTEGER NOT NULL,
  needed INTEGER NOT NULL,
  PRIMARY KEY (manifest_digest, to_version, from_polynomial, dealer_index)
) STRICT;
CREATE INDEX sub_shares_by_set ON sub_shares (holder_set_id, manifest_digest);
/* Versions of sets that this holder received sub-shares as a member of: the chain shows the newest alone. */
CREATE TABLE set_versions (
  holder_set_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  holder_set TEXT NOT NULL,
  PRIMARY KEY (holder_set_id, version)
) STRICT;
CREATE TABLE resharing_certificates (
  result_digest TEXT PRIMARY KEY,
  holder_set_id TEXT NOT NULL,
  to_version INTEGER NOT NULL,
  certificate TEXT NOT NULL
) STRICT;
`;
