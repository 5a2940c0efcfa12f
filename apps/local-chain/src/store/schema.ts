/** Raised when the tables or the records in them change; a store of another version is refused, not guessed at. */
export const SCHEMA_VERSION = 2;

export const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE objects (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    parent TEXT,
    value TEXT NOT NULL,
    UNIQUE (collection, key)
  ) STRICT;
  CREATE INDEX objects_by_parent ON objects (collection, parent, ordinal) WHERE parent IS NOT NULL;
  CREATE TABLE transactions (
    digest TEXT PRIMARY KEY,
    sender TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    error TEXT
  ) STRICT;
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    digest TEXT NOT NULL REFERENCES transactions (digest),
    sender TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_transaction ON events (digest, seq);
`;
