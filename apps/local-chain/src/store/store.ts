import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import {
  assertInvariant,
  refuse,
  toHex,
  UsufructError,
  type Address,
  type Digest,
  type RandomSource,
  type TimestampMs,
} from '@usufruct/kernel';
import { toWireJson, type ChainEventData } from '@usufruct/protocol';
import { inTransaction, reserveLog } from '@usufruct/service';
import {
  COLLECTIONS,
  SUPPLY,
  type Change,
  type Collection,
  type RecordOf,
  type StateReader,
} from '../machine/collections.js';
import { SCHEMA, SCHEMA_VERSION } from './schema.js';

/** A transaction to be kept for ever: with what it did, or with the reason for which it did nothing. */
export interface Execution {
  readonly digest: Digest;
  readonly sender: Address;
  readonly atMs: TimestampMs;
  readonly changes: readonly Change[];
  readonly events: readonly ChainEventData[];
  readonly error: { readonly code: string; readonly details: Readonly<Record<string, string>> } | null;
}

const PARSED_AT_MOST = 1_000;

/**
 * The durable state in one SQLite file: objects, transactions and events, written in one SQL transaction per chain
 * transaction and flushed before anybody is told (WAL, `synchronous=FULL`). The file belongs to one process.
 *
 * Reads for other processes are the stored JSON text: it was checked when it was written.
 */
export class Store implements StateReader {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #parsed = new Map<string, { readonly text: string; readonly record: RecordOf<Collection> }>();
  readonly chainId: string;
  #lastSeq: number;
  #lastAtMs: number;

  /**
   * `path` is a file or `:memory:`. Refuses `CONFIG_INVALID` when the file is in use or of another version; throws a
   * plain error for a store whose events have a gap or whose money does not add up.
   */
  constructor(path: string, random: RandomSource) {
    this.#db = new DatabaseSync(path);
    try {
      this.#db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;');
      this.#createOnce(random);
      reserveLog(this.#db);
    } catch (error) {
      this.#db.close();
      if (error instanceof UsufructError) throw error;
      throw refuse('CONFIG_INVALID', { setting: 'DATA_DIR', reason: 'in use, or not a store' }, error);
    }
    this.chainId = this.#meta('chainId');
    this.#lastSeq = this.#number('SELECT coalesce(max(seq), 0) AS n FROM events');
    this.#lastAtMs = this.#number('SELECT coalesce(max(at_ms), 0) AS n FROM transactions');
    try {
      this.#assertWhole();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }
  get lastAtMs(): number {
    return this.#lastAtMs;
  }

  read<C extends Collection>(collection: C, key: string): RecordOf<C> | undefined {
    const text = this.text(collection, key);
    return text === undefined ? undefined : (this.#parsedAs(collection, key, text) as RecordOf<C>);
  }

  /** What is read again and again is parsed once; what is in the file decides. */
  #parsedAs(collection: Collection, key: string, text: string): RecordOf<Collection> {
    const name = `${collection}/${key}`;
    const known = this.#parsed.get(name);
    if (known?.text === text) return known.record;
    const record = COLLECTIONS[collection].parse(JSON.parse(text)) as RecordOf<Collection>;
    this.#parsed.delete(name);
    this.#parsed.set(name, { text, record });
    const [oldest] = this.#parsed.keys();
    if (this.#parsed.size > PARSED_AT_MOST && oldest !== undefined) this.#parsed.delete(oldest);
    return record;
  }

  /** The record as JSON. */
  text(collection: Collection, key: string): string | undefined {
    return this.#get('SELECT value FROM objects WHERE collection = ? AND key = ?', collection, key)?.['value'] as
      string | undefined;
  }

  /** The records under a parent as JSON, in order of creation. */
  texts(collection: Collection, parent: string): string[] {
    const sql = 'SELECT value FROM objects WHERE collection = ? AND parent = ? ORDER BY ordinal';
    return this.#prepared(sql)
      .all(collection, parent)
      .map((row) => String(row['value']));
  }

  /** `TransactionOutcome` as JSON, or undefined for a transaction that never was executed. */
  outcome(digest: Digest): string | undefined {
    const row = this.#get('SELECT at_ms, error FROM transactions WHERE digest = ?', digest);
    if (row === undefined) return undefined;
    const events = this.#prepared('SELECT * FROM events WHERE digest = ? ORDER BY seq').all(digest).map(eventText);
    const status = row['error'] === null ? 'succeeded' : 'failed';
    const error = row['error'] === null ? 'null' : String(row['error']);
    return `{"digest":"${digest}","status":"${status}","error":${error},"events":[${events.join()}],"atMs":${Number(row['at_ms'])}}`;
  }

  /** `ChainEvent`s after a position as JSON, at most `limit` and, but for the first, at most `mostChars` in all. */
  events(after: number, limit: number, mostChars: number): string[] {
    const page: string[] = [];
    let chars = 0;
    for (const row of this.#prepared('SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?').iterate(after, limit)) {
      const text = eventText(row);
      chars += text.length;
      if (page.length > 0 && chars > mostChars) break;
      page.push(text);
    }
    return page;
  }

  /** Keep a transaction with all that it did, or nothing at all. */
  commit(execution: Execution): void {
    const { digest, sender, atMs, error } = execution;
    assertInvariant(
      error === null || execution.changes.length + execution.events.length === 0,
      'a failure does nothing',
    );
    let seq = this.#lastSeq;
    inTransaction(this.#db, () => {
      this.#prepared('INSERT INTO transactions (digest, sender, at_ms, error) VALUES (?, ?, ?, ?)').run(
        digest,
        sender,
        atMs,
        error === null ? null : JSON.stringify(error),
      );
      for (const { collection, key, parent, value } of execution.changes) {
        if (value === null) {
          this.#prepared('DELETE FROM objects WHERE collection = ? AND key = ?').run(collection, key);
          continue;
        }
        this.#prepared(
          `INSERT INTO objects (collection, key, parent, value) VALUES (?, ?, ?, ?)
           ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value`,
        ).run(collection, key, parent, toWireJson(value));
      }
      for (const data of execution.events) {
        seq += 1;
        this.#prepared('INSERT INTO events (seq, digest, sender, at_ms, data) VALUES (?, ?, ?, ?, ?)').run(
          seq,
          digest,
          sender,
          atMs,
          toWireJson(data),
        );
      }
    });
    this.#lastSeq = seq;
    this.#lastAtMs = atMs;
  }

  close(): void {
    this.#db.close();
  }

  #createOnce(random: RandomSource): void {
    const version = this.#number('SELECT user_version AS n FROM pragma_user_version');
    if (version === SCHEMA_VERSION) return;
    if (version !== 0) {
      throw refuse('CONFIG_INVALID', {
        setting: 'DATA_DIR',
        reason: `its chain.sqlite was written as version ${version}, and this is version ${SCHEMA_VERSION}`,
        remedy: 'start with an empty folder: the local chain is a stand-in and is not migrated',
      });
    }
    this.#db.exec('BEGIN EXCLUSIVE');
    this.#db.exec(SCHEMA);
    this.#prepared("INSERT INTO meta (name, value) VALUES ('chainId', ?)").run(`local:${toHex(random(4))}`);
    this.#db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  }

  /** What a crash or a hand in the file must not have broken. */
  #assertWhole(): void {
    assertInvariant(this.#number('SELECT count(*) AS n FROM events') === this.#lastSeq, 'events have no gap');
    let held = 0n;
    const rows = "SELECT collection, value FROM objects WHERE collection IN ('balance', 'job')";
    for (const { collection, value } of this.#prepared(rows).iterate()) {
      const field = collection === 'job' ? 'escrowUnits' : 'amountUnits';
      held += BigInt((JSON.parse(String(value)) as Record<string, string>)[field]!);
    }
    assertInvariant(held === (this.read('supply', SUPPLY)?.mintedUnits ?? 0n), 'balances + escrows = minted');
  }

  #meta(name: string): string {
    return String(this.#get('SELECT value FROM meta WHERE name = ?', name)?.['value']);
  }
  #number(sql: string): number {
    return Number(this.#get(sql)?.['n']);
  }
  #get(sql: string, ...values: string[]): Record<string, SQLOutputValue> | undefined {
    return this.#prepared(sql).get(...values);
  }
  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}

const eventText = (row: Record<string, SQLOutputValue>): string =>
  `{"seq":${Number(row['seq'])},"transaction":"${String(row['digest'])}","sender":"${String(row['sender'])}",` +
  `"atMs":${Number(row['at_ms'])},"data":${String(row['data'])}}`;
