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
  PRIMARY KEY (manifest_digest, to_version, from_polynomial, dealer_index)
) STRICT;
CREATE TABLE resharing_certificates (
  result_digest TEXT PRIMARY KEY,
  holder_set_id TEXT NOT NULL,
  to_version INTEGER NOT NULL,
  certificate TEXT NOT NULL
) STRICT;
`;
