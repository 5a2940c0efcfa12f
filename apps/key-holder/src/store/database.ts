import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { refuse } from '@usufruct/kernel';
import { inTransaction } from '@usufruct/service';
import { BACKUPS_SCHEMA } from '../backup/backups-made.js';
import { LEASE_SCHEMA } from '../lease/schema.js';
import { RESHARING_SCHEMA } from '../rotation/schema.js';

/** Of the tables below, all of them; what another version made is refused. */
export const SCHEMA_VERSION = 16;
const PAYOUT_SCHEMA = `
CREATE TABLE openings (
  receipt_digest TEXT PRIMARY KEY,
  dao_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  encrypted BLOB NOT NULL,
  stored_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX openings_by_job ON openings (job_id);
/* One that was on chain before it was recomputed here is kept without having been signed. */
CREATE TABLE countersigned_epochs (
  epoch_id TEXT PRIMARY KEY,
  dao_id TEXT NOT NULL,
  number TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  settler TEXT NOT NULL,
  encrypted BLOB NOT NULL,
  stored_at_ms INTEGER NOT NULL,
  is_signed INTEGER NOT NULL,
  statement BLOB NOT NULL,
  settler_signature BLOB NOT NULL
) STRICT;
CREATE INDEX epochs_by_attempt ON countersigned_epochs (dao_id, number, attempt, settler);
CREATE UNIQUE INDEX signed_attempts ON countersigned_epochs (dao_id, number, attempt, settler) WHERE is_signed = 1;
/* Where an account's leaf is, by a keyed hash of epoch and account. */
CREATE TABLE epoch_accounts (mac BLOB PRIMARY KEY, leaf_index INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE equivocations (
  dao_id TEXT NOT NULL,
  number TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  settler TEXT NOT NULL,
  first_id TEXT NOT NULL,
  second_id TEXT NOT NULL,
  statement BLOB NOT NULL,
  settler_signature BLOB NOT NULL,
  seen_at_ms INTEGER NOT NULL,
  PRIMARY KEY (dao_id, number, attempt, settler)
) STRICT;
`;
/** What was destroyed because its owner retired it, and the word that was given about it. */
const ERASURES_SCHEMA = `
CREATE TABLE erasures (
  contribution_id TEXT PRIMARY KEY,
  statement BLOB NOT NULL,
  signature BLOB NOT NULL
) STRICT;
`;
/** How often a runner asked, and what no job can need. */
const ANOMALIES_SCHEMA = `
CREATE TABLE release_requests (
  job_id TEXT NOT NULL,
  runner_key TEXT NOT NULL,
  requests INTEGER NOT NULL,
  last_at_ms INTEGER NOT NULL,
  PRIMARY KEY (job_id, runner_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX release_requests_by_time ON release_requests (last_at_ms);
CREATE TABLE anomalies (
  job_id TEXT NOT NULL,
  runner_key TEXT NOT NULL,
  reason TEXT NOT NULL,
  dao_id TEXT NOT NULL,
  dataset_id TEXT NOT NULL,
  measurement TEXT NOT NULL,
  times INTEGER NOT NULL,
  first_at_ms INTEGER NOT NULL,
  last_at_ms INTEGER NOT NULL,
  request BLOB NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (job_id, runner_key, reason)
) STRICT;
CREATE INDEX anomalies_by_dao ON anomalies (dao_id, last_at_ms);
`;
const SCHEMA = `
/* Whose it is; and how often something was destroyed, and up to which of these the files were looked through. */
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE shares (
  manifest_digest TEXT PRIMARY KEY,
  contribution_id TEXT NOT NULL,
  dataset_id TEXT NOT NULL,
  owner TEXT NOT NULL,
  holder_set_id TEXT NOT NULL,
  share_index INTEGER NOT NULL,
  encrypted BLOB NOT NULL,
  stored_at_ms INTEGER NOT NULL,
  set_version INTEGER NOT NULL,
  commitments BLOB,
  is_registered INTEGER NOT NULL
) STRICT;
CREATE INDEX unregistered_shares ON shares (dataset_id) WHERE is_registered = 0;
CREATE INDEX shares_by_set ON shares (holder_set_id, manifest_digest);
CREATE INDEX shares_by_contribution ON shares (contribution_id);
CREATE TABLE challenges (
  challenge TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  subject TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  consumed_at_ms INTEGER
) STRICT;
CREATE INDEX challenges_by_expiry ON challenges (expires_at_ms);
/* Of a contribution, or of a dataset. */
CREATE TABLE leaves (leaf_index INTEGER PRIMARY KEY, subject TEXT NOT NULL, leaf BLOB NOT NULL) STRICT;
CREATE INDEX leaves_by_subject ON leaves (subject);
CREATE TABLE holder_sets (
  holder_set_id TEXT PRIMARY KEY,
  member INTEGER NOT NULL,
  anchored_size INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE tree_heads (
  holder_set_id TEXT NOT NULL,
  tree_size INTEGER NOT NULL,
  tree_head BLOB NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (holder_set_id, tree_size)
) STRICT;
`;

const SCHEMAS = [
  SCHEMA,
  PAYOUT_SCHEMA,
  ERASURES_SCHEMA,
  RESHARING_SCHEMA,
  ANOMALIES_SCHEMA,
  LEASE_SCHEMA,
  BACKUPS_SCHEMA,
];

export const pathIn = (dataDir: string): string => join(dataDir, 'key-holder.sqlite');

/** Whether a holder has ever started over this folder. */
export const hasDatabase = (dataDir: string): boolean => existsSync(pathIn(dataDir));

/**
 * Open (or make) the holder's one database. What was committed survives a kill of the process and of the machine
 * (WAL with synchronous=FULL). Refuses `CONFIG_INVALID` when it belongs to another identity: with the wrong secret its
 * shares could not be opened, and its log must not be continued under another key; with `isExclusive` also while another
 * process has it open.
 */
export function openDatabase(dataDir: string, identity: string, { isExclusive = false } = {}): DatabaseSync {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = pathIn(dataDir);
  const database = new DatabaseSync(path);
  chmodSync(path, 0o600);
  if (isExclusive) requireAlone(database);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;');
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version === 0) inTransaction(database, () => create(database, identity));
  else if (version !== SCHEMA_VERSION) {
    database.close();
    throw refuse('CONFIG_INVALID', { setting: 'DATA_DIR', reason: 'from another version' });
  }
  const known = database.prepare(`SELECT value FROM meta WHERE key = 'identity'`).get() as { value: string };
  if (known.value !== identity) {
    database.close();
    throw refuse('CONFIG_INVALID', { setting: 'HOLDER_SECRET', reason: 'the data belongs to another identity' });
  }
  // A process that was killed after it destroyed a share left the old pages in the log of writes.
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  return database;
}

function requireAlone(database: DatabaseSync): void {
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT');
  } catch {
    database.close();
    throw refuse('CONFIG_INVALID', { setting: 'DATA_DIR', reason: 'another process works with it' });
  }
}

function create(database: DatabaseSync, identity: string): void {
  for (const schema of SCHEMAS) database.exec(schema);
  database.prepare(`INSERT INTO meta (key, value) VALUES ('identity', ?)`).run(identity);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}
